"""The user's statements as the body of a function, cell by cell, comments and formatting kept."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping, Sequence

from msgspec.structs import replace

from nbmlops.analysis.model import Statement, StatementKind
from nbmlops.compiler.cells import CellText, Line, own, tidy
from nbmlops.compiler.shows import is_silent, may_plot, shows_figures, wrapped


def units_of(text: CellText, statements: Sequence[Statement]) -> list[int]:
    """Returns the indices of the cell's statements that these records stand for, in order."""
    return sorted({statement.index for statement in statements if statement.cell == text.number})


def nodes_of(cells: Mapping[int, CellText], statements: Sequence[Statement]) -> list[ast.stmt]:
    """Returns the trees of the statements, cell by cell in the order of their first mention."""
    found: list[ast.stmt] = []
    for number in dict.fromkeys(statement.cell for statement in statements):
        text = cells[number]
        found += [text.units[index].node for index in units_of(text, statements)]
    return found


def definition_lines(text: CellText, statement: Statement) -> list[Line]:
    """Returns the lines of a definition with the comments above it, without what else stands in its lines."""
    lines, comment = text.statement(statement.index)
    above = [text.line(number) for number in range(statement.comments_from, statement.first)]
    return [*above, *lines[:-1], replace(lines[-1], text=lines[-1].text + comment)]


def cell_body(
    text: CellText, kept: Sequence[int], shown: Collection[int], plotting: Collection[str], show: str
) -> list[Line]:
    """Returns the lines of a cell inside a function: its kept statements, their comments, and what it shows.

    A comment belongs to the statement below it and goes where that goes; below the last one it belongs to that.

    Args:
        text: The cell.
        kept: Indices of the statements that run here.
        shown: Indices of those whose value is displayed.
        plotting: Names behind which plotting stands.
        show: The name of the function that shows.
    """
    lines: list[Line] = []
    for index in range(len(text.units)):
        if index in kept:
            lines += text.gap(index) + _statement(text, index, show if index in shown else "")
        elif _introduces_next(text, index, kept):
            lines += text.gap(index)
    if not text.units or len(text.units) - 1 in kept:
        lines += text.gap(len(text.units))
    lines = tidy(lines)
    nodes = [text.units[index].node for index in kept]
    flushed = nodes and (shows_figures(nodes[-1]) or _is_wrapped(text, kept[-1], shown))
    if nodes and not flushed and may_plot(nodes, plotting):
        lines += own(f"{show}()")
    return lines


def _is_wrapped(text: CellText, index: int, shown: Collection[int]) -> bool:
    return index in shown and not is_silent(text.units[index].node)


def _statement(text: CellText, index: int, show: str) -> list[Line]:
    lines, comment = text.statement(index)
    if show and not is_silent(text.units[index].node):
        return wrapped(text.units[index], lines, comment, show)
    return [*lines[:-1], replace(lines[-1], text=lines[-1].text + comment)]


def _introduces_next(text: CellText, index: int, kept: Sequence[int]) -> bool:
    """Returns whether the comment above an import speaks of the code that follows without a blank line."""
    following = index
    while following < len(text.units) and isinstance(text.units[following].node, ast.Import | ast.ImportFrom):
        if following + 1 < len(text.units) and text.gap(following + 1):
            return False
        following += 1
    return following != index and following in kept


def shown_units(text: CellText, statements: Sequence[Statement]) -> set[int]:
    """Returns the index of the cell's last statement if its value is displayed."""
    shows = any(s.shows and s.cell == text.number and s.kind is StatementKind.CODE for s in statements)
    return {len(text.units) - 1} if shows else set()
