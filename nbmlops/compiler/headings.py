"""What Markdown cells say about steps: it becomes the docstrings of their functions, and comments between cells."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from msgspec import Struct

from nbmlops.compiler.layout import plain_text
from nbmlops.compiler.prose import FENCE, HEADING, Block, blocks, cut, sentences, unmarked
from nbmlops.notebook.model import Cell, CellKind, Notebook, RoleKind

MAX_LENGTH = 72
_FEWEST_WORDS = 4
_LONGEST_CELL = 120
_NUMBER = re.compile(r"(?:step\s+)?\d+(?:\.\d+)*\s*[.):–-]\s+|\d+(?:\.\d+)+\s+", re.IGNORECASE)


class Explanation(Struct, frozen=True):
    """What the notebook says about a step.

    Attributes:
        summary: One line: a heading or a sentence; "" where it says nothing.
        blocks: The text below it.
    """

    summary: str = ""
    blocks: tuple[Block, ...] = ()

    def short(self, step: str) -> str:
        """Returns it in one line for a table: the summary, or the first sentence where that only repeats the name."""
        if not self.repeats(step):
            return self.summary
        is_text = self.blocks and not self.blocks[0].item
        return cut(sentences(self.blocks[0].text)[0], _LONGEST_CELL) if is_text else ""

    def repeats(self, step: str) -> bool:
        """Returns whether the summary says no more than the step's name."""
        return _key(self.summary) in {"", _key(step)}


class _Section(Struct, frozen=True):
    """A heading ("" for none) and the Markdown below it."""

    heading: str
    text: str


def explanations(notebook: Notebook, cells_of_steps: Mapping[str, Sequence[int]]) -> dict[str, Explanation]:
    """Returns step name -> what the nearest heading above its first cell, else inside it, and the text below it say.

    A heading counts for the first step below it only; the notebook's title counts for none.
    """
    found: dict[str, Explanation] = {}
    starts = {numbers[0] for numbers in cells_of_steps.values() if numbers}
    for step, numbers in cells_of_steps.items():
        section = _section_of(notebook, numbers) if numbers else _Section("", "")
        shared = bool(numbers) and _next_step_cell(notebook, numbers[-1]) in starts
        found[step] = _explanation(step, section, shared=shared)
    return found


def _section_of(notebook: Notebook, numbers: Sequence[int]) -> _Section:
    above = _between(notebook, _border(notebook, numbers[0]), numbers[0])
    inside = _between(notebook, numbers[0], numbers[-1])
    sections = [section for cell in reversed(above) for section in reversed(_sections(cell, notebook.title))]
    headed = [section for section in sections if section.heading]
    headed += [
        _Section(section.heading, "")
        for cell in inside
        for section in _sections(cell, notebook.title)
        if section.heading
    ]
    return (headed or sections or [_Section("", "")])[0]


def _explanation(step: str, section: _Section, *, shared: bool) -> Explanation:
    """Returns the heading and its text; a heading that only repeats the step's name gives way to a first sentence."""
    text = blocks(section.text)
    words = plain_text(step.replace("_", " "))
    if section.heading and _key(section.heading) != _key(step):
        return Explanation(f"{section.heading}: {words}" if shared else section.heading, text)
    if text and not text[0].item:
        first, *rest = sentences(text[0].text)
        if len(first) <= MAX_LENGTH and len(first.split()) >= _FEWEST_WORDS:
            remaining = (Block(" ".join(rest)),) if rest else ()
            return Explanation(first, remaining + text[1:])
    return Explanation(section.heading or (f"{words[:1].upper()}{words[1:]}" if text else ""), text)


def _key(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()


def _next_step_cell(notebook: Notebook, number: int) -> int:
    """Returns the number of the step's cell that follows without Markdown in between, or 0."""
    for cell in notebook.cells[number:]:
        if cell.kind is CellKind.MARKDOWN:
            return 0
        if cell.role.kind is RoleKind.STEP:
            return cell.number
    return 0


def remarks(notebook: Notebook, cells_of_steps: Mapping[str, Sequence[int]]) -> dict[int, str]:
    """Returns cell number -> the heading and first sentence between it and the cell of the same step above it."""
    found: dict[int, str] = {}
    for numbers in cells_of_steps.values():
        for before, number in pairwise(numbers):
            between = _between(notebook, before, number)
            sections = [section for cell in between for section in _sections(cell, notebook.title)]
            texts = [text for section in sections[-1:] if (text := _remark(section))]
            if texts:
                found[number] = texts[0]
    return found


def _remark(section: _Section) -> str:
    text = blocks(section.text)
    first = "" if not text or text[0].item else sentences(text[0].text)[0]
    if not section.heading or not first:
        return section.heading or first
    return f"{section.heading}{'' if section.heading[-1] in '.!?…:' else '.'} {first}"


def _border(notebook: Notebook, number: int) -> int:
    """Returns the number of the last code cell above this one that belongs to the pipeline, or 0."""
    above = reversed(_between(notebook, 0, number))
    return next((cell.number for cell in above if cell.role.kind in {RoleKind.STEP, RoleKind.SETUP}), 0)


def _between(notebook: Notebook, above: int, below: int) -> tuple[Cell, ...]:
    """Returns the cells between two, whose numbers are their positions; 0 stands above the first one."""
    return notebook.cells[above : max(above, below - 1)]


def _sections(cell: Cell, title: str) -> list[_Section]:
    """Returns the parts of a Markdown cell that headings make; what stands below the notebook's title is left out."""
    if cell.kind is not CellKind.MARKDOWN:
        return []
    heading, lines = "", list[str]()
    found: list[_Section] = []
    is_title = fenced = False
    for line in [*cell.source.split("\n"), None]:
        fenced = fenced != bool(line is not None and FENCE.match(line))
        match = None if line is None or fenced else HEADING.fullmatch(line)
        if line is not None and not (match and plain_text(match[2])):
            lines.append(line)
            continue
        if not is_title and (heading or any(map(str.strip, lines))):
            found.append(_Section(heading, "\n".join(lines).strip("\n")))
        if match:
            heading, lines = clean(match[2]), []
            is_title = match[1] == "#" and heading == clean(title)
    return found


def clean(text: str) -> str:
    """Returns a heading as plain text: without markup, HTML tags and its number, cut at `MAX_LENGTH` characters."""
    text = unmarked(text).replace("`", "")
    number = _NUMBER.match(text)
    text = text[number.end() :] or text if number else text
    return cut(text, MAX_LENGTH)
