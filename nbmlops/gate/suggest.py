"""A rule to paste for a project that has none, built from what the run logged."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Context

from nbmlops.gate.numerals import as_number
from nbmlops.gate.policy import Direction, known_direction


def rule_to_paste(metrics: Mapping[str, object]) -> str:
    """Returns advice with a rule for `nbmlops.toml` that this run would pass; metrics of a known direction first."""
    numbers = {name: as_number(value) for name, value in sorted(metrics.items())}
    finite = {name: value for name, value in numbers.items() if value is not None and math.isfinite(value)}
    if not finite:
        return "log a metric first (`%mlops metric auc`), then add a rule on it to nbmlops.toml"
    name = next((name for name in finite if known_direction(name)), next(iter(finite)))
    lower = known_direction(name) is Direction.LOWER
    bound = _rounded(finite[name], up=lower)
    return "\n".join(
        [
            "add a rule to nbmlops.toml, with a bound that you would defend:",
            "",
            "[[gate.rules]]",
            f"name = {toml_string(f'{name} is good enough')}",
            f"metric = {toml_string(name)}",
            f"{'max' if lower else 'min'} = {bound}",
        ]
    )


def toml_string(text: str) -> str:
    """Returns the text as a basic string of TOML."""
    # JSON's escapes are TOML's, except that TOML wants DEL escaped too and knows no lone surrogates.
    clean = text.encode("utf-8", "replace").decode()
    return json.dumps(clean, ensure_ascii=False).replace("\x7f", "\\u007f")


def _rounded(value: float, *, up: bool) -> float:
    """Returns the value with two digits, rounded towards the side on which the run passes."""
    context = Context(prec=2, rounding=ROUND_CEILING if up else ROUND_FLOOR)
    rounded = float(context.create_decimal(repr(value)))
    return rounded if math.isfinite(rounded) else value
