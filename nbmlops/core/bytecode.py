"""Compiled forms of Python sources that are older than their sources, and that Python would still run."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def drop_outdated(folder: Path) -> None:
    """Removes what was compiled before its source was last changed, in a folder and in the packages below it.

    Python compares the size of a source and the second of its last change (PEP 552). Where a file is changed twice
    within a second, as programs do it, Python would run what stood there first.

    Args:
        folder: Where modules are; what cannot be read or removed there stays.
    """
    with suppress(OSError):
        for compiled in (folder / "__pycache__").glob("*.pyc"):
            source = folder / f"{compiled.name.partition('.')[0]}.py"
            if source.is_file() and compiled.stat().st_mtime_ns <= source.stat().st_mtime_ns:
                compiled.unlink(missing_ok=True)
        for package in folder.iterdir():
            if (package / "__init__.py").is_file():
                drop_outdated(package)
