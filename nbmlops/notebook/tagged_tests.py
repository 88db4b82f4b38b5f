"""Adds to cells tagged `test` the call that runs their behaviour tests, and checks that no test can be missed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from nbmlops.core.jupyter_tags import RAISES
from nbmlops.notebook.behaviour import PREFIX, TAG, called_tests, cell_tests, missed_tests
from nbmlops.notebook.codes import Fault
from nbmlops.notebook.model import Cell, Magic, MagicAction, RoleKind
from nbmlops.notebook.source import Translation
from nbmlops.notebook.tags import CellMarks


def with_tests(translation: Translation, marks: CellMarks) -> Translation:
    """Returns the cell's translation with one more line, which runs its tests, if it is tagged so."""
    if marks.kind is RoleKind.SKIP or not translation.python.strip():
        return translation
    if TAG not in marks.tags:
        return _checked_lines(translation, marks)
    tests = cell_tests(translation.python)
    if missed := missed_tests(translation.python):
        fault = Fault(
            "NB129",
            f"the behaviour test {missed[0]!r} would not run: it is defined again below, or inside of a block or class",
            "give it a name of its own, without indentation",
        )
        return replace(translation, faults=(*translation.faults, fault))
    if not tests.names:
        fault = Fault(
            "NB128",
            f"the cell is tagged `{TAG}`, but defines no function `{PREFIX}...`",
            "define one, or name functions of a module in a line: `%mlops test checks.test_later(model, X_test)`",
        )
        return replace(translation, faults=(*translation.faults, fault))
    if RAISES in marks.tags:
        fault = Fault(
            "NB129",
            f"the cell is tagged `{TAG}` and `{RAISES}`: after an error its tests would not run",
            "give the tests a cell of their own",
        )
        return replace(translation, faults=(*translation.faults, fault))
    run = Magic(tests.line, f"the tag `{TAG}`", MagicAction.CALL, "runs the cell's behaviour tests", tests.call)
    magics = sorted([*translation.magics, run], key=lambda magic: magic.line)
    return replace(translation, python=f"{translation.python}\n{tests.code}", magics=tuple(magics))


def _checked_lines(translation: Translation, marks: CellMarks) -> Translation:
    """Returns the translation with a fault if it runs tests by a line that an error above it may keep from running."""
    line = next((magic.line for magic in translation.magics if called_tests(magic.python)), 0)
    if not line or RAISES not in marks.tags:
        return translation
    fault = Fault(
        "NB129",
        f"the cell runs behaviour tests and is tagged `{RAISES}`: after an error they would not run",
        "give the line a cell of its own",
        line=line,
    )
    return replace(translation, faults=(*translation.faults, fault))


def repeated_tests(cells: Sequence[Cell]) -> Iterable[Fault]:
    """Yields a fault for each test that has the name of one above it: the second outcome would hide the first."""
    seen: dict[str, int] = {}
    for cell in cells:
        if cell.role.kind is RoleKind.SKIP:
            continue
        for name in (name for magic in cell.magics for name in called_tests(magic.python)):
            if name in seen:
                yield Fault(
                    "NB129",
                    f"the behaviour test {name!r} has the name of one in cell {seen[name]}",
                    "give it another name",
                    cell=cell.number,
                )
            seen.setdefault(name, cell.number)
