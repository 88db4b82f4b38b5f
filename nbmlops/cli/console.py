"""Printing: blocks to a terminal in colours or to a log in plain lines, documents as JSON, faults to stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TextIO

from nbmlops.cli.blocks import Block, Line, Table, Tone, Tree, plain, printable, spaced, tree_lines
from nbmlops.core.diagnostics import render_diagnostics
from nbmlops.core.errors import NbmlopsError, NotebookError

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text


_STYLES = {
    Tone.PLAIN: "",
    Tone.GOOD: "bold green",
    Tone.BAD: "bold red",
    Tone.WARNING: "yellow",
    Tone.DIM: "dim",
    Tone.STRONG: "bold",
    Tone.PATH: "cyan",
}


def is_terminal(stream: TextIO) -> bool:
    """Returns whether a person looks at the stream, by a terminal that can do more than print lines."""
    return stream.isatty() and os.environ.get("TERM", "") != "dumb" and not os.environ.get("CI")


def show(blocks: Iterable[Block], *, stderr: bool = False) -> None:
    """Prints the blocks to stdout (or stderr), in colours where a person looks at them and NO_COLOR is not set."""
    stream = sys.stderr if stderr else sys.stdout
    listed = tuple(blocks)
    if is_terminal(stream):
        _show_rich(listed, terminal(stream))
    else:
        stream.write(_encodable(plain(listed), stream))
        stream.flush()


def show_document(document: Mapping[str, Any]) -> None:
    """Prints the one JSON document of a command to stdout."""
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    sys.stdout.write(_encodable(text, sys.stdout) + "\n")
    sys.stdout.flush()


def show_error(error: NbmlopsError) -> None:
    """Prints a fault and its hint to stderr, with everything that stands in a notebook's way."""
    blocks = [Line(render_diagnostics(error.diagnostics) + "\n")] if isinstance(error, NotebookError) else []
    from nbmlops.runtime.redact import shown_text  # noqa: PLC0415  # only faults need it

    blocks.append(Line(f"error: {shown_text(error.message)}", Tone.BAD))
    if error.hint:
        blocks.append(Line(f"hint: {shown_text(error.hint)}"))
    show(blocks, stderr=True)


def terminal(stream: TextIO) -> Console:
    """Returns rich's console for a stream; rich itself honours NO_COLOR."""
    from rich.console import Console

    return Console(file=stream, highlight=False, emoji=False, markup=False, soft_wrap=True)


def _encodable(text: str, stream: TextIO) -> str:
    """Returns the text with what the stream's encoding cannot say replaced, so that an ASCII log is no crash."""
    encoding = stream.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def _show_rich(blocks: Sequence[Block], console: Console) -> None:
    for block in spaced(blocks):
        match block:
            case Line():
                console.print(_text(block.text, block.tone))
            case Table():
                console.print(_rich_table(block), soft_wrap=False)
            case Tree():
                for text, note in tree_lines(block):
                    line = _text(text, Tone.PLAIN)
                    if note.text:
                        line.append(f"  {printable(note.text)}", _STYLES[note.tone])
                    console.print(line)


def _text(text: str, tone: Tone) -> Text:
    from rich.text import Text

    return Text(printable(text), _STYLES[tone])


def _rich_table(table: Table) -> RenderableType:
    from rich import box
    from rich.table import Table as RichTable

    rich_table = RichTable(
        title=printable(table.title) or None,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        width=None,
        pad_edge=False,
    )
    for name in table.head:
        rich_table.add_column(name, justify="right" if name in table.right else "left", overflow="fold")
    for row in table.rows:
        rich_table.add_row(*(_text(cell.text, cell.tone) for cell in row))
    return rich_table


def stray_output() -> TextIO:
    """Returns where to what a use case prints by way of its libraries: stdout belongs to the command's own result."""
    return sys.stderr
