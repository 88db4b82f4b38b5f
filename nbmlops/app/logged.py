"""What may be logged: names and values as the tracking calls take them, the same in a notebook and in a step."""

from __future__ import annotations

import json
from datetime import date
from pathlib import PurePath
from typing import Any

from nbmlops.core.diagnostics import Json
from nbmlops.core.errors import UsageError
from nbmlops.tracking.keys import check_key

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
    return check_key(kind, name)


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
        UsageError: the value cannot be said in JSON.
    """
    try:
        plain: Json = json.loads(json.dumps(value, default=_plain))
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"parameter {name!r} cannot be logged: {_shown(value)} is no plain value",
            "log a number, a text, True, False, None, or a list or dict of those",
        ) from error
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
