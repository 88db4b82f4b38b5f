"""Adds to cells tagged `test` the call that runs their behaviour tests, and checks that no test can be missed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from nbmlops.core.jupyter_tags import RAISES
from nbmlops.notebook.behaviour import PREFIX, TAG, cell_tests
from nbmlops.notebook.codes import Fault
from nbmlops.notebook.model import Cell, Magic, MagicAction, RoleKind
from nbmlops.notebook.source import Translation
from nbmlops.notebook.tags import CellMarks


def with_tests(translation: Translation, marks: CellMarks) -> Translation:
    """Returns the cell's translation with one more line, which runs its tests, if it is tagged so."""
    if TAG not in marks.tags or marks.kind is RoleKind.SKIP or not translation.python.strip():
        return translation
    tests = cell_tests(translation.python)
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


def repeated_tests(cells: Sequence[Cell]) -> Iterable[Fault]:
    """Yields a fault for each test that has the name of one above it: the second outcome would hide the first."""
    seen: dict[str, int] = {}
    for cell in cells:
        tagged = TAG in cell.tags and cell.role.kind is not RoleKind.SKIP
        for name in cell_tests(cell.python).names if tagged else ():
            if seen.setdefault(name, cell.number) != cell.number:
                yield Fault(
                    "NB129",
                    f"the behaviour test {name!r} has the name of one in cell {seen[name]}",
                    "give it another name",
                    cell=cell.number,
                )
