"""What works inside a step's process, around its code."""
