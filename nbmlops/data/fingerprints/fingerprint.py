"""The fingerprint of any value: 32 hex digits that change exactly when the value does.

Other packages call `fingerprint`; what kind of value it is decides which module of this package encodes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from msgspec import Struct

from nbmlops.data.compare import drawings
from nbmlops.data.fingerprints import arrays, arrow, frames, objects, polar, sparse
from nbmlops.data.fingerprints.cells_arrow import reader_of_arrow
from nbmlops.data.fingerprints.encoding import FORMAT, CannotFingerprint, Encoder, Handler, Known
from nbmlops.data.fingerprints.parts import FrameParts, value_digests
from nbmlops.data.fingerprints.plain import PLAIN

__all__ = [
    "CannotFingerprint",
    "FrameFingerprint",
    "FrameParts",
    "fingerprint",
    "fingerprint_for_comparing",
    "fingerprint_frame",
    "is_frame",
]


class FrameFingerprint(Struct, frozen=True):
    """The fingerprint of a frame with its named parts and its columns.

    Attributes:
        digest: Equal to `fingerprint(frame)`: changes exactly when the frame does.
        parts: Which kind of change it was: of schema, index, data, or of the order of rows alone.
        columns: The digest of each column by position: its type and values, neither its name nor the index.
        values: The digest of each column's values, whatever type holds them.
    """

    digest: str
    parts: FrameParts
    columns: tuple[str, ...]
    values: tuple[str, ...]


def fingerprint(value: object, name: str = "value", go_on: Callable[[], None] | None = None) -> str:
    """Returns the fingerprint of a value: 32 hex digits, equal in every process and on every machine.

    Args:
        value: Anything whose content can be described: plain values, containers, arrays, frames, picklable objects.
        name: What the value is called in errors.
        go_on: Called often while the value is read; what it raises ends the work.

    Raises:
        CannotFingerprint: a part of the value has no content that could be digested; the part is named.
    """
    encoder = _encoder() if go_on is None else _encoder(Known(go_on=go_on))
    with _named(name):
        encoder.add(value)
    return encoder.digest().hex()


def fingerprint_for_comparing(value: object, homes: frozenset[str]) -> str:
    """Returns a fingerprint that is equal for equal values of a notebook and of the pipeline made from it.

    A class of the notebook is `__main__.Name` here and `package.module.Name` there; both are known by their names
    alone. What an object remembers from being read, such as a cached property, does not count.

    Args:
        value: Anything whose content can be described.
        homes: Top-level modules of the notebook's own code: `__main__` and the generated package.

    Raises:
        CannotFingerprint: a part of the value has no content that could be digested; the part is named.
    """
    encoder = _encoder(Known(homes))
    with _named("value"):
        encoder.add(value)
    return encoder.digest().hex()


def is_frame(value: object) -> bool:
    """Returns whether a value is a frame of pandas or polars, or a table or record batch of Arrow."""
    return _library(value) != ""


def _library(value: object) -> str:
    """Returns the library whose frame a value is, "" if it is none."""
    names = {"DataFrame": ("pandas", "polars"), "Table": ("pyarrow",), "RecordBatch": ("pyarrow",)}
    bases = ((base.__name__, base.__module__.partition(".")[0]) for base in type(value).__mro__)
    return next((root for name, root in bases if root in names.get(name, ())), "")


def fingerprint_frame(frame: Any, name: str = "value") -> FrameFingerprint:
    """Returns the fingerprint of a frame together with its parts and those of its columns.

    Args:
        frame: A frame of pandas or polars, or a table or record batch of Arrow.
        name: What it is called in errors.

    Raises:
        CannotFingerprint: a cell has no content that could be digested; it is named.
    """
    encoder, schema = _encoder(), _encoder()
    index = ""
    with _named(name):
        match _library(frame):
            case "pandas":
                encoder.refer(frame)
                found = frames.frame_digests(encoder, frame)
                frames.add_frame_digests(encoder, frame, found)
                frames.add_schema(schema, frame)
                columns, readers = found.columns, frames.column_readers(frame, _exact)
                index = frames.index_values(frame.index, _exact)
            case "polars":
                encoder.refer(frame)
                columns = polar.column_digests(encoder, frame)
                polar.add_digests(encoder, frame, columns)
                polar.add_schema(schema, frame)
                readers = polar.column_readers(frame, _exact)
            case _:
                encoder.add(frame)
                arrow.add_schema(schema, frame)
                columns, readers = (), [reader_of_arrow(column, _exact) for column in frame.columns]
        values = value_digests(readers, len(frame))
    return FrameFingerprint(
        digest=encoder.digest().hex(),
        parts=FrameParts(schema.digest().hex(), index, values.data, values.any_order),
        # The columns of an Arrow table are one stream with it; by value and type they are known as well.
        columns=tuple(column.hex() for column in columns) or values.columns,
        values=values.columns,
    )


def _exact(value: object) -> bytes:
    """Returns the exact digest of a cell; the order of a dictionary's items does not count."""
    part = _encoder().part(ordered=False)
    part.add(value)
    return part.digest()


def _encoder(known: Known | None = None) -> Encoder:
    fresh = Encoder(_handler_of, known=known)
    fresh.token(FORMAT)
    return fresh


@contextmanager
def _named(name: str) -> Iterator[None]:
    try:
        yield
    except RecursionError as error:
        raise CannotFingerprint("it is nested too deeply", name) from error
    except CannotFingerprint as refusal:
        raise refusal.within(name) from refusal.__cause__


@cache
def _handler_of(cls: type) -> Handler:
    if cls in PLAIN:
        return PLAIN[cls]
    # By the names in the bases, so that no library is imported for values that are none of its own.
    roots = {base.__module__.partition(".")[0] for base in cls.__mro__}
    handler = None
    if "pandas" in roots:
        handler = frames.handler_of(cls)
    elif "numpy" in roots:
        handler = arrays.handler_of(cls)
    elif "pyarrow" in roots:
        handler = arrow.handler_of(cls)
    elif "polars" in roots:
        handler = polar.handler_of(cls)
    elif "scipy" in roots:
        handler = sparse.handler_of(cls)
    elif "matplotlib" in roots:
        handler = drawings.handler_of(cls)
    return handler or objects.handler_of(cls)
