"""Where the lines of cells stand in the file: programs that show a notebook's text count its lines, not its cells."""

from __future__ import annotations

import json
from bisect import bisect_right

from nbmlops.notebook.json_text import items_of, last_of, members_of, root_of


def file_lines(data: bytes) -> list[list[int]]:
    """Returns for each cell the lines (1-based) of the file on which the lines of its source stand.

    A cell whose source is one string has it on a single line; one without source has none. A file of an older format
    has no cells at this place.

    Args:
        data: The whole file, which the reader can read.
    """
    text = data.decode("utf-8")
    cells = last_of(members_of(text, root_of(text)), "cells")
    if cells is None:
        return []
    starts = [0, *(position + 1 for position, character in enumerate(text) if character == "\n")]
    return [_lines_of(text, cell, starts) for cell in items_of(text, cells.start)]


def _lines_of(text: str, cell: int, starts: list[int]) -> list[int]:
    source = last_of(members_of(text, cell), "source")
    if source is None:
        return []
    if text[source.start] != "[":
        return [bisect_right(starts, source.start)]
    found = []
    for place in items_of(text, source.start):
        part: str = json.JSONDecoder().raw_decode(text, place)[0]
        found += [bisect_right(starts, place)] * (part.count("\n") + (not part.endswith("\n")))
    return found
