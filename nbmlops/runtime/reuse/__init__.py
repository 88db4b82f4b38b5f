"""When a step runs again: what it depended on, and whether that is still so."""
