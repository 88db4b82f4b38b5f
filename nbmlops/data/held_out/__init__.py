"""Predictions on held-out rows: how good they are, how sure that is, and for whom."""
