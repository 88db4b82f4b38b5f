"""Values of which only the content is handed over, although `is` tells equal ones apart."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from nbmlops.runtime.handover.own_classes import is_users_class

_SINGLE = (type(None), bool, type, type(...), type(NotImplemented))
_SMALL = range(-5, 257)  # the integers that CPython has one object of


def told_apart(value: object) -> str:
    """Returns why a value that code compares by `is` must stay in its process, or ""."""
    waiting, seen = [value], set[int]()
    numpy = sys.modules.get("numpy")
    while waiting:
        part = waiting.pop()
        if id(part) in seen or isinstance(part, _SINGLE):
            continue
        seen.add(id(part))
        if numpy is not None and isinstance(part, numpy.ndarray):
            return "code asks which array it is a view of, or compares it by `is`, and only its elements can be stored"
        if _is_shareable(part):
            return f"code compares by `is` what it holds, and of a {type(part).__name__} only the content can be stored"
        waiting += _members(part)
    return ""


def _is_shareable(part: object) -> bool:
    if type(part) is int:
        return part not in _SMALL
    if type(part) is str or type(part) is bytes:
        return len(part) > 1
    if type(part) is tuple or type(part) is frozenset:
        return len(part) > 0
    if type(part).__name__ == "CategoricalDtype":
        return True
    return type(part) in {float, complex} or type(part).__module__ in {"datetime", "decimal", "fractions", "uuid"}


def _members(part: object) -> Iterable[object]:
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(part, pandas.DataFrame | pandas.Series):
        return list(part.dtypes) if isinstance(part, pandas.DataFrame) else [part.dtype]
    if isinstance(part, dict):
        return [*(key for key in part if type(key) is not str), *part.values()]
    if isinstance(part, list | set | tuple | frozenset):
        return part
    return list(vars(part).values()) if hasattr(part, "__dict__") and is_users_class(type(part)) else ()
