"""Data of a project: checked, compared, kept in versions."""
