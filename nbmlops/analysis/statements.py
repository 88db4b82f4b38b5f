"""From cells to top-level statements: where each stands, whether it is displayed, which comments belong to it.

Comes in: `Cell.python`, which is parsed here, once. Goes out: a `Unit` for each statement, to which the later passes
add what they find out; `Unit.statement()` is the frozen result.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from msgspec import Struct, field

from nbmlops.analysis.flow.idioms import class_made_by_call
from nbmlops.analysis.flow.knowledge import function_knowledge
from nbmlops.analysis.flow.record import Record
from nbmlops.analysis.model import Effects, Statement, StatementKind
from nbmlops.core.syntax import parse
from nbmlops.notebook.model import Cell, CellKind, MagicAction, RoleKind

_NOT_COMMENTS = ("# nbmlops:", "#|", "# %%", "#%%")
# Methods that give None back whatever they belong to; the second kind does so when it is told where to write.
_NONE_METHODS = frozenset({"info", "savefig", "writelines"})
# The same for the containers of Python alone: an index of pandas gives a new one back from `append`.
_NONE_OF_CONTAINERS = frozenset({
    "append", "extend", "insert", "reverse", "sort", "clear", "remove", "add", "discard", "update",
})  # fmt: skip
_NONE_IN_PLACE = frozenset({
    "drop", "drop_duplicates", "dropna", "eval", "query", "rename", "rename_axis", "reset_index", "set_index",
    "sort_index", "sort_values",
})  # fmt: skip
_WRITING_METHODS = frozenset({"to_csv", "to_parquet", "to_pickle", "to_excel", "to_feather", "to_hdf", "to_json"})
_TARGETS = frozenset({"path_or_buf", "path", "excel_writer", "fname"})
_LEAVE_NOTHING = {MagicAction.DROP, MagicAction.REQUIREMENT, MagicAction.GATE, MagicAction.REGISTER}


class Unit(Struct, eq=False):
    """A top-level statement with all that is known of it.

    Attributes:
        cell: Where it stands.
        node: Its syntax tree.
        first: Its first line, decorators included.
        comments_from: The first line of the comment block above it.
        last_of_cell: Whether nothing but comments follows in the cell, and nothing that was dropped.
        kind: What becomes of it.
        home: The step that it belongs to; code of shared cells belongs to the setup step.
        record: What the flow analysis found.
        effects: The same in the form that others read.
        shows: Whether its value is displayed.
        tells_setting: Whether that value is what a call that changes a setting gives back.
        index: Its place among the statements of the cell.
    """

    cell: Cell
    node: ast.stmt
    first: int
    comments_from: int
    last_of_cell: bool
    kind: StatementKind = StatementKind.CODE
    home: str = ""
    record: Record = field(default_factory=Record)
    effects: Effects = Effects()
    shows: bool = False
    tells_setting: bool = False
    index: int = 0
    _defines: str = ""

    def __post_init__(self) -> None:
        self._defines = _defined_name(self.node)

    def statement(self) -> Statement:
        """Returns the frozen form."""
        last = self.node.end_lineno or self.first
        return Statement(
            self.cell.number,
            self.first,
            last,
            self.comments_from,
            self.kind,
            self.effects,
            shows=self.shows,
            index=self.index,
        )

    @property
    def is_shared(self) -> bool:
        """Whether it stands above the steps: shared code, or what the parameters cell holds besides parameters."""
        kind = self.cell.role.kind
        return kind in {RoleKind.SHARED, RoleKind.SETUP} or (kind is RoleKind.PARAMETERS and bool(self.home))

    def place(self) -> tuple[int, int]:
        """Returns cell number and line, which order units as the notebook runs them."""
        return self.cell.number, self.first

    def defines(self) -> str:
        """Returns the name of the function, class or named lambda that the statement makes, or ""."""
        return self._defines


def _defined_name(node: ast.stmt) -> str:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return name
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Lambda()):
            return name
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.Lambda()):
            return name
        case _:
            return class_made_by_call(node)


def parse_cell(cell: Cell) -> list[Unit]:
    """Returns the top-level statements of a cell; none for a cell that is not code or that the reader refused."""
    if cell.kind is not CellKind.CODE or not cell.python.strip():
        return []
    try:
        tree = parse(cell.python, cell.number)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        # The reader has reported the cell (NB110); there is nothing to analyse in it.
        return []
    lines = cell.python.split("\n")
    units = []
    previous_end = 0
    for position, node in enumerate(tree.body):
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        is_last = position == len(tree.body) - 1 and not dropped_below(cell, node.end_lineno or node.lineno)
        comments = _comments_above(lines, first, previous_end)
        units.append(Unit(cell, node, first, comments, is_last, index=position))
        previous_end = node.end_lineno or node.lineno
    return units


def dropped_below(cell: Cell, line: int) -> bool:
    """Returns whether the cell ends in a line that was dropped, so that IPython displays nothing above it."""
    return any(magic.line > line and magic.action in _LEAVE_NOTHING for magic in cell.magics)


def _comments_above(lines: Sequence[str], first: int, previous_end: int) -> int:
    start = first
    while start - 1 > previous_end and lines[start - 2].startswith("#"):
        if lines[start - 2].startswith(_NOT_COMMENTS):
            break
        start -= 1
    return start


def is_displayed(unit: Unit, path: str | None, *, of_container: bool = False) -> bool:
    """Returns whether Jupyter displays the statement's value, which is not known to be None.

    Args:
        unit: The statement.
        path: The dotted path of the function that it calls.
        of_container: Whether it calls a method of a list, dict or set.
    """
    node = unit.node
    if not unit.last_of_cell or not isinstance(node, ast.Expr):
        return False
    return not _ends_in_semicolon(unit) and not _is_none(node.value, path, of_container=of_container)


def _ends_in_semicolon(unit: Unit) -> bool:
    lines = unit.cell.python.split("\n")
    line, end = (unit.node.end_lineno or 1) - 1, unit.node.end_col_offset or 0
    rest = lines[line].encode()[end:].decode()
    return rest.lstrip().startswith(";")


def _is_none(value: ast.expr, path: str | None, *, of_container: bool) -> bool:
    if isinstance(value, ast.Constant):
        return value.value is None
    if not isinstance(value, ast.Call):
        return False
    if gives_nothing_in_place(value):
        return True
    if path is not None:
        return function_knowledge(path).none
    method = value.func.attr if isinstance(value.func, ast.Attribute) else ""
    has_target = bool(value.args) or any(keyword.arg in _TARGETS for keyword in value.keywords)
    known = _NONE_METHODS | (_NONE_OF_CONTAINERS if of_container else frozenset())
    return method in known or (has_target and method in _WRITING_METHODS)


def gives_nothing_in_place(call: ast.Call) -> bool:
    """Returns whether a call is one of a method that gives None back with `inplace=True`; `fillna` gives the frame."""
    in_place = any(
        k.arg == "inplace" and isinstance(k.value, ast.Constant) and k.value.value is True for k in call.keywords
    )
    return in_place and isinstance(call.func, ast.Attribute) and call.func.attr in _NONE_IN_PLACE


def has_effect(unit: Unit) -> bool:
    """Returns whether the statement does anything at all: a docstring or `pass` of a shared cell does not."""
    node = unit.node
    if isinstance(node, ast.Pass):
        return False
    return not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)) or unit.shows
