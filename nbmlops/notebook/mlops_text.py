"""Cuts a `%mlops` line into its first word, its expression and its options, without touching quotes and brackets."""

from __future__ import annotations

import re

from msgspec import Struct

_OPTION = re.compile(r"--([A-Za-z][\w-]*)(?==|\s|$)")
# Elsewhere `-o` may be arithmetic: `%mlops metric loss total -o` has an expression there, these have none.
_OPTION_OR_SHORT = {
    "compile": re.compile(_OPTION.pattern + r"|-(o)(?=\s|$)"),
    "run": re.compile(_OPTION.pattern + r"|-(p)(?=\s|$)"),
}
_OPENING, _CLOSING = "([{", ")]}"


class LineParts(Struct, frozen=True):
    """The parts of a line: `word head --name value …`; `options` in the order of the line."""

    word: str
    head: str
    options: tuple[tuple[str, str], ...]


def split_line(text: str) -> LineParts:
    """Returns the parts of what follows `%mlops`; a comment at the end is left out."""
    starts, end = _boundaries(text)
    cuts = [start for start, _, _ in starts] + [end]
    word, _, head = text[: cuts[0]].strip().partition(" ")
    options = [
        (name, text[value_start:following].strip().removeprefix("=").strip())
        for (_, value_start, name), following in zip(starts, cuts[1:], strict=True)
    ]
    return LineParts(word, head.strip(), tuple(options))


def _boundaries(text: str) -> tuple[list[tuple[int, int, str]], int]:
    """Returns where options start (start, start of the value, name) and where the line or its comment ends."""
    option = _OPTION_OR_SHORT.get(text.split(None, 1)[0], _OPTION) if text.strip() else _OPTION
    starts: list[tuple[int, int, str]] = []
    depth, position, quote = 0, 0, ""
    while position < len(text):
        character = text[position]
        if quote:
            quote, position = _inside_quote(text, position, quote)
            continue
        at_word = position == 0 or text[position - 1].isspace()
        if character in "'\"":
            quote = text[position : position + 3] if text[position : position + 3] == character * 3 else character
            position += len(quote) - 1
        elif character in _OPENING:
            depth += 1
        elif character in _CLOSING:
            depth -= 1
        elif depth <= 0 and at_word and character == "#":
            return starts, position
        elif depth <= 0 and at_word and (found := option.match(text, position)):
            starts.append((position, found.end(), found.group(found.lastindex or 1)))
        position += 1
    return starts, len(text)


def _inside_quote(text: str, position: int, quote: str) -> tuple[str, int]:
    if text[position] == "\\":
        return quote, position + 2
    if text.startswith(quote, position):
        return "", position + len(quote)
    return quote, position + 1
