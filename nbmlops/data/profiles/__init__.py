"""Profiles: what data looks like in a few kB, and how two of them differ."""
