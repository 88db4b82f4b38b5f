"""Places in JSON text: where members of objects and items of arrays stand. For text that is known to be valid JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

_BLANK = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


class Member(Struct, frozen=True):
    """A member of a JSON object: its key, where the key begins and ends, and where its value begins and ends."""

    key: str
    at: int
    colon: int
    start: int
    end: int


def root_of(text: str) -> int:
    """Returns where the document begins, behind a byte order mark and blanks."""
    return _blank(text, 1 if text.startswith("\ufeff") else 0)


def members_of(text: str, begin: int) -> Iterator[Member]:
    """Yields the members of the object that begins at a place."""
    at = _blank(text, begin + 1)
    while text[at] != "}":
        key, colon = _DECODER.raw_decode(text, at)
        start = _blank(text, _blank(text, colon) + 1)
        end = _value_end(text, start)
        yield Member(key, at, colon, start, end)
        at = _blank(text, end)
        at = _blank(text, at + 1) if text[at] == "," else at


def items_of(text: str, begin: int) -> list[int]:
    """Returns where the items of the array that begins at a place begin."""
    found = []
    at = _blank(text, begin + 1)
    while text[at] != "]":
        found.append(at)
        at = _blank(text, _value_end(text, at))
        at = _blank(text, at + 1) if text[at] == "," else at
    return found


def last_of(members: Iterable[Member], key: str) -> Member | None:
    """Returns the member of that key; the last one, which counts in JSON, if there are several."""
    found = None
    for member in members:
        found = member if member.key == key else found
    return found


def _blank(text: str, at: int) -> int:
    """Returns the place behind the blank that begins here."""
    match = _BLANK.match(text, at)
    assert match is not None  # it matches nothing, too
    return match.end()


def _value_end(text: str, at: int) -> int:
    return _DECODER.raw_decode(text, at)[1]
