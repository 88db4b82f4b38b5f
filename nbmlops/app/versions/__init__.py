"""Versions of models: registering, promoting, telling what they came from, and making them again."""
