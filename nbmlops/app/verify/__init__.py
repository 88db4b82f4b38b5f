"""Verifying that a notebook and its pipeline compute the same."""
