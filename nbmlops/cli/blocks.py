"""What a command has to say, as records: renderers turn them into plain lines or into a terminal's colours.

Commands make blocks from the records of the use cases (`nbmlops.cli.render`, `nbmlops.cli.render_run`); `console`
prints them. A log of a CI system and a terminal show the same words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum

from msgspec import Struct

from nbmlops.core.diagnostics import Json

MAX_VALUE = 60


class Tone(StrEnum):
    """How a piece of text is meant; plain renderers show the words alone."""

    PLAIN = ""
    GOOD = "good"
    BAD = "bad"
    WARNING = "warning"
    DIM = "dim"
    STRONG = "strong"
    PATH = "path"


class Line(Struct, frozen=True):
    """One line, or several with the same tone."""

    text: str = ""
    tone: Tone = Tone.PLAIN


class Cell(Struct, frozen=True):
    """One cell of a table."""

    text: str
    tone: Tone = Tone.PLAIN


class Table(Struct, frozen=True):
    """A table with a title; the columns named in `right` hold numbers."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    right: frozenset[str] = frozenset()


class Tree(Struct, frozen=True):
    """Files below a folder: `/`-separated paths, each with a note such as "new" and its tone."""

    root: str
    files: tuple[tuple[str, Cell], ...]


Block = Line | Table | Tree


def cells(*texts: str) -> tuple[Cell, ...]:
    """Returns the texts as cells without a tone."""
    return tuple(Cell(text) for text in texts)


def plain(blocks: Sequence[Block]) -> str:
    """Returns the blocks as plain text, a line end after each line, tables in aligned columns."""
    lines: list[str] = []
    for block in spaced(blocks):
        match block:
            case Line():
                lines += printable(block.text).split("\n")
            case Table():
                lines += _plain_table(block)
            case Tree():
                lines += [text + (f"  ({note.text})" if note.text else "") for text, note in tree_lines(block)]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def spaced(blocks: Sequence[Block]) -> Iterator[Block]:
    """Yields the blocks with an empty line around tables and trees, so that they are seen as such."""
    previous: Block | None = None
    for block in blocks:
        if previous is not None and not (isinstance(previous, Line) and isinstance(block, Line)) and previous != Line():
            yield Line()
        yield block
        previous = block


def _plain_table(table: Table) -> list[str]:
    rows = [table.head, *(tuple(printable(cell.text, one_line=True) for cell in row) for row in table.rows)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(table.head))]
    right = [name in table.right for name in table.head]
    lines = [table.title] if table.title else []
    for row in rows:
        aligned = (
            text.rjust(width) if is_right else text.ljust(width)
            for text, width, is_right in zip(row, widths, right, strict=True)
        )
        lines.append("  " + "  ".join(aligned))
    return lines


def tree_lines(tree: Tree) -> list[tuple[str, Cell]]:
    """Returns the tree as lines with branches; folders come after the files beside them, each in the given order."""
    lines = [(printable(tree.root, one_line=True), Cell(""))]
    _branches([(path.split("/"), note) for path, note in tree.files], "", lines)
    return lines


def _branches(entries: Sequence[tuple[list[str], Cell]], indent: str, lines: list[tuple[str, Cell]]) -> None:
    groups: dict[str, list[tuple[list[str], Cell]]] = {}
    for parts, note in entries:
        groups.setdefault(parts[0] + ("/" if len(parts) > 1 else ""), []).append((parts[1:], note))
    ordered = sorted(groups, key=lambda name: name.endswith("/"))
    for name in ordered:
        last = name == ordered[-1]
        is_folder = name.endswith("/")
        note = Cell("") if is_folder else groups[name][0][1]
        lines.append((f"{indent}{'└── ' if last else '├── '}{printable(name, one_line=True)}", note))
        if is_folder:
            _branches(groups[name], indent + ("    " if last else "│   "), lines)


def printable(text: str, *, one_line: bool = False) -> str:
    """Returns the text without control characters, which would forge lines, colours or titles in a terminal or log."""
    kept = "" if one_line else "\n\t"
    return "".join(
        character if character.isprintable() or character in kept else "\N{REPLACEMENT CHARACTER}" for character in text
    )


def shown_value(value: Json) -> str:
    """Returns a parameter's value as Python writes it, shortened."""
    text = repr(value)
    return text if len(text) <= MAX_VALUE else text[: MAX_VALUE - 1] + "…"
