"""What Markdown cells say about steps: the nearest heading above a step's first cell becomes its summary."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from nbmlops.compiler.layout import plain_text
from nbmlops.notebook.model import Cell, CellKind, Notebook, RoleKind

MAX_LENGTH = 72
_HEADING = re.compile(r"(#{1,6})[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*")
_FENCE = re.compile(r"[ ]{0,3}(```|~~~)")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_NUMBER = re.compile(r"(?:step\s+)?\d+(?:\.\d+)*\s*[.):–-]\s+|\d+(?:\.\d+)+\s+", re.IGNORECASE)


def summaries(notebook: Notebook, cells_of_steps: Mapping[str, Sequence[int]]) -> dict[str, str]:
    """Returns step name -> the nearest heading above its first cell, else inside it, or "" where there is none.

    A heading counts for the first step below it only; the notebook's title counts for none.
    """
    by_number = {cell.number: cell for cell in notebook.cells}
    found: dict[str, str] = {}
    for step, numbers in cells_of_steps.items():
        found[step] = ""
        if numbers:
            above = [cell for cell in notebook.cells if _border(notebook, numbers[0]) < cell.number < numbers[0]]
            inside = [cell for cell in notebook.cells if numbers[0] < cell.number < numbers[-1]]
            texts = [heading for cell in reversed(above) for heading in reversed(_headings(cell, notebook.title))]
            texts += [heading for cell in inside for heading in _headings(by_number[cell.number], notebook.title)]
            found[step] = texts[0] if texts else ""
    return found


def _border(notebook: Notebook, number: int) -> int:
    """Returns the number of the last code cell above this one that belongs to the pipeline, or 0."""
    roles = {RoleKind.STEP, RoleKind.SETUP}
    return max((c.number for c in notebook.cells if c.number < number and c.role.kind in roles), default=0)


def _headings(cell: Cell, title: str) -> list[str]:
    if cell.kind is not CellKind.MARKDOWN:
        return []
    found: list[str] = []
    fenced = False
    for line in cell.source.split("\n"):
        if _FENCE.match(line):
            fenced = not fenced
        match = None if fenced else _HEADING.fullmatch(line)
        if match and plain_text(match[2]) and not (match[1] == "#" and clean(match[2]) == clean(title)):
            found.append(clean(match[2]))
    return [text for text in found if text]


def clean(text: str) -> str:
    """Returns a heading as plain text: without markup, HTML tags and its number, cut at `MAX_LENGTH` characters."""
    text = _TAG.sub("", _LINK.sub(r"\1", text))
    text = plain_text(re.sub(r"\*+|`|~~", "", text))
    number = _NUMBER.match(text)
    text = text[number.end() :] or text if number else text
    if len(text) > MAX_LENGTH:
        text = text[:MAX_LENGTH].rsplit(" ", 1)[0] + "…"
    return text
