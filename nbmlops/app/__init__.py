"""Use cases, one function each, and the wiring of adapters. The faces (cli, ipython, api) only call these."""
