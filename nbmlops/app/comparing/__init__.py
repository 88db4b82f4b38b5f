"""Runs and versions of models beside each other."""
