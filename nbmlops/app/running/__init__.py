"""Running a compiled pipeline, and what a run leaves behind."""
