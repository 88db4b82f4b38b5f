"""A cell's Python text, cut at its statements: what the emitters copy verbatim.

Lines keep the number of the cell line that they came from, so that a traceback can point home. A line that begins
inside a string is marked: indenting it would change the string.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from nbmlops.core.syntax import children, kinds, parse, walk
from nbmlops.notebook.model import Cell, Notebook

INDENT = "    "
_DIRECTIVE = re.compile(r"#\s*nbmlops\s*:")


class Line(Struct, frozen=True):
    """One line of a generated file; `cell` is 0 for lines of our own. `fixed` lines begin inside a string."""

    text: str
    cell: int = 0
    cell_line: int = 0
    fixed: bool = False


class Unit(Struct, frozen=True):
    """A top-level statement: its tree, and its place in characters (lines from 1, columns from 0, with decorators)."""

    node: ast.stmt
    first: int
    col: int
    last: int
    end_col: int


class CellText(Struct, frozen=True):
    """A cell ready to be cut. `lines` hold the Python with scope statements already adapted, see `function_text`."""

    number: int
    lines: tuple[str, ...]
    units: tuple[Unit, ...]
    fixed: frozenset[int]

    def gap(self, index: int) -> list[Line]:
        """Returns the comment and blank lines between the statement of this index and the one before it."""
        start = self.units[index - 1].last + 1 if index else 1
        end = self.units[index].first if index < len(self.units) else len(self.lines) + 1
        return [self.line(number) for number in range(start, end) if not _is_directive(number, self.lines)]

    def line(self, number: int) -> Line:
        """Returns one line with its origin."""
        text = self.lines[number - 1]
        fixed = number in self.fixed
        return Line(text if fixed or text.strip() else "", self.number, number, fixed)

    def statement(self, index: int) -> tuple[list[Line], str]:
        """Returns the lines of a statement without what follows it, and the comment behind it, its spaces included."""
        unit = self.units[index]
        lines = [self.line(number) for number in range(unit.first, unit.last + 1)]
        lines[-1] = replace(lines[-1], text=lines[-1].text[: unit.end_col])
        lines[0] = replace(lines[0], text=lines[0].text[unit.col :])
        is_last_here = index + 1 == len(self.units) or self.units[index + 1].first > unit.last
        rest = self.lines[unit.last - 1][unit.end_col :] if is_last_here else ""
        comment = rest.lstrip("; \t").rstrip()
        if not comment:
            return lines, ""
        between = rest[: len(rest) - len(rest.lstrip("; \t"))].replace(";", "")
        return lines, (between if len(between) > 1 else "  ") + comment

    def comments_above(self, index: int) -> list[Line]:
        """Returns the block of comment lines that stands directly above the statement of this index."""
        block: list[Line] = []
        for line in reversed(self.gap(index)):
            if not line.text.lstrip().startswith("#"):
                break
            block.insert(0, line)
        return block


def _is_directive(number: int, lines: Sequence[str]) -> bool:
    return bool(_DIRECTIVE.match(lines[number - 1])) and not any(line.strip() for line in lines[: number - 1])


def read_cell(cell: Cell) -> CellText:
    """Returns the text of a code cell, cut at its statements.

    Raises:
        SyntaxError: the cell is not Python; analysis has reported that before.
    """
    lines = tuple(cell.python.split("\n"))
    tree = parse(cell.python, cell.number)
    fixed = _lines_inside_strings(lines) if _has_long_string(tree) else frozenset[int]()
    return CellText(cell.number, lines, tuple(_unit(node, lines) for node in tree.body), fixed)


def read_cells(notebook: Notebook) -> dict[int, CellText]:
    """Returns number -> text of the notebook's code cells that have a part in the pipeline.

    Raises:
        SyntaxError: a cell is not Python; analysis has reported that before.
    """
    return {cell.number: read_cell(cell) for cell in notebook.cells if cell.python.strip()}


def _unit(node: ast.stmt, lines: Sequence[str]) -> Unit:
    first, start = node.lineno, node.col_offset
    decorators = getattr(node, "decorator_list", [])
    if decorators:
        first, start = decorators[0].lineno, 0
    last, end = node.end_lineno or node.lineno, node.end_col_offset or 0
    return Unit(node, first, characters(lines[first - 1], start), last, characters(lines[last - 1], end))


def characters(line: str, offset: int) -> int:
    """Returns the column in characters of an offset in UTF-8 bytes, which is what syntax trees count in."""
    return offset if line.isascii() else len(line.encode()[:offset].decode())


def _has_long_string(tree: ast.Module) -> bool:
    """Returns whether a string may go on in another line."""
    texts = (node for node in walk(tree) if isinstance(node, ast.Constant | ast.JoinedStr))
    return any(text.lineno != text.end_lineno for text in texts)


def _lines_inside_strings(lines: Sequence[str]) -> frozenset[int]:
    found: set[int] = set()
    starts: list[int] = []
    readline = io.StringIO("\n".join(lines) + "\n").readline
    for token in tokenize.generate_tokens(readline):
        name = tokenize.tok_name[token.type]
        if name.endswith("STRING_START"):  # Python 3.12 and later cut f-strings into parts
            starts.append(token.start[0])
        elif name.endswith("STRING_END"):
            found.update(range(starts.pop() + 1, token.end[0] + 1))
        elif token.type == tokenize.STRING:
            found.update(range(token.start[0] + 1, token.end[0] + 1))
    return frozenset(found)


def indent(lines: Iterable[Line], by: str = INDENT) -> list[Line]:
    """Returns the lines moved to the right, except blank ones and those that begin inside a string."""
    return [line if line.fixed or not line.text else replace(line, text=by + line.text) for line in lines]


def tidy(lines: Iterable[Line], most: int = 1) -> list[Line]:
    """Returns the lines without blank ones at both ends and with at most `most` of them in a row in between."""
    kept: list[Line] = []
    blank = 0
    for line in lines:
        blank = 0 if line.fixed or line.text.strip() else blank + 1
        if blank <= most and (kept or not blank):
            kept.append(line)
    while kept and not kept[-1].fixed and not kept[-1].text.strip():
        kept.pop()
    return kept


def own(*texts: str) -> list[Line]:
    """Returns lines of our own making, without an origin."""
    return [Line(text) for text in texts]


def function_text(text: CellText) -> CellText:
    """Returns the cell as it must read inside a function: a name that code binds by `global` belongs to that function.

    `global x` in a definition becomes `nonlocal x`; outside of definitions it says nothing and becomes `pass`.
    """
    declaring = [unit.node for unit in text.units if ast.Global in kinds(unit.node)]
    edits = [edit for node in declaring for edit in _scope_edits(node, inside=False)]
    if not edits:
        return text
    lines = list(text.lines)
    for node, word in sorted(edits, key=lambda edit: (edit[0].lineno, edit[0].col_offset), reverse=True):
        line = lines[node.lineno - 1]
        start = characters(line, node.col_offset)
        end = start + len("global") if word == "nonlocal" else characters(line, node.end_col_offset or 0)
        lines[node.lineno - 1] = line[:start] + word + line[end:]
    changed = tuple(lines)
    tree = ast.parse("\n".join(changed))
    return replace(text, lines=changed, units=tuple(_unit(node, changed) for node in tree.body))


def _scope_edits(node: ast.AST, *, inside: bool) -> Iterable[tuple[ast.Global, str]]:
    if isinstance(node, ast.Global):
        yield node, "nonlocal" if inside else "pass"
    inside = inside or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    for child in children(node):
        yield from _scope_edits(child, inside=inside)
