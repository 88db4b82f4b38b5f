"""Behaviour tests of the notebook that a kernel runs: which there are, and which cell of it runs its tests."""

from __future__ import annotations

from pathlib import Path

from nbmlops.core.errors import NbmlopsError
from nbmlops.notebook.behaviour import PREFIX, TAG, called_tests, cell_tests
from nbmlops.notebook.model import Cell, RoleKind
from nbmlops.notebook.reader import read_notebook
from nbmlops.notebook.source import translate
from nbmlops.notebook.tags import read_marks


def declared_tests(notebook: Path | None) -> tuple[str, ...]:
    """Returns the names of all behaviour tests in the notebook as it was saved last; () where it cannot be read.

    Those of tagged cells and those that lines name one by one; what a module holds is known when its line runs.
    """
    cells = _cells(notebook)
    tagged = [name for cell in cells if TAG in cell.tags for name in cell_tests(cell.python).names]
    called = [name for cell in cells for magic in cell.magics for name in called_tests(magic.python)]
    return tuple(dict.fromkeys([*tagged, *(name for name in called if name.startswith(PREFIX))]))


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
    return tuple(cell for cell in _cells(notebook) if TAG in cell.tags)


def _cells(notebook: Path | None) -> tuple[Cell, ...]:
    try:
        cells = read_notebook(notebook).cells if notebook is not None else ()
    except (OSError, NbmlopsError):  # it was moved, or is being written
        return ()
    return tuple(cell for cell in cells if cell.role.kind is not RoleKind.SKIP)
