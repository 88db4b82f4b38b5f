"""What compiling reads of `requirements.lock`; `nbmlops.app.compiling.lock` resolves and writes it."""

from __future__ import annotations

import re

FALLBACK_PYTHON = "3.11"
_PYTHON = re.compile(r"^# python (3\.\d+)\s*$", re.MULTILINE)


def python_version(lock: str) -> str:
    """Returns the Python version that the lock was made with, "3.11" if it does not say."""
    return locked_python(lock) or FALLBACK_PYTHON


def locked_python(lock: str) -> str:
    """Returns the Python version that the lock says it was made with, "" if it does not say."""
    match = _PYTHON.search(lock)
    return match[1] if match else ""
