"""Checks the `%mlops` lines of the whole notebook against each other: one gate, one register, nothing logged below."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from nbmlops.notebook.codes import Fault
from nbmlops.notebook.model import Cell, Magic, MagicAction, RoleKind


def check_stages(cells: Sequence[Cell]) -> Iterable[Fault]:
    """Yields what is wrong with the order and form of gate and register lines; skipped cells do not count."""
    lines = [(cell, magic) for cell in cells if cell.role.kind is not RoleKind.SKIP for magic in cell.magics]
    gate = next((found for found in lines if found[1].action is MagicAction.GATE), None)
    register = next((found for found in lines if found[1].action is MagicAction.REGISTER), None)
    for first, name in ((gate, "gate"), (register, "register")):
        if first is not None:
            yield from _repeated(lines, first, name)
    if gate is not None:
        yield from _below_gate(lines, *gate)
        if "waive" in _keywords(gate[1]):
            message = "the gate line waives a rule, which a pipeline would do in every run"
            hint = "take the waiver out; to waive a rule for one run of the pipeline: nbmlops gate RUN --waive RULE"
            yield _fault("NB127", *gate, message, hint)
    if register is not None:
        if gate is not None and _place(*register) < _place(*gate):
            yield _fault(
                "NB125",
                *register,
                "the model is registered above the gate",
                f"move the line below the gate in cell {gate[0].number}",
            )
        yield from _not_names(*register)


def _keywords(magic: Magic) -> frozenset[str]:
    call = ast.parse(magic.python, mode="eval").body
    return frozenset(keyword.arg or "" for keyword in call.keywords) if isinstance(call, ast.Call) else frozenset()


def _place(cell: Cell, magic: Magic) -> tuple[int, int]:
    return cell.number, magic.line


def _fault(code: str, cell: Cell, magic: Magic, message: str, hint: str) -> Fault:
    line = cell.source.split("\n")[magic.line - 1]
    col = len(line) - len(line.lstrip()) + 1
    return Fault(code, message, hint, cell.number, magic.line, col, magic.line, len(line.rstrip()) + 1)


def _repeated(lines: Sequence[tuple[Cell, Magic]], first: tuple[Cell, Magic], name: str) -> Iterable[Fault]:
    for cell, magic in lines:
        if magic.action is first[1].action and magic is not first[1]:
            message = f"a second {name} line; the first is in cell {first[0].number} line {first[1].line}"
            yield _fault("NB123", cell, magic, message, "remove one of them")


def _below_gate(lines: Sequence[tuple[Cell, Magic]], gate_cell: Cell, gate: Magic) -> Iterable[Fault]:
    for cell, magic in lines:
        if magic.action is MagicAction.CALL and _place(cell, magic) > _place(gate_cell, gate):
            function = magic.python.partition("(")[0]
            message = f"`{function}` is called below the gate in cell {gate_cell.number}"
            yield _fault("NB122", cell, magic, message, "move the line above the gate")


def _not_names(cell: Cell, magic: Magic) -> Iterable[Fault]:
    call = ast.parse(magic.python, mode="eval").body
    assert isinstance(call, ast.Call)
    model = call.args[0] if len(call.args) == 1 else None
    data = next((keyword.value for keyword in call.keywords if keyword.arg == "data"), None)
    for argument, what in ((model, "model"), (data, "data")):
        if argument is None:
            edit = "write `nbmlops.register(model, data=X_train)`"
            yield _fault("NB120", cell, magic, f"the {what} to register is not given", edit)
        elif not isinstance(argument, ast.Name):
            written = ast.unparse(argument)
            yield _fault(
                "NB124", cell, magic, f"`{written}` is no plain name, but the {what} is loaded by its name",
                f"give it a name in the step (`{what} = {written}`) and write the name here",
            )  # fmt: skip
