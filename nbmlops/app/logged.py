"""What may be logged: names and values as the tracking calls take them, the same in a notebook and in a step."""

from __future__ import annotations

import json
import posixpath
import re
from datetime import date
from pathlib import PurePath
from typing import Any

from nbmlops.core.diagnostics import Json
from nbmlops.core.errors import UsageError

_NAME = re.compile(r"[\w./ :-]+")  # what MLflow's stores accept on every system
_NAME_LENGTH = 250
_VALUE_LENGTH = 6000  # MLflow's column
_SHOWN = 80


def checked_name(name: object, kind: str) -> str:
    """Returns the name under which something is logged.

    Args:
        name: What the user gave.
        kind: "metric", "parameter", … for the message.

    Raises:
        UsageError: it is no text, empty, too long, or holds characters that MLflow's stores refuse.
    """
    if not isinstance(name, str):
        raise UsageError(
            f"the name of a {kind} is a text, but this is {_shown(name)}", f'write the name in quotes: "my {kind}"'
        )
    tidy = posixpath.normpath(name) == name and name != "." and not name.startswith(("/", ".."))
    if _NAME.fullmatch(name) and len(name) <= _NAME_LENGTH and name.strip() == name and tidy:
        return name
    raise UsageError(
        f"{_shown(name)} cannot be the name of a {kind}",
        f"use letters, digits, '_', '-', '.', ':', '/' and spaces inside, at most {_NAME_LENGTH} characters",
    )


def metric_value(name: str, value: object) -> float:
    """Returns the metric as a float, exactly as Python and NumPy convert it; NaN and infinities are values.

    Raises:
        UsageError: the value is no single number.
    """
    if isinstance(value, (str, bytes)):
        raise UsageError(f"metric {name!r} is a number, but this is the text {_shown(value)}", "log a number")
    number: Any = value
    try:
        return float(number)
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"metric {name!r} is a number, but this is {_shown(value)}",
            "log one number, for example the mean of the values",
        ) from error


def metric_step(name: str, step: object) -> int:
    """Returns the step of a metric.

    Raises:
        UsageError: it is no whole number.
    """
    if isinstance(step, int) and not isinstance(step, bool):
        return step
    raise UsageError(f"the step of metric {name!r} is a whole number, but this is {_shown(step)}", "write step=1")


def plain_value(name: str, value: object) -> Json:
    """Returns a parameter as plain JSON: NumPy scalars and arrays, dates, paths and tuples are converted.

    Raises:
        UsageError: the value cannot be said in JSON, or is longer than a parameter may be.
    """
    try:
        plain: Json = json.loads(json.dumps(value, default=_plain))
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"parameter {name!r} cannot be logged: {_shown(value)} is no plain value",
            "log a number, a text, True, False, None, or a list or dict of those",
        ) from error
    if len(str(plain)) > _VALUE_LENGTH:
        raise UsageError(
            f"parameter {name!r} has {len(str(plain)):,} characters; at most {_VALUE_LENGTH:,} can be logged",
            "log what decides, such as a length or a name",
        )
    return plain


def _plain(value: Any) -> object:
    if isinstance(value, (date, PurePath)):
        return value.isoformat() if isinstance(value, date) else value.as_posix()
    if type(value).__module__ == "numpy":
        return value.tolist()
    raise TypeError


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({type(value).__name__})"
