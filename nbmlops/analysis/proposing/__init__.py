"""Proposing steps for a notebook that has none."""
