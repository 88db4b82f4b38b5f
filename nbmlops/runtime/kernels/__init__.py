"""Kernels for steps: started cold or forked warm, watched, and ended."""
