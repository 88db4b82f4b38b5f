"""Flow analysis: what code reads, binds and changes, along all paths."""
