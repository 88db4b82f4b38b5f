"""The run of a notebook: what its kernel knows, records and sends."""
