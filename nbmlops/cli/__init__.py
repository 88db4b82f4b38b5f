"""The command line: translates arguments into use cases and renders their results."""
