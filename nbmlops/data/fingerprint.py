"""The fingerprint of any value: 32 hex digits that change exactly when the value does.

Other packages call `fingerprint`; what kind of value it is decides which module of this package encodes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from nbmlops.data import arrays, arrow, drawings, frames, objects
from nbmlops.data.encoding import FORMAT, CannotFingerprint, Encoder, Handler, Known
from nbmlops.data.plain import PLAIN

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CannotFingerprint", "FrameFingerprint", "fingerprint", "fingerprint_for_comparing", "fingerprint_frame"]


@dataclass(frozen=True, slots=True)
class FrameFingerprint:
    """The fingerprint of a frame, equal to `fingerprint(frame)`, and those of its columns by position.

    A column's digest covers its dtype and values, not its name or the index: it says which columns changed.
    """

    digest: str
    columns: tuple[str, ...]


def fingerprint(value: object, name: str = "value") -> str:
    """Returns the fingerprint of a value: 32 hex digits, equal in every process and on every machine.

    Args:
        value: Anything whose content can be described: plain values, containers, arrays, frames, picklable objects.
        name: What the value is called in errors.

    Raises:
        CannotFingerprint: a part of the value has no content that could be digested; the part is named.
    """
    encoder = _encoder()
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
    encoder = Encoder(_handler_of, known=Known(homes))
    encoder.token(FORMAT)
    with _named("value"):
        encoder.add(value)
    return encoder.digest().hex()


def fingerprint_frame(frame: pd.DataFrame, name: str = "value") -> FrameFingerprint:
    """Returns the fingerprint of a frame together with those of its columns, all found in one pass.

    Raises:
        CannotFingerprint: a cell has no content that could be digested; it is named.
    """
    encoder = _encoder()
    with _named(name):
        encoder.refer(frame)
        parts = frames.frame_digests(encoder, frame)
    frames.add_frame_digests(encoder, frame, parts)
    return FrameFingerprint(encoder.digest().hex(), tuple(column.hex() for column in parts.columns))


def _encoder() -> Encoder:
    fresh = Encoder(_handler_of)
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
    elif "matplotlib" in roots:
        handler = drawings.handler_of(cls)
    return handler or objects.handler_of(cls)
