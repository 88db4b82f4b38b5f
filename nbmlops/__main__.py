"""The entry point of the `nbmlops` command and of `python -m nbmlops`."""

from __future__ import annotations

import sys

from nbmlops.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
