"""Watching the notebook and its pipeline, in order to compare them."""
