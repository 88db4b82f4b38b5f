"""Leaves out the warnings and notes that a cell asks not to be told: `# nbmlops: ignore=NB207`, or a tag.

Errors cannot be left out: they guard what compiling promises. What a cell asks for without effect is a note itself, so
that such lines do not outlive their reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from nbmlops.core.diagnostics import Diagnostic, Severity, sort_diagnostics
from nbmlops.notebook.model import Cell, Notebook, RoleKind

CODE = "NB150"


def suppress(
    notebook: Notebook, diagnostics: Sequence[Diagnostic]
) -> tuple[tuple[Diagnostic, ...], tuple[Diagnostic, ...]]:
    """Returns the diagnostics that are told, and those that their cells leave out.

    Args:
        notebook: The notebook, whose cells say what they ignore.
        diagnostics: Everything that was found.
    """
    ignored = {cell.number: frozenset(cell.ignored) for cell in notebook.cells if cell.ignored}
    if not ignored:
        return tuple(diagnostics), ()
    left_out = tuple(found for found in diagnostics if _is_left_out(found, ignored))
    told = [found for found in diagnostics if found not in left_out]
    cells = [cell for cell in notebook.cells if cell.ignored and cell.role.kind is not RoleKind.SKIP]
    notes = [note for cell in cells for note in _without_effect(notebook, cell, diagnostics)]
    return sort_diagnostics([*told, *notes]), left_out


def _is_left_out(found: Diagnostic, ignored: Mapping[int, frozenset[str]]) -> bool:
    return found.severity is not Severity.ERROR and found.code in ignored.get(found.span.cell, ())


def _without_effect(notebook: Notebook, cell: Cell, diagnostics: Sequence[Diagnostic]) -> Iterator[Diagnostic]:
    """Yields a note for each code that a cell ignores to no effect."""
    here = [found for found in diagnostics if found.span.cell == cell.number]
    for code in cell.ignored:
        severities = {found.severity for found in here if found.code == code}
        if severities - {Severity.ERROR}:
            continue
        if severities:
            message = f"{code} is an error here, which cannot be ignored"
            hint = "correct what it says; it stands in the way of compiling"
        else:
            message = f"the cell ignores {code}, which it does not lead to"
            hint = f"remove `{code}` from the line `# nbmlops: ignore=…`, or from the tag `nbmlops-ignore:…`"
        yield Diagnostic(CODE, Severity.NOTE, message, notebook.span(cell), hint)
