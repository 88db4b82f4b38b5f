"""Sweeps: a pipeline run at many points of its parameters."""
