"""Which line of a TOML text holds a key: what `tomllib` forgets and an error message needs. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

KeyPath = tuple[str | int, ...]

_BARE_OR_QUOTED = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_DOTTED = rf"{_BARE_OR_QUOTED}(?:\s*\.\s*{_BARE_OR_QUOTED})*"
_HEADER = re.compile(rf"^\s*(\[\[?)\s*({_DOTTED})\s*\]\]?")
_ASSIGNMENT = re.compile(rf"^\s*({_DOTTED})\s*=")
_INLINE_KEY = re.compile(rf"[{{,]\s*({_DOTTED})\s*=")
_PART = re.compile(_BARE_OR_QUOTED)
_TOKENS = re.compile(r"'''|\"\"\"|\"(?:[^\"\\]|\\.)*\"|'[^']*'|#.*|[\[\]{}]")


def key_lines(text: str) -> Mapping[KeyPath, int]:
    """Returns the 1-based line of every key and table of a TOML text that `tomllib` accepts.

    Entries of an array of tables carry their index: `("gate", "rules", 0, "min")`. Keys of an inline table that stand
    in the first line of their value are found too; what lies deeper is found by its nearest key (see `line_of`).
    """
    lines: dict[KeyPath, int] = {}
    counts: dict[KeyPath, int] = {}
    table: KeyPath = ()
    for number, line in _logical_lines(text):
        if header := _HEADER.match(line):
            path = _with_indexes(_parts(header[2]), counts)
            if header[1] == "[[":
                index = counts.get(path, 0)
                counts[path] = index + 1
                lines.setdefault(path, number)
                path = (*path, index)
            table = path
            lines.setdefault(path, number)
        elif assignment := _ASSIGNMENT.match(line):
            key = (*table, *_parts(assignment[1]))
            lines.setdefault(key, number)
            for inline in _INLINE_KEY.finditer(line, assignment.end()):
                lines.setdefault((*key, *_parts(inline[1])), number)
    return lines


def line_of(lines: Mapping[KeyPath, int], path: Sequence[str | int]) -> int:
    """Returns the line of the key, or of the nearest table or key around it, or 1."""
    for length in range(len(path), 0, -1):
        if found := lines.get(tuple(path[:length])):
            return found
    return 1


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))


def _with_indexes(path: tuple[str, ...], counts: Mapping[KeyPath, int]) -> KeyPath:
    """A table under an array of tables means the array's last entry."""
    result: KeyPath = ()
    for position, part in enumerate(path):
        result = (*result, part)
        if position < len(path) - 1 and result in counts:
            result = (*result, counts[result] - 1)
    return result


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yields the lines that start a statement: those inside a multi-line string or array are left out."""
    depth = 0
    quote = ""
    for number, line in enumerate(text.splitlines(), 1):
        if not quote and depth == 0:
            yield number, line
        start = 0
        if not quote and depth == 0 and (header := _HEADER.match(line)):
            start = header.end()
        quote, depth = _scan(line[start:], quote, depth)


def _scan(line: str, quote: str, depth: int) -> tuple[str, int]:
    """Returns the open multi-line quote and the depth of brackets after the line."""
    position = 0
    while position < len(line):
        if quote:
            end = line.find(quote, position)
            if end < 0:
                return quote, depth
            position, quote = end + 3, ""
            continue
        token = _TOKENS.search(line, position)
        if token is None:
            return "", depth
        position = token.end()
        if token[0] in {"'''", '"""'}:
            quote = token[0]
        elif token[0] in "[{":
            depth += 1
        elif token[0] in "]}":
            depth -= 1
    return quote, depth
