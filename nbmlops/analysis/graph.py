"""Everything that analysis knows, in one place, for the rules and for the facts about steps."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping

from msgspec import Struct, field

from nbmlops.analysis.flow.record import Callables
from nbmlops.analysis.model import SETUP_STEP, ClosingNames, Definition, Effects, ParameterDeclaration
from nbmlops.analysis.namespace import Namespace
from nbmlops.analysis.parameters import ParameterFault
from nbmlops.analysis.statements import Unit
from nbmlops.core.diagnostics import Diagnostic, Severity, SourceSpan
from nbmlops.notebook.model import Cell, MagicAction, Notebook, RoleKind
from nbmlops.pipeline.ir import Input


class Place(Struct, frozen=True):
    """A place in the notebook: the statement, and the part of it."""

    unit: Unit
    node: ast.AST


class Kept(Struct, frozen=True):
    """Why a definition is a value.

    Attributes:
        state: Where it keeps state.
        read: The data that it read when it was made.
        once: What of it would come out differently, were it made again.
    """

    state: str = ""
    read: str = ""
    once: str = ""


class StepNode(Struct):
    """A step while its interface is worked out.

    Attributes:
        name: Its name.
        cells: Its cells.
        units: What runs in it, in order.
        effects: What it does as a whole; a mutation counts as a read when the value comes from outside.
        reads: Where it first reads each name that may come from outside.
        strict: Of these the ones that nothing in the step may have bound before.
        soft: Names that only a function reads that the step mentions without calling it.
        reached: Of `reads` those that it may only change, through another name of their value.
        mentions: All names of the notebook that its source mentions.
        closure: Definitions and constants that it uses, those that they use included.
        inputs: See `StepFacts`.
        outputs: See `StepFacts`.
        parameters: See `StepFacts`.
        unsure_inputs: See `StepFacts`.
        unsure_outputs: See `StepFacts`.
        available: Those of its strict names whose data exist when it starts.
        reason: Why it needs the namespace of a notebook; "" where a function will do.
        reads_all: Whether it may read any name that exists when it begins.
        binds_all: Whether it may bind any name.
    """

    name: str
    cells: list[Cell] = field(default_factory=list)
    units: list[Unit] = field(default_factory=list)
    effects: Effects = field(default_factory=Effects)
    reads: dict[str, Place] = field(default_factory=dict)
    strict: dict[str, Place] = field(default_factory=dict)
    soft: dict[str, Place] = field(default_factory=dict)
    reached: frozenset[str] = frozenset()
    mentions: dict[str, Place] = field(default_factory=dict)
    closure: frozenset[str] = frozenset()
    inputs: tuple[Input, ...] = ()
    outputs: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    unsure_inputs: tuple[str, ...] = ()
    unsure_outputs: tuple[str, ...] = ()
    available: frozenset[str] = frozenset()
    reason: str = ""
    reads_all: bool = False
    binds_all: bool = False


class Graph(Struct):
    """The notebook with all that is known of it.

    Attributes:
        notebook: The notebook.
        units: All statements of cells that count, as the notebook runs them.
        namespace: Its names by kind.
        callables: What its functions do.
        steps: Its steps, in order; the setup step first if there is one.
        definitions: Its functions and classes that live in the package or are rebuilt in steps.
        parameters: What the parameters cell declares.
        parameter_faults: What is wrong with that cell.
        comparing: Statements that compare identities.
        closing: Names that the closing stages read.
        closing_inputs: Where those come from, as far as they can be found.
        kept: Definitions that are values, and why.
        skipped: Names that only cells tagged `skip` bind, with the cell.
        local_modules: Sources of the modules beside the notebook, by dotted name.
        incomplete: Whether the reader refused cells, so that names may seem undefined.
    """

    notebook: Notebook
    units: list[Unit]
    namespace: Namespace
    callables: Callables
    steps: list[StepNode] = field(default_factory=list)
    definitions: dict[str, Definition] = field(default_factory=dict)
    parameters: tuple[ParameterDeclaration, ...] = ()
    parameter_faults: tuple[ParameterFault, ...] = ()
    comparing: tuple[Unit, ...] = ()
    closing: ClosingNames = field(default_factory=ClosingNames)
    closing_inputs: Mapping[str, Input] = field(default_factory=dict)
    kept: Mapping[str, Kept] = field(default_factory=dict)
    skipped: Mapping[str, Cell] = field(default_factory=dict)
    local_modules: Mapping[str, str] = field(default_factory=dict)
    incomplete: bool = False

    def place(self, unit: Unit, node: ast.AST | None = None) -> SourceSpan:
        """Returns where a node stands: 1-based lines and columns, columns counted in characters."""
        part = node if node is not None and hasattr(node, "lineno") else unit.node
        line, end_line = part.lineno, part.end_lineno or part.lineno  # type: ignore[attr-defined]  # checked above
        lines = unit.cell.python.split("\n")
        col = len(lines[line - 1].encode()[: part.col_offset].decode()) + 1  # type: ignore[attr-defined]  # as above
        end_col = len(lines[end_line - 1].encode()[: part.end_col_offset].decode()) + 1  # type: ignore[attr-defined]  # as above
        return self.notebook.span(unit.cell, line, col, end_line, end_col)

    def error(self, code: str, place: Place, message: str, hint: str) -> Diagnostic:
        """Returns an error at a place."""
        return Diagnostic(code, Severity.ERROR, message, self.place(place.unit, place.node), hint)

    def running(self) -> Iterable[Unit]:
        """Returns the statements that run in steps, in order."""
        return (unit for step in self.steps for unit in step.units)

    def first_step_cell(self) -> int:
        """Returns the number of the first cell that belongs to a step; beyond all cells when there is none."""
        numbers = [cell.number for cell in self.notebook.cells if cell.role.kind is RoleKind.STEP]
        return min(numbers, default=len(self.notebook.cells) + 1)

    def gate(self) -> tuple[int, int] | None:
        """Returns cell number and line of the `%mlops gate` line."""
        for cell in self.notebook.cells:
            if cell.role.kind is not RoleKind.SKIP:
                for magic in cell.magics:
                    if magic.action is MagicAction.GATE:
                        return cell.number, magic.line
        return None

    def binding_steps(self, name: str) -> list[str]:
        """Returns the steps that bind a name, in order."""
        return [step.name for step in self.steps if name in step.effects.may_bind]


def step_title(name: str) -> str:
    """Returns how messages call a step."""
    return "the code of shared cells" if name == SETUP_STEP else f"step '{name}'"
