"""Schemas of frames: inferred, edited as YAML, checked, compared, exported."""
