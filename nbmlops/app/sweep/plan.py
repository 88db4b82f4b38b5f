"""What a sweep is to do: parameters with several values on the command line, or a file, lowered to one plan.

Comes in: `-p max_depth=3,5,8`, or the text of a sweep file. Goes out: a `SweepPlan`. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, Literal

from msgspec import Struct, field

from nbmlops.app.config.faults import Fault, dotted, render_faults
from nbmlops.app.config.toml_lines import key_lines
from nbmlops.app.config.toml_tables import read_table
from nbmlops.app.config.toml_text import parse_toml
from nbmlops.app.sweep.space import Axis, Choices, Range, Space, is_listed, size
from nbmlops.core.diagnostics import Json
from nbmlops.core.errors import ConfigError, UsageError
from nbmlops.gate.policy import Direction, Policy, direction_of, known_direction
from nbmlops.pipeline.ir import Parameter, ParameterType, Pipeline
from nbmlops.runtime.parameters import declared, effective_parameters, parse_overrides

MOST_POINTS = 1000
DEFAULT_POINTS = 20
_SEPARATOR = ","
_NUMBERS = {ParameterType.INT, ParameterType.FLOAT}
# A comma in a text, a path, a list or a dict is part of the value.
_LISTED_ON_THE_LINE = _NUMBERS | {ParameterType.BOOL, ParameterType.DATE, ParameterType.DATETIME}


class Method(StrEnum):
    """How points are chosen: all combinations, drawn ones, or ones that learn from the points before."""

    GRID = "grid"
    RANDOM = "random"
    OPTUNA = "optuna"


class Objective(Struct, frozen=True):
    """The metric that tells which point is best, and which way it gets better."""

    metric: str
    direction: Direction


class SweepPlan(Struct, frozen=True):
    """A sweep.

    Attributes:
        space: Values of each parameter that varies.
        objective: What is best.
        fixed: Values of parameters that are the same at each point.
        method: How points are chosen.
        points: How many at most; a grid tries all.
        seed: Of drawn and learned points.
    """

    space: Space
    objective: Objective
    fixed: Mapping[str, Json] = field(default_factory=dict)
    method: Method = Method.GRID
    points: int = DEFAULT_POINTS
    seed: int = 0

    @property
    def total(self) -> int:
        """The number of points, at most."""
        count = size(self.space)
        if self.method is Method.GRID:
            assert count is not None
            return count
        return self.points if count is None else min(self.points, count)


class RangeTable(Struct, frozen=True):
    """`{ low = 0.01, high = 0.3, log = true }`: numbers from `low` to `high`."""

    low: float
    high: float
    step: float | None = None
    log: bool = False


class SweepDocument(Struct, frozen=True):
    """A sweep file."""

    parameters: Mapping[str, Any]
    method: Literal["grid", "random", "optuna"] = "grid"
    points: int | None = None
    seed: int = 0
    metric: str | None = None
    direction: Literal["higher", "lower"] | None = None


def has_lists(texts: Sequence[str]) -> bool:
    """Returns whether it is worth while to look for parameters with several values."""
    return any(_SEPARATOR in text for text in texts)


def plan_of_texts(pipeline: Pipeline, texts: Sequence[str], best: str, policy: Policy) -> SweepPlan | None:
    """Returns the sweep that `name=value,value` texts ask for, None when each parameter has one value.

    Args:
        pipeline: Declares the parameters.
        texts: `name=value` texts.
        best: "METRIC" or "METRIC:higher|lower"; "" leaves it to the gate's rules.
        policy: The gate's rules.

    Raises:
        UsageError: a name or a value is wrong, or nobody says what is best.
    """
    space: dict[str, Axis] = {}
    single: list[str] = []
    for text in texts:
        name, _, value = text.partition("=")
        parameter = next((one for one in pipeline.parameters if one.name == name), None)
        if parameter is None or _SEPARATOR not in value or not _is_listed_on_the_line(parameter):
            single.append(text)
            continue
        if name in space:
            raise UsageError(f"the parameter {name!r} is given twice", "give each parameter once")
        parts = [part.strip() for part in value.split(_SEPARATOR)]
        values = [parse_overrides(pipeline, [f"{name}={part}"])[name] for part in parts if part]
        space[name] = Choices(_different(values))
    if not space:
        return None
    fixed = parse_overrides(pipeline, single)
    if both := sorted(space.keys() & fixed.keys()):
        raise UsageError(f"the parameter {both[0]!r} is given twice", "give each parameter once")
    return _checked(SweepPlan(space, objective_of(best, policy), fixed))


def plan_of_file(
    pipeline: Pipeline, text: str, file: str, texts: Sequence[str], best: str, policy: Policy
) -> SweepPlan:
    """Returns the sweep that a sweep file describes.

    Args:
        pipeline: Declares the parameters.
        text: The file's text.
        file: Its name, for messages.
        texts: `name=value` texts of parameters that are the same at each point.
        best: As for `plan_of_texts`; before what the file says.
        policy: The gate's rules.

    Raises:
        ConfigError: the file is malformed; the message names every fault with file, line and key.
        UsageError: a parameter on the command line is wrong, or nobody says what is best.
    """
    document = _document(text, file)
    lines = key_lines(text)
    space: dict[str, Axis] = {}
    faults: list[Fault] = []
    for name, given in document.parameters.items():
        try:
            space[name] = _axis(pipeline, name, given)
        except UsageError as error:
            faults.append(Fault(("parameters", name), error.message, error.hint))
    faults += _faults(document, space)
    if faults:
        raise ConfigError(render_faults(file, lines, faults))
    fixed = parse_overrides(pipeline, texts)
    if both := sorted(space.keys() & fixed.keys()):
        raise UsageError(f"the parameter {both[0]!r} is given on the command line and in {file}", "give it once")
    wanted = best or (f"{document.metric}:{document.direction or ''}" if document.metric else "")
    points = DEFAULT_POINTS if document.points is None else document.points
    objective = objective_of(wanted, policy)
    return _checked(SweepPlan(space, objective, fixed, Method(document.method), points, document.seed))


def objective_of(best: str, policy: Policy) -> Objective:
    """Returns what is best: as the caller says, else the metric of the first rule whose direction is known.

    Raises:
        UsageError: nobody says it.
    """
    if best:
        metric, _, word = best.partition(":")
        if word and word not in tuple(Direction):
            raise UsageError(f"{word!r} is no direction of a metric", f"write {metric}:higher or {metric}:lower")
        declared = next((direction_of(rule) for rule in policy.rules if rule.metric == metric), None)
        direction = Direction(word) if word else declared or known_direction(metric)
        if direction is None:
            raise UsageError(
                f"nobody says whether a higher {metric} is better", f"write {metric}:higher or {metric}:lower"
            )
        return Objective(metric, direction)
    for rule in policy.rules:
        if (direction := direction_of(rule)) is not None:
            return Objective(rule.metric, direction)
    raise UsageError(
        "nobody says which point of the sweep is the best: the gate has no rule on a metric",
        "name the metric: --best auc, or --best cost:lower",
    )


def _is_listed_on_the_line(parameter: Parameter) -> bool:
    return parameter.type in _LISTED_ON_THE_LINE or bool(parameter.choices)


def _document(text: str, file: str) -> SweepDocument:
    data = json.loads(json.dumps(parse_toml(text, file), default=str))  # parameters take dates as texts
    document, faults = read_table(SweepDocument, data)
    if document is None:
        raise ConfigError(render_faults(file, key_lines(text), faults))
    return document


def _faults(document: SweepDocument, space: Space) -> Iterator[Fault]:
    if not document.parameters:
        yield Fault(("parameters",), "names no parameter", "add a line such as max_depth = [3, 5, 8]")
    if document.points is not None and not 1 <= document.points <= MOST_POINTS:
        yield Fault(("points",), f"must be from 1 to {MOST_POINTS}, but is {document.points}")
    if document.direction and not document.metric:
        yield Fault(("direction",), "belongs to a metric", 'add metric = "auc"')
    if Method(document.method) is Method.GRID:
        for name, axis in space.items():
            if not is_listed(axis):
                yield Fault(("parameters", name), "a grid needs values or a step", 'add step, or method = "random"')


def _axis(pipeline: Pipeline, name: str, given: Any) -> Axis:
    """Returns the values of a parameter as the file gives them.

    Raises:
        UsageError: the parameter is not declared, or cannot take them.
    """
    if isinstance(given, list):
        if not given:
            raise UsageError("has no values", f"write {name} = [VALUE, VALUE]")
        return Choices(_different([effective_parameters(pipeline, {name: value})[name] for value in given]))
    if not isinstance(given, dict):
        return Choices((effective_parameters(pipeline, {name: given})[name],))
    return _range(declared(pipeline, name), given)


def _range(parameter: Parameter, given: Mapping[str, Any]) -> Range:
    shape = "write it as { low = 0.01, high = 0.3 }, with step = … or log = true if you like"
    if parameter.type not in _NUMBERS:
        raise UsageError("is no number, so it has no range", "give its values as an array")
    table, faults = read_table(RangeTable, given)
    if table is None:
        raise UsageError(f"is not a range: {dotted(faults[0].path)}: {faults[0].message}", shape)
    integral = parameter.type is ParameterType.INT
    if integral and not all(number.is_integer() for number in (table.low, table.high, table.step or 1.0)):
        raise UsageError("is an int, so its range needs whole numbers", shape)
    if not table.low < table.high:
        raise UsageError(f"ranges from {table.low:g} up to {table.high:g}", "low must be less than high")
    if table.log and (table.low <= 0 or table.step is not None):
        raise UsageError("a logarithmic range is above 0 and has no step", shape)
    if table.step is not None and table.step <= 0:
        raise UsageError(f"has the step {table.step:g}", "a step is more than 0")
    return Range(table.low, table.high, table.step, table.log, integral)


def _different(values: Sequence[Json]) -> tuple[Json, ...]:
    return tuple({json.dumps(value, sort_keys=True): value for value in values}.values())


def _checked(plan: SweepPlan) -> SweepPlan:
    if plan.total > MOST_POINTS:
        raise UsageError(
            f"the sweep has {plan.total:,} points; {MOST_POINTS:,} is the most",
            'take fewer values, or method = "random" in a sweep file',
        )
    return plan
