"""The named parts of a frame's fingerprint, which tell what kind of change there was.

`schema` covers names and types, `index` the labels of the rows, `data` the values, `any_order` the same rows in
whatever order. The last three know values alone, so a column that becomes `int32`, a category or another time zone
changes only the schema. All of them come from one pass over the cells, in blocks that stay in the processor's cache.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

import xxhash
from msgspec import Struct

from nbmlops.data.fingerprints import mixing
from nbmlops.data.fingerprints.cells import Reader

FORMAT = b"nbmlops-parts/1"
BLOCK_ROWS = 1 << 14


class FrameParts(Struct, frozen=True):
    """The parts, 32 hex digits each.

    Attributes:
        schema: Class, names and types of the columns, categories, names and types of the index.
        index: Labels of the rows; "" for a frame without an index.
        data: Values of the columns, in order; neither names nor types.
        any_order: The rows as a multiset: equal whatever order they are in.
    """

    schema: str
    index: str
    data: str
    any_order: str

    def to_json(self) -> dict[str, str]:
        """Returns the parts by name; one that a frame lacks is left out."""
        named = {"schema": self.schema, "index": self.index, "data": self.data, "any_order": self.any_order}
        return {name: digest for name, digest in named.items() if digest}


class ValueDigests(Struct, frozen=True):
    """What one pass over the cells gives: of all values in order, of the rows in any order, of each column."""

    data: str
    any_order: str
    columns: tuple[str, ...]


def value_digests(columns: Sequence[Reader], rows: int) -> ValueDigests:
    """Returns the digests of the values of a table.

    Args:
        columns: How the cells of each column are read.
        rows: How many rows there are.

    Raises:
        CannotFingerprint: a cell has no content that could be digested.
    """
    import numpy as np

    hashers = [xxhash.xxh3_128() for _ in columns]
    sums = [0, 0]
    for start in range(0, rows, BLOCK_ROWS):
        stop = min(start + BLOCK_ROWS, rows)
        block = np.zeros(stop - start, dtype=np.uint64)
        for hasher, read in zip(hashers, columns, strict=True):
            cells = read(start, stop)
            hasher.update(np.ascontiguousarray(cells, dtype="<u8").data)
            block *= mixing.ODD
            block += cells
        for number, seed in enumerate((0, mixing.OTHER)):
            block = mixing.seeded(block, seed)
            sums[number] = (sums[number] + int(block.sum())) % 2**64
    found = tuple(hasher.hexdigest() for hasher in hashers)
    size = FORMAT + struct.pack("<2Q", rows, len(columns))
    return ValueDigests(
        data=xxhash.xxh3_128_hexdigest(size + b"data" + bytes.fromhex("".join(found))),
        any_order=xxhash.xxh3_128_hexdigest(size + b"rows" + struct.pack("<2Q", *sums)),
        columns=found,
    )


def kinds_of_change(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """Returns what changed between two versions of a frame: "schema", "index", "data", "order", or "storage".

    "order" stands alone for "data" where the rows are the same ones; "storage" where all parts are equal, so that only
    what Python's `==` does not see can differ: 1 and True, None and NaN in cells of objects, 0.0 and -0.0.

    Args:
        before: `digest` and the parts of the one, by name.
        after: Likewise, of the other.
    """
    if before.get("digest") == after.get("digest"):
        return ()
    if not before.get("data") or not after.get("data"):
        return ("content",)
    found = [part for part in ("schema", "index") if before.get(part, "") != after.get(part, "")]
    if before["data"] != after["data"]:
        found.append("order" if before.get("any_order") == after.get("any_order") else "data")
    return tuple(found) or ("storage",)
