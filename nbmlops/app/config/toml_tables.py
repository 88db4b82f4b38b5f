"""Reads the tables of a settings file into frozen records, strictly, and finds all faults at once. Pure.

Comes in: a record whose annotations are the shape of the table, and what `tomllib` made of the text. A fault names
its key and what was expected there. Every command reads settings: a library that does this takes longer to load than
a run that has nothing to do needs for all the rest (ADR 19).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from types import UnionType
from typing import Any, Literal, TypeGuard, TypeVar, Union, get_args, get_origin

from msgspec import Struct
from msgspec.structs import fields

from nbmlops.app.config.faults import Fault
from nbmlops.app.config.toml_lines import KeyPath

Table = TypeVar("Table", bound=Struct)

MAX_SHOWN = 60
_SCALARS: Mapping[type, tuple[tuple[type, ...], str]] = {
    str: ((str,), "a string"),
    bool: ((bool,), "true or false"),
    int: ((int,), "a whole number"),
    float: ((int, float), "a number"),
}


def read_table(shape: type[Table], data: Mapping[str, Any]) -> tuple[Table | None, tuple[Fault, ...]]:
    """Returns the record, and no faults; or None, and what is wrong.

    Args:
        shape: A record with fields of these types: str, bool, int, float, `Literal` of texts, `Any`, another such
            record, a tuple of one type, a mapping from free names to one type; each of them perhaps `| None`.
        data: The table.
    """
    faults: list[Fault] = []
    record = _table(shape, data, (), faults)
    return (None if faults else record), tuple(faults)


def _table(shape: type[Table], given: Mapping[str, Any], path: KeyPath, faults: list[Fault]) -> Table | None:
    known = {one.name: one for one in fields(shape)}
    values: dict[str, Any] = {}
    for name, one in known.items():
        if name in given:
            values[name] = _value(one.type, given[name], (*path, name), faults)
        elif one.required:
            faults.append(Fault((*path, name), "required, but not given"))
    faults += _unknown(given, list(known), path)
    return None if faults else shape(**values)


def _unknown(given: Mapping[str, Any], known: list[str], path: KeyPath) -> Iterator[Fault]:
    for name in given:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(known)}"
            yield Fault((*path, name), "unknown key", hint)


def _value(hint: Any, given: Any, path: KeyPath, faults: list[Fault]) -> Any:
    """Returns the value as its field wants it; after a fault, anything."""
    if get_origin(hint) in {Union, UnionType}:  # TOML has no null: what is there is not None
        hint = next(one for one in get_args(hint) if one is not type(None))
    kind, inner = get_origin(hint), get_args(hint)
    if isinstance(given, dict) and _is_record(hint):
        return _table(hint, given, path, faults)
    if isinstance(given, dict) and kind is Mapping:
        return {name: _value(inner[1], one, (*path, name), faults) for name, one in given.items()}
    if isinstance(given, list) and kind is tuple:
        return tuple(_value(inner[0], one, (*path, index), faults) for index, one in enumerate(given))
    if hint in _SCALARS and type(given) in _SCALARS[hint][0]:
        return hint(given)
    if hint is not Any and not (kind is Literal and given in inner):
        faults.append(Fault(path, f"must be {_expected(hint)}, but is {_shown(given)}"))
    return given


def _is_record(hint: Any) -> TypeGuard[type[Struct]]:
    return isinstance(hint, type) and issubclass(hint, Struct)


def _expected(hint: Any) -> str:
    kind, inner = get_origin(hint), get_args(hint)
    if kind is Literal:
        *others, last = map(repr, inner)
        return f"{', '.join(others)} or {last}" if others else last
    if kind is tuple:
        if _is_record(inner[0]):
            return "an array of tables, each written as [[…]]"
        return "an array of numbers" if inner[0] is float else "an array of strings"
    return _SCALARS[hint][1] if hint in _SCALARS else "a table"


def _shown(value: Any) -> str:
    """Returns the value as the user's TOML has it, shortened."""
    if isinstance(value, dt.date | dt.time):
        return "a date or time"
    if isinstance(value, dict | list):
        return "a table" if isinstance(value, dict) else "an array"
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    text = text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"
    return f"the string {text}" if isinstance(value, str) else text
