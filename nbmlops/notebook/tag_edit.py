"""Writes tags into the bytes of an `.ipynb` file and changes nothing else: indentation, order of keys, outputs stay.

The text is not parsed and written again, but edited at the places where tags stand: other tools write notebooks with
other indentation, order of keys and escapes, and a change of tags must not look like a change of everything.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from msgspec import Struct

from nbmlops.core.errors import UsageError
from nbmlops.notebook.json_text import Member, items_of, last_of, members_of, root_of


class _Edit(Struct, frozen=True):
    """A part of the text that is replaced."""

    start: int
    end: int
    text: str


def write_tags(data: bytes, tags: Mapping[int, Sequence[str]], path: str) -> bytes:
    """Returns the bytes of the notebook with other tags.

    Args:
        data: The whole file, which the reader can read.
        tags: Cell number (1-based) -> all tags of that cell; other cells keep theirs.
        path: The file's name, for messages.

    Raises:
        UsageError: the file has the format of an older version, whose cells stand elsewhere.
    """
    text = data.decode("utf-8")
    cells = last_of(members_of(text, root_of(text)), "cells")
    if cells is None:
        raise UsageError(f"{path} has an old notebook format, whose cells have no tags", "save it in Jupyter once")
    starts = items_of(text, cells.start)
    writer = _Writer(text)
    edits = [writer.edit(starts[number - 1], wanted) for number, wanted in tags.items()]
    for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text.encode("utf-8")


class _Writer:
    """Makes edits in the way in which the file is written."""

    def __init__(self, text: str) -> None:
        self._text = text
        first = re.match(r"\ufeff?[ \t\r\n]*\{(\r?\n)([ \t]*)", text)
        self._line_end = first[1] if first else "\n"
        self._step = first[2] if first else ""
        self._escapes = text.isascii() and re.search(r"\\u(?!00[01])[0-9a-fA-F]{4}", text) is not None

    def edit(self, cell: int, tags: Sequence[str]) -> _Edit:
        """Returns the edit that gives the cell, which begins at this place, all these tags."""
        members = list(members_of(self._text, cell))
        metadata = last_of(members, "metadata")
        if metadata is None:
            return self._added(members, "metadata", {"tags": list(tags)}, self._gap(members[0].at))
        gap, colon = self._gap(metadata.at), self._colon(metadata)
        if self._text[metadata.start] != "{":
            return _Edit(metadata.start, metadata.end, self._value({"tags": list(tags)}, gap, colon))
        inside = list(members_of(self._text, metadata.start))
        old = last_of(inside, "tags")
        if old is not None:
            is_long = "\n" in self._text[old.start : old.end] or self._text[old.start : old.end] == "[]"
            return _Edit(old.start, old.end, self._value(list(tags), self._gap(old.at) if is_long else "", colon))
        if not inside:
            return _Edit(metadata.start, metadata.end, self._value({"tags": list(tags)}, gap, colon))
        return self._added(inside, "tags", list(tags), self._gap(inside[0].at))

    def _added(self, members: Sequence[Member], key: str, value: object, gap: str) -> _Edit:
        """Returns the edit that adds a member to an object that has some: in the order of keys, if they have one."""
        colon = self._colon(members[0])
        added = json.dumps(key) + colon + self._value(value, gap, colon)
        keys = [member.key for member in members]
        before = [member for member in members if keys != sorted(keys) or member.key < key]
        if not before:
            return _Edit(members[0].at, members[0].at, f"{added},{gap or self._space(colon)}")
        end = before[-1].end
        return _Edit(end, end, f",{gap or self._space(colon)}{added}")

    def _value(self, value: object, gap: str, colon: str) -> str:
        """Returns JSON text; over several lines if the blank before its key breaks the line."""
        if "\n" not in gap:
            separators = ("," if self._space(colon) == "" else ", ", colon)
            return json.dumps(value, ensure_ascii=self._escapes, separators=separators)
        indent = gap.rpartition("\n")[2]
        lines = json.dumps(value, ensure_ascii=self._escapes, indent=self._step, separators=(",", colon)).split("\n")
        return f"{self._line_end}{indent}".join(lines)

    def _gap(self, at: int) -> str:
        """Returns the blank before a key."""
        start = at
        while self._text[start - 1] in " \t\r\n":
            start -= 1
        return self._text[start:at]

    def _colon(self, member: Member) -> str:
        return self._text[member.colon : member.start]

    @staticmethod
    def _space(colon: str) -> str:
        return " " if colon.endswith(" ") else ""
