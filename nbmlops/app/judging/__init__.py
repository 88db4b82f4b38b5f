"""Judging a run: evidence for the gate's rules, and its report."""
