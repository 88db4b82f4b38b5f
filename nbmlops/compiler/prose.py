"""Markdown as plain text for docstrings and comments: paragraphs and lists, without markup."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator

from msgspec import Struct

from nbmlops.compiler.layout import plain_text

FENCE = re.compile(r"[ ]{0,3}(```|~~~)")
HEADING = re.compile(r"(#{1,6})[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*")
_ITEM = re.compile(r"[ ]{0,3}(?:[*+-]|\d{1,9}[.)])[ \t]+(?=\S)")
# What is no prose: headings, code, quotes, tables, HTML, formulas, images, rules and underlined headings.
_OTHER = re.compile(r"[ ]{0,3}(?:#{1,6}(?:\s|$)|```|~~~|>|\||<|\$\$|!\[|(?:[-*_=][ \t]*){3,}$)|[ ]{4}|\t")
_LINK = re.compile(r"!?\[([^\]]*)\]\((?:[^()]|\([^()]*\))*\)")
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_STRONG = re.compile(r"\*\*(?=\S)(.+?)(?<=\S)\*\*")  # not `__x__`, which is a name more often than not
_EMPHASIS = re.compile(
    r"(?<![\w*])\*(?=[^\s*])(.+?)(?<=[^\s*])\*(?![\w*])|(?<!\w)_(?=[^\s_])([^_]+?)(?<=[^\s_])_(?!\w)"
)
_SENTENCE_END = re.compile(r"(?<=[.!?])(?<!e\.g\.)(?<!i\.e\.)(?<!cf\.)(?<!etc\.)(?<!vs\.)\s+(?=[^a-z])")
# Comments that tools take for orders.
_ORDER = re.compile(
    r"(?:type|fmt|isort|ruff|mypy|pyright|pylint|pragma|yapf|flake8|nbmlops)\s*:|noqa\b|nosec\b|%%", re.IGNORECASE
)

MAX_BLOCKS = 4
MAX_LENGTH = 600


class Block(Struct, frozen=True):
    """A paragraph, or an item of a list."""

    text: str
    item: bool = False


def blocks(source: str) -> tuple[Block, ...]:
    """Returns the paragraphs and list items that Markdown begins with, up to anything else and to a fair length."""
    kept: list[Block] = []
    length = 0
    for block in _all_blocks(source.split("\n")):
        length += len(block.text)
        if kept and (length > MAX_LENGTH or (len(kept) >= MAX_BLOCKS and not block.item)):
            break
        kept.append(Block(_whole_sentences(block.text), block.item))
    return tuple(kept)


def _all_blocks(lines: Iterable[str]) -> Iterator[Block]:
    text: list[str] = []
    item = False
    for line in [*lines, ""]:
        new_item = _ITEM.match(line)
        other = not new_item and _OTHER.match(line) and not (item and text)
        if text and (new_item or other or not line.strip()):
            yield from _block(text, item=item)
            text = []
        if other:
            return
        if line.strip():
            item = bool(new_item) or (item and bool(text))
            text.append(line[new_item.end() :] if new_item else line)


def _block(lines: Iterable[str], *, item: bool) -> Iterator[Block]:
    text = unmarked(" ".join(lines))
    if text:
        yield Block(text, item)


def unmarked(text: str) -> str:
    """Returns a piece of Markdown as plain text: links by their texts, without emphasis and HTML tags; code stays."""
    parts = re.split(r"(`+[^`]+`+)", _LINK.sub(r"\1", text))
    for index in range(0, len(parts), 2):
        part = _STRONG.sub(r"\1", _TAG.sub("", parts[index]))
        parts[index] = _EMPHASIS.sub(lambda match: match[1] or match[2], part)
    return plain_text("".join(parts))


def sentences(text: str) -> list[str]:
    """Returns the sentences of a paragraph."""
    return _SENTENCE_END.split(text)


def _whole_sentences(text: str) -> str:
    """Returns as many sentences as a fair length has room for."""
    kept = ""
    for sentence in sentences(text):
        if len(kept) + len(sentence) >= MAX_LENGTH:
            break
        kept = f"{kept} {sentence}".strip()
    return kept or cut(text, MAX_LENGTH)


def cut(text: str, most: int) -> str:
    """Returns the text, behind its last word that fits an ellipsis if it is longer than that."""
    return text if len(text) <= most else text[:most].rsplit(" ", 1)[0] + "…"


def wrapped(parts: Iterable[Block], width: int) -> list[str]:
    """Returns the blocks as lines of at most this width, a blank line between paragraphs, items with a dash."""
    lines: list[str] = []
    was_item = False
    for block in parts:
        lines += [""] if lines and not (block.item and was_item) else []
        lead = "- " if block.item else ""
        lines += _lines(lead + block.text, width, " " * len(lead))
        was_item = block.item
    return lines


def _lines(text: str, width: int, indent: str = "") -> list[str]:
    together = re.sub(r"(?<=\d) (?=%)", "\N{NO-BREAK SPACE}", text)
    lines = textwrap.wrap(together, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines]


def comment(text: str, width: int) -> list[str]:
    """Returns the text as comment lines, or none where a tool would take one of them for an order."""
    lines = _lines(text, width - 2)
    return [] if any(map(_ORDER.match, lines)) else [f"# {line}" for line in lines]
