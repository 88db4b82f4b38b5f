"""The closing stages: what `%mlops gate` and `%mlops register` lines and the configuration ask for, as one record."""

from __future__ import annotations

from msgspec import Struct

from nbmlops.analysis.closing import closing_names, merge_closing, registered_name
from nbmlops.analysis.model import ClosingNames
from nbmlops.compiler.program import CompileOptions
from nbmlops.notebook.model import Cell, Magic, MagicAction, Notebook, RoleKind


class Closing(Struct, frozen=True):
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
    said = closing_names(notebook)
    configured = set(options.closing.metrics.values())
    # A value that the configuration gives another name is logged under that name only.
    printed = {name: value for name, value in said.metrics.items() if value not in configured}
    names = merge_closing(ClosingNames(said.model, said.data, printed), options.closing)
    registers = bool(names.model)
    model_name = registered_name(notebook) or options.model_name
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
