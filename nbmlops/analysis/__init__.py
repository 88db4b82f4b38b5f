"""Static analysis: what each cell defines, reads and may change, and what follows for the borders of steps."""
