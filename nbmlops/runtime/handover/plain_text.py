"""Plain values <-> JSON text, exactly: what comes back has the same types, order and bits.

JSON has no tuples, bytes, NaN, or keys that are not texts: those are written as an object with one key that begins
with `$`. Everything else is refused, so that the caller takes another form.
"""

from __future__ import annotations

import base64
import json
import math
import struct
import sys
from collections.abc import Callable
from typing import Any

_MAX_INT_BITS = 4000  # json.loads refuses integers of more than 4300 digits; far below, decimal text is slow anyway
_NAN = struct.pack("<d", math.nan)
_WRITER = json.JSONEncoder(separators=(",", ":"), allow_nan=False)  # one for all: a step writes hundreds of texts
_FLOATS = {"math.nan": math.nan, "inf": math.inf, "-inf": -math.inf}


class NotPlain(Exception):
    """The value holds something that this form cannot say exactly."""


def to_text(value: object) -> str:
    """Returns the JSON text of a plain value, ASCII only; equal values of equal types give equal texts.

    Raises:
        NotPlain: something in it is not None, bool, int, float, str, bytes, list, tuple or dict of exactly that type.
    """
    try:
        return _WRITER.encode(_tagged(value))
    except RecursionError as error:
        raise NotPlain("nested too deeply") from error


def from_text(text: str) -> object:
    """Returns the value that `to_text` wrote."""
    return _untagged(json.loads(text))


def _tagged(value: object) -> Any:
    write = _WRITERS.get(type(value))
    if write is None:
        raise NotPlain(f"a {type(value).__qualname__}")
    return write(value)


def _integer(value: Any) -> int:
    if value.bit_length() > _MAX_INT_BITS:
        raise NotPlain("a very large int")
    return int(value)


def _text(value: Any) -> str:
    # A pair of lone surrogates would come back from JSON as one character.
    if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
        raise NotPlain("a text with lone surrogates")
    return str(value)


def _number(value: Any) -> Any:
    if math.isfinite(value):
        return value
    if math.isnan(value):
        if struct.pack("<d", value) != _NAN:
            raise NotPlain("a NaN with a payload")
        numpy = sys.modules.get("numpy")
        if numpy is not None and value is numpy.nan:
            return {"$float": "numpy.nan"}
        return {"$float": "math.nan" if value is math.nan else "nan"}  # noqa: PLW0177 - the object is meant
    return {"$float": "inf" if value > 0 else "-inf"}


def _mapping(value: Any) -> Any:
    if all(type(key) is str and not key.startswith("$") for key in value):
        return {_text(key): _tagged(item) for key, item in value.items()}
    return {"$dict": [[_tagged(key), _tagged(item)] for key, item in value.items()]}


def _float(name: str) -> float:
    if name == "nan":
        return float("nan")  # each one another object, as `set(values)` shows
    if name != "numpy.nan":
        return _FLOATS[name]
    import numpy as np  # as it was where the value was made; `np.nan in values` looks at the very object

    return np.nan


_WRITERS: dict[type, Callable[[Any], Any]] = {
    type(None): lambda value: value,
    bool: lambda value: value,
    int: _integer,
    float: _number,
    str: _text,
    bytes: lambda value: {"$bytes": base64.b64encode(value).decode()},
    list: lambda value: [_tagged(item) for item in value],
    tuple: lambda value: {"$tuple": [_tagged(item) for item in value]},
    dict: _mapping,
}
_READERS: dict[str, Callable[[Any], object]] = {
    "$tuple": lambda body: tuple(_untagged(item) for item in body),
    "$dict": lambda body: {_untagged(key): _untagged(item) for key, item in body},
    "$bytes": base64.b64decode,
    "$float": _float,
}


def _untagged(value: Any) -> object:
    if isinstance(value, list):
        return [_untagged(item) for item in value]
    if not isinstance(value, dict):
        return value
    for tag, body in value.items():
        if tag in _READERS:  # a tag stands alone; ordinary keys never begin with "$"
            return _READERS[tag](body)
    return {key: _untagged(item) for key, item in value.items()}
