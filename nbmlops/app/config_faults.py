"""What is wrong with a settings file, in words: file, line and key of every fault, all of them at once."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from nbmlops.app.config_document import ConfigDocument
from nbmlops.app.toml_lines import KeyPath, line_of

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

MAX_FAULTS = 20
MAX_SHOWN = 60
DATE = "date or time"  # the one key of the table that stands for a TOML date where JSON is checked

_EXPECTED = {
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "int_type": "a whole number",
    "string_type": "a string",
    "bool_type": "true or false",
    "dataclass_type": "a table",
    "dict_type": "a table",
    "tuple_type": "an array of tables, each written as [[…]]",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Fault:
    """One fault: the key it is about, what is wrong with it, and the edit that helps."""

    path: KeyPath
    message: str
    hint: str = ""


def faults_of(errors: Sequence[ErrorDetails], document: type = ConfigDocument) -> tuple[Fault, ...]:
    """Returns pydantic's findings in our words; `document` is the shape of the file."""
    return tuple(_fault(error, document) for error in errors)


def render_faults(file: str, lines: Mapping[KeyPath, int], faults: Sequence[Fault], prefix: KeyPath = ()) -> str:
    """Returns the faults in the order of the file, one line each, with their hints.

    Args:
        file: The file's name for the message.
        lines: The lines of its keys.
        faults: What is wrong.
        prefix: The table that the settings stand in (`("tool", "nbmlops")` in a `pyproject.toml`).
    """
    placed = sorted((line_of(lines, (*prefix, *fault.path)), position, fault) for position, fault in enumerate(faults))
    rows = [f"{file} has {len(faults)} faults:"] if len(faults) > 1 else []
    for line, _, fault in placed[:MAX_FAULTS]:
        rows.append(f"{file} line {line}: {dotted(fault.path)}: {fault.message}")
        if fault.hint:
            rows.append(f"  {fault.hint}")
    if len(placed) > MAX_FAULTS:
        rows.append(f"… and {len(placed) - MAX_FAULTS} more")
    return "\n".join(rows)


def dotted(path: Sequence[str | int]) -> str:
    """Returns a key as people write it, entries of an array counted from 1: `gate.rules[2].min`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part + 1}]"
        else:
            text += f".{part}" if text else part
    return text


def _fault(error: ErrorDetails, document: type) -> Fault:
    path = tuple(error["loc"])
    kind = error["type"]
    if kind == "unexpected_keyword_argument":
        known = _keys_at(path[:-1], document)
        near = get_close_matches(str(path[-1]), known, n=1)
        return Fault(path, "unknown key", f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(known)}")
    if kind == "missing":
        return Fault(path, "required, but not given")
    if kind == "literal_error":
        return Fault(path, f"must be {error['ctx']['expected']}, but is {_shown(error['input'])}")
    if kind in _EXPECTED:
        return Fault(path, f"must be {_EXPECTED[kind]}, but is {_shown(error['input'])}")
    return Fault(path, f"{error['msg']}, but is {_shown(error['input'])}")


def _shown(value: Any) -> str:
    """Returns the value as the user's TOML has it, shortened."""
    if isinstance(value, dict):
        return f"a {DATE}" if list(value) == [DATE] else "a table"
    if isinstance(value, list):
        return "an array"
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    text = text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"
    return f"the string {text}" if isinstance(value, str) else text


def _keys_at(path: Sequence[str | int], document: type) -> list[str]:
    """Returns the keys that the table at `path` may hold."""
    hint: Any = document
    for part in path:
        if dataclasses.is_dataclass(hint):
            hint = typing.get_type_hints(hint).get(str(part))
        else:  # the values of a table with free names, or the entries of an array
            hint = next(one for one in typing.get_args(hint) if dataclasses.is_dataclass(one))
    return [one.name for one in dataclasses.fields(hint)]
