"""Fingerprints: any value as canonical bytes, and their digest."""
