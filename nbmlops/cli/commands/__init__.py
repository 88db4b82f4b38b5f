"""One module for each subcommand, imported when it is called; each holds a click command named `command`."""
