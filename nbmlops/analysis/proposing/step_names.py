"""Names for proposed steps: readable, valid, each once; and the headings that they come from."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Sequence

from msgspec import Struct

from nbmlops.analysis.model import SETUP_STEP
from nbmlops.notebook.model import Cell, CellKind
from nbmlops.notebook.names import skeleton, step_name_fault

LOWEST = 3
"""Headings below this level say nothing of steps."""

_MOST_WORDS = 5
_FEW_WORDS = 4
_LONGEST = 40
_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*")
_HTML_HEADING = re.compile(r"<h([1-6])\b[^>]*>(.*?)</h\1\s*>", re.IGNORECASE | re.DOTALL)
_FENCE = re.compile(r" {0,3}(```|~~~)")
_IMAGE = re.compile(r"!\[[^\]]*\]\([^)]*\)")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_NUMBER = re.compile(
    r"\s*(?:(?:step|part|section|chapter|task|exercise)\s+)?(?:\d{1,2}(?:\.\d+)*|[ivx]+(?=[.):]))\s*[.):–—-]*\s+",
    re.IGNORECASE,
)
_LITTLE_WORDS = frozenset({"the", "a", "an", "of", "our", "some", "and", "for", "to", "in", "with", "on", "by", "from"})
_COMMENT = re.compile(r"#+\s*([^\W\d].*)")


class Heading(Struct, frozen=True):
    """A heading of a Markdown cell, its text without markup and number."""

    cell: int
    level: int
    text: str


def headings_of(cell: Cell) -> list[Heading]:
    """Returns the headings of a Markdown cell, in order; none for another cell."""
    if cell.kind is not CellKind.MARKDOWN:
        return []
    found: list[Heading] = []
    fenced = False
    for line in cell.source.split("\n"):
        fenced ^= bool(_FENCE.match(line))
        if fenced:
            continue
        if match := _HEADING.fullmatch(line):
            found.append(Heading(cell.number, len(match[1]), plain_heading(match[2])))
        elif match := _HTML_HEADING.search(line):
            found.append(Heading(cell.number, int(match[1]), plain_heading(match[2])))
    return [heading for heading in found if heading.text]


def plain_heading(text: str) -> str:
    """Returns a heading as plain text: without markup, HTML and its number."""
    text = html.unescape(re.sub(r"<[^>]*>", " ", _LINK.sub(r"\1", _IMAGE.sub("", text))))
    text = re.sub(r"[*`~$\\]|\b_+|_+\b", "", text)
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split()).rstrip(" :.…")
    number = _NUMBER.match(text)
    return (text[number.end() :] or text) if number else text


def name_from_text(text: str) -> str:
    """Returns a step's name made of a short heading or comment; "" where it is too long, or has no letters."""
    words = _words(text)
    if len(words) > _MOST_WORDS:
        words = [word for word in words if word not in _LITTLE_WORDS]
    name = "_".join(words)
    if not words or len(words) > _MOST_WORDS or len(name) > _LONGEST:
        return ""
    return "" if step_name_fault(name) else name


def first_words(cell: Cell) -> str:
    """Returns a step's name made of the comment that a cell begins with, "" where there is none that is fit."""
    line = next((line for line in cell.python.split("\n") if line.strip()), "")
    comment = _COMMENT.fullmatch(line.strip())
    is_ours = comment and comment[1].lower().startswith("nbmlops")
    return name_from_text(comment[1].rstrip(" :.…")) if comment and not is_ours else ""


def unique(names: Sequence[str]) -> list[str]:
    """Returns the names with a number behind those that stand, or look as one that stands, further up."""
    seen: set[str] = set()
    found = []
    for name in names:
        # The step that shared code makes has a name of its own.
        plain = f"{name}_step" if name == SETUP_STEP else name
        candidate, number = plain, 2
        while skeleton(candidate).lower() in seen:
            candidate, number = f"{plain}_{number}", number + 1
        seen.add(skeleton(candidate).lower())
        found.append(candidate)
    return found


def shortened(text: str) -> str:
    """Returns a step's name made of the first words of a long heading, "" where it has none that are fit."""
    kept = [word for word in _words(text) if word not in _LITTLE_WORDS][:_FEW_WORDS]
    while kept and len("_".join(kept)) > _LONGEST:
        kept.pop()
    name = "_".join(kept)
    return "" if not name or step_name_fault(name) else name


def _words(text: str) -> list[str]:
    """Returns the words of a text in lower case, without those at its beginning that no name can begin with."""
    words = re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", text).lower().replace("'", ""))
    first = next((position for position, word in enumerate(words) if not word[0].isdigit()), len(words))
    return words[first:]
