from __future__ import annotations

import msgspec
import pytest

from nbmlops.analysis.suppress import suppress
from nbmlops.core.diagnostics import Diagnostic, Severity
from nbmlops.notebook.model import Cell, CellKind, CellRole, Notebook, RoleKind

CODE = "x = 1"


def notebook(*ignored: tuple[str, ...]) -> Notebook:
    cells = tuple(
        Cell(f"c{number}", number, CellKind.CODE, CODE, role=CellRole(RoleKind.STEP, "a"), python=CODE, ignored=codes)
        for number, codes in enumerate(ignored, 1)
    )
    return Notebook("nb.ipynb", "nb", cells)


def found(read: Notebook, cell: int, code: str, severity: Severity) -> Diagnostic:
    return Diagnostic(code, severity, "m", read.span(read.cells[cell - 1], 1))


@pytest.mark.parametrize("severity", [Severity.WARNING, Severity.NOTE])
def test_warnings_and_notes_of_the_cell_are_left_out(severity: Severity) -> None:
    read = notebook(("NB207",), ())
    diagnostics = [found(read, 1, "NB207", severity), found(read, 2, "NB207", severity)]
    assert suppress(read, diagnostics) == ((diagnostics[1],), (diagnostics[0],))


def test_errors_are_told_whatever_the_cell_asks_for() -> None:
    read = notebook(("NB203",))
    error = found(read, 1, "NB203", Severity.ERROR)
    note = Diagnostic(
        "NB150",
        Severity.NOTE,
        "NB203 is an error here, which cannot be ignored",
        read.span(read.cells[0]),
        "correct what it says; it stands in the way of compiling",
    )
    assert suppress(read, [error]) == ((note, error), ())


def test_a_code_that_is_found_as_error_and_as_note_is_left_out_as_note() -> None:
    read = notebook(("NB203",))
    both = [found(read, 1, "NB203", Severity.ERROR), found(read, 1, "NB203", Severity.NOTE)]
    assert suppress(read, both) == ((both[0],), (both[1],))


def test_what_has_no_effect_is_a_note_that_cannot_be_left_out_itself() -> None:
    read = notebook(("NB207", "NB150"))
    told, left_out = suppress(read, [])
    assert ([d.message for d in told], left_out) == (
        [
            "the cell ignores NB150, which it does not lead to",
            "the cell ignores NB207, which it does not lead to",
        ],
        (),
    )
    assert told[1].hint == "remove `NB207` from the line `# nbmlops: ignore=…`, or from the tag `nbmlops-ignore:…`"


def test_skipped_cells_say_nothing() -> None:
    read = notebook(("NB207",))
    cell = msgspec.structs.replace(read.cells[0], role=CellRole(RoleKind.SKIP))
    assert suppress(msgspec.structs.replace(read, cells=(cell,)), []) == ((), ())


def test_without_any_wish_nothing_changes() -> None:
    read = notebook((), ())
    diagnostics = (found(read, 2, "NB207", Severity.NOTE),)
    assert suppress(read, diagnostics) == (diagnostics, ())
