"""How values and places stand in a report of differences: short, on one line, the same every time."""

from __future__ import annotations

import re
import reprlib
from typing import Any

NOTEBOOK = "in the notebook"
PIPELINE = "in the pipeline"
EXAMPLES = 3
"""How many differing places are shown."""

_LONGEST = 80
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = _REPR.maxlong = 60


def shown(value: object) -> str:
    """Returns a short text of a value."""
    try:
        text = repr(value[: 2 * _LONGEST]) if isinstance(value, str) else _REPR.repr(_plain(value))
    except Exception as error:  # noqa: BLE001 - the text of a user's object is the user's code
        text = f"<{type(value).__name__}, whose repr() fails: {type(error).__name__}>"
    return shortened(_ADDRESS.sub("", text))


def _plain(value: Any) -> object:
    """Returns the Python number or text that a NumPy scalar holds: a report says its type where it matters."""
    if type(value).__module__ == "numpy" and getattr(value, "shape", None) == () and hasattr(value, "item"):
        return value.item()
    return value


def shortened(text: str, longest: int = _LONGEST) -> str:
    """Returns the text on one line, its end left out if it is long."""
    line = " ".join(text.split()) if "\n" in text else text
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def sides(left: str, right: str) -> str:
    """Returns both sides in the order in which a person asks: what should be, what is."""
    return f"{left} {NOTEBOOK}, {right} {PIPELINE}"


def both(left: object, right: object) -> str:
    """Returns both values, with their types where they would look the same."""
    one, other = shown(left), shown(right)
    if one == other:
        one, other = f"{one} ({kind(left)})", f"{other} ({kind(right)})"
    return sides(one, other)


def kind(value: object) -> str:
    """Returns the name of a value's type, with its module unless it is built in."""
    cls = type(value)
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


def counted(number: int, noun: str) -> str:
    """Returns "1 row", "2 rows"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def listed(items: list[str], most: int = EXAMPLES) -> str:
    """Returns the first items, and how many more there are."""
    rest = len(items) - most
    return ", ".join(items[:most]) + (f" and {rest} more" if rest > 0 else "")
