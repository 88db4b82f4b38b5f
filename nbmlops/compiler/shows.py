"""Where Jupyter would show something: which cells end in a value to display, and which may leave a figure open."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Mapping

from msgspec.structs import replace

from nbmlops.analysis.model import Definition, ImportedName
from nbmlops.analysis.statements import gives_nothing_in_place
from nbmlops.compiler.cells import INDENT, CellText, Line, Unit, indent
from nbmlops.core.syntax import find

_PLOTTING_PACKAGES = frozenset({"matplotlib", "seaborn", "mpl_toolkits", "plotnine", "wordcloud", "missingno", "shap"})
_PLOTTING_NAME = re.compile(r"(?:^|_)(?:plot|hist|hist2d|boxplot|scatter_matrix|imshow)(?:$|_)|plot$")
_PLOTTING_METHODS = frozenset({"from_estimator", "from_predictions", "subplots", "plot", "hist", "boxplot"})
_SAYS_NOTHING = frozenset({"print", "display"})
# Methods of matplotlib and pandas that return None. One that is missing here is shown, and shows nothing.
_SAYS_NOTHING_METHODS = frozenset(
    {
        "autofmt_xdate", "grid", "info", "invert_xaxis", "invert_yaxis", "savefig", "set_axis_off", "set_axis_on",
        "set_size_inches", "show", "subplots_adjust", "tight_layout",
    }
)  # fmt: skip


def is_silent(node: ast.stmt) -> bool:
    """Returns whether the expression is known to give None, which nobody displays."""
    value = node.value if isinstance(node, ast.Expr) else None
    if isinstance(value, ast.Constant) and value.value is None:
        return True
    if not isinstance(value, ast.Call):
        return False
    match value.func:
        case ast.Name(id=name):
            return name in _SAYS_NOTHING
        case ast.Attribute(attr=method):
            return method in _SAYS_NOTHING_METHODS or shows_figures(node) or gives_nothing_in_place(value)
        case _:
            return False


def shows_figures(node: ast.stmt) -> bool:
    """Returns whether the statement is `plt.show()`, after which no figure is left."""
    return isinstance(node, ast.Expr) and ast.unparse(node) == "plt.show()"


def plotting_names(
    imports: Iterable[ImportedName], definitions: Mapping[str, Definition], cells: Mapping[int, CellText]
) -> frozenset[str]:
    """Returns the names of the notebook behind which plotting stands: libraries, and functions that use them."""
    found = {
        imported.name
        for imported in imports
        if imported.module.partition(".")[0] in _PLOTTING_PACKAGES or _PLOTTING_NAME.search(imported.attribute)
    }
    bodies = {name: _definition_nodes(definition, cells) for name, definition in definitions.items()}
    grown = True
    while grown:
        more = {name for name, nodes in bodies.items() if name not in found and may_plot(nodes, found)}
        found |= more
        grown = bool(more)
    return frozenset(found)


def _definition_nodes(definition: Definition, cells: Mapping[int, CellText]) -> list[ast.stmt]:
    statement = definition.statement
    return [unit.node for unit in cells[statement.cell].units if statement.first <= unit.first <= statement.last]


def may_plot(nodes: Iterable[ast.AST], names: Collection[str]) -> bool:
    """Returns whether the code mentions a plotting name or a method that draws."""
    for node in nodes:
        if any(name.id in names for name in find(node, ast.Name)):
            return True
        methods = {part.attr for part in find(node, ast.Attribute)}
        if methods & _PLOTTING_METHODS or any(map(_PLOTTING_NAME.search, methods)):
            return True
    return False


def wrapped(unit: Unit, lines: list[Line], comment: str, function: str) -> list[Line]:
    """Returns the lines of an expression statement as the argument of a call, its comment behind it."""
    first, last = lines[0], lines[-1]
    if _is_parenthesised(unit):
        # Text behind the bracket was aligned with it, and moves to the right with it.
        rest = indent(lines[1:], " " * len(function)) if first.text.strip() != "(" else lines[1:]
        both = [replace(first, text=function + first.text), *rest]
        return [*both[:-1], replace(both[-1], text=both[-1].text + comment)]
    before, after = ("((", "))") if _would_fall_apart(lines) else ("(", ")")
    if len(lines) == 1:
        return [replace(first, text=f"{function}{before}{first.text}{after}{comment}")]
    return [
        Line(function + before, first.cell, first.cell_line),
        *indent(lines, INDENT),
        Line(after + comment, last.cell, last.cell_line),
    ]


def _is_parenthesised(unit: Unit) -> bool:
    value = unit.node.value if isinstance(unit.node, ast.Expr) else unit.node
    return (value.lineno, value.col_offset) > (unit.node.lineno, unit.node.col_offset)


def _would_fall_apart(lines: list[Line]) -> bool:
    """Returns whether the text would be several arguments: it is a tuple without brackets of its own."""
    text = "\n".join(line.text for line in lines)
    call = ast.parse(f"f({text})", mode="eval").body
    return isinstance(ast.parse(f"({text})", mode="eval").body, ast.Tuple) and not (
        isinstance(call, ast.Call) and [type(argument) for argument in call.args] == [ast.Tuple]
    )
