"""Behaviour tests of the notebook that a kernel runs: which there are, and which cell of it runs its tests."""

from __future__ import annotations

from pathlib import Path

from nbmlops.core.errors import NbmlopsError
from nbmlops.notebook.behaviour import PREFIX, TAG, cell_tests
from nbmlops.notebook.model import Cell, RoleKind
from nbmlops.notebook.reader import read_notebook
from nbmlops.notebook.source import translate
from nbmlops.notebook.tags import read_marks


def declared_tests(notebook: Path | None) -> tuple[str, ...]:
    """Returns the names of all behaviour tests in the notebook as it was saved last; () where it cannot be read."""
    return tuple(name for cell in _tagged(notebook) for name in cell_tests(cell.python).names)


def line_behind(source: str, notebook: Path | None) -> str:
    """Returns the line that runs the tests of a cell, "" for a cell that is not tagged so.

    A kernel is not told tags. They are those of the first line's comment, and of the saved notebook: of its cell that
    defines a test of the same name, as the one that runs may have been edited since.

    Args:
        source: The cell as it is run.
        notebook: The notebook's file, None where it is not known.
    """
    if f"def {PREFIX}" not in source:
        return ""
    translation = translate(source)
    tests = cell_tests(translation.python)
    if not tests.names:
        return ""
    if TAG in read_marks((), source, translation).tags:
        return tests.live_call
    same = any(set(tests.names) & set(cell_tests(cell.python).names) for cell in _tagged(notebook))
    return tests.live_call if same else ""


def _tagged(notebook: Path | None) -> tuple[Cell, ...]:
    try:
        cells = read_notebook(notebook).cells if notebook is not None else ()
    except (OSError, NbmlopsError):  # it was moved, or is being written
        return ()
    return tuple(cell for cell in cells if TAG in cell.tags and cell.role.kind is not RoleKind.SKIP)
