"""The content-addressed store: of a project, and shared between machines."""
