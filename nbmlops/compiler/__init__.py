"""Notebook and analysis -> `Pipeline` -> files. Pure until `project`, which compares with the disk and writes."""
