"""The source language: `.ipynb` bytes in, a frozen `Notebook` with one role per cell out. Knows no pipelines."""
