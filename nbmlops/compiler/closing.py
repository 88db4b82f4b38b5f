"""The closing stages: what `%mlops gate` and `%mlops register` lines and the configuration ask for, as one record."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from nbmlops.analysis.model import ClosingNames
from nbmlops.compiler.program import CompileOptions
from nbmlops.notebook.model import Cell, Magic, MagicAction, Notebook, RoleKind


@dataclass(frozen=True, slots=True)
class Closing:
    """What happens after the steps.

    Attributes:
        names: Notebook names that the stages read.
        gate: The run is judged.
        gate_cell: The cell that asks for it, 0 for the configuration.
        register: A model is registered.
        register_cell: The cell that asks for it, 0 for the configuration.
        model_name: Name in the registry.
    """

    names: ClosingNames
    gate: bool
    gate_cell: int
    register: bool
    register_cell: int
    model_name: str


def read_closing(notebook: Notebook, options: CompileOptions) -> Closing:
    """Returns the closing stages; lines of the notebook go before the configuration."""
    gate = _find(notebook, MagicAction.GATE)
    register = _find(notebook, MagicAction.REGISTER)
    names, model_name = options.closing, options.model_name
    if register is not None:
        model, data, name = _arguments(register[1])
        names = ClosingNames(model, data, options.closing.metrics)
        model_name = name or model_name
    registers = bool(names.model)
    return Closing(
        names=names,
        gate=gate is not None or options.gate or registers,
        gate_cell=gate[0].number if gate else 0,
        register=registers,
        register_cell=register[0].number if register else 0,
        model_name=model_name or options.name or notebook.name,
    )


def _find(notebook: Notebook, action: MagicAction) -> tuple[Cell, Magic] | None:
    for cell in notebook.cells:
        for magic in cell.magics if cell.role.kind is not RoleKind.SKIP else ():
            if magic.action is action:
                return cell, magic
    return None


def _arguments(magic: Magic) -> tuple[str, str, str]:
    """Returns model, data and name of a register line; an argument that is no plain name was reported by the reader."""
    call = ast.parse(magic.python, mode="eval").body
    assert isinstance(call, ast.Call)
    values = {keyword.arg: keyword.value for keyword in call.keywords}
    name = values.get("name")
    given = name.value if isinstance(name, ast.Constant) and isinstance(name.value, str) else ""
    return _name(call.args[0] if call.args else None), _name(values.get("data")), given


def _name(node: ast.expr | None) -> str:
    return node.id if isinstance(node, ast.Name) else ""
