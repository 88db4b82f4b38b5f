"""Imports and definitions: what importing does, and where both go."""
