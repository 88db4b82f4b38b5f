"""Parameter values from the command line or a caller: `name=value` texts -> values of the declared types.

Only declared names pass, so that no text of a caller can become code in a step notebook; values are data, whatever
they hold.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from difflib import get_close_matches
from pathlib import PurePosixPath

from nbmlops.core.diagnostics import Json
from nbmlops.core.errors import UsageError
from nbmlops.pipeline.fields import is_integer, is_json
from nbmlops.pipeline.ir import Parameter, ParameterType, Pipeline

_SHOWN = 60
_INTEGER = re.compile(r"[+-]?[0-9]+")
_EXAMPLES = {
    ParameterType.INT: "5",
    ParameterType.FLOAT: "0.1, 1e-3, nan or inf",
    ParameterType.BOOL: "true or false",
    ParameterType.STR: "any text",
    ParameterType.LIST: "'[1, 2]' (JSON or a Python literal)",
    ParameterType.DICT: "'{\"a\": 1}' (JSON or a Python literal)",
    ParameterType.DATE: "2024-12-31",
    ParameterType.DATETIME: "2024-12-31T18:30:00",
    ParameterType.PATH: "data/flights.csv",
    ParameterType.NONE: "None, or any JSON value",
}
_NONE = {"None", "null"}


def parse_overrides(pipeline: Pipeline, texts: Sequence[str]) -> dict[str, Json]:
    """Returns the values given as `name=value`, in the given order.

    Args:
        pipeline: Declares the names and types.
        texts: What the caller wrote, such as `max_depth=5`.

    Raises:
        UsageError: a text has no `=`, a name is not declared or given twice, or a value is not of the declared type.
    """
    values: dict[str, Json] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"{_shown(text)} is not a parameter: it has no '='", "write it as name=value")
        parameter = declared(pipeline, name)
        if name in values:
            raise UsageError(f"the parameter {name!r} is given twice", "give each parameter once")
        values[name] = _parse(parameter, value)
    return values


def effective_parameters(pipeline: Pipeline, overrides: Mapping[str, Json]) -> dict[str, Json]:
    """Returns the value of every parameter, in the order of the parameters cell: the override, else the default.

    Raises:
        UsageError: an override is not declared or not of the declared type.
    """
    checked = {name: _check(declared(pipeline, name), value) for name, value in overrides.items()}
    return {parameter.name: checked.get(parameter.name, parameter.default) for parameter in pipeline.parameters}


def declared(pipeline: Pipeline, name: str) -> Parameter:
    """Returns the parameter of that name.

    Raises:
        UsageError: the pipeline has none; a near name is proposed.
    """
    for parameter in pipeline.parameters:
        if parameter.name == name:
            return parameter
    names = [parameter.name for parameter in pipeline.parameters]
    near = get_close_matches(name[:200], names, n=1)
    if near:
        hint = f"did you mean {near[0]!r}?"
    elif names:
        hint = f"its parameters are: {', '.join(names)}"
    else:
        hint = "it has no parameters: tag a cell of the notebook `parameters` and compile it again"
    raise UsageError(f"{_shown(name)} is not a parameter of the pipeline {pipeline.name!r}", hint)


def _parse(parameter: Parameter, text: str) -> Json:
    if _may_be_none(parameter) and text in _NONE:
        return None
    match parameter.type:
        case ParameterType.STR | ParameterType.PATH | ParameterType.DATE | ParameterType.DATETIME:
            value: object = text
        case ParameterType.INT:
            value = int(text) if _INTEGER.fullmatch(text) and len(text) <= 4000 else text
        case ParameterType.FLOAT:
            value = _float(text)
        case ParameterType.BOOL:
            value = {"true": True, "false": False}.get(text.lower(), text)
        case ParameterType.LIST | ParameterType.DICT:
            value = _literal(text)
        case ParameterType.NONE:
            value = _literal(text)
            return text if isinstance(value, _Unparsed) else _check(parameter, value)
    return _check(parameter, value)


def _float(text: str) -> object:
    try:
        return float(text)
    except ValueError:
        return text


class _Unparsed(str):
    """Text that is neither JSON nor a Python literal."""

    __slots__ = ()


def _literal(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return _Unparsed(text)


def _check(parameter: Parameter, value: object) -> Json:
    """Returns the value in the form that steps take.

    Raises:
        UsageError: it is not of the declared type, or not one of the declared choices.
    """
    if value is None and _may_be_none(parameter):
        return None
    if not _fits(parameter.type, value):
        found = "text" if isinstance(value, str) else type(value).__name__
        none = ", or None" if _may_be_none(parameter) else ""
        raise UsageError(
            f"the parameter {parameter.name!r} must be {_article(parameter.type)}{none}, "
            f"not the {found} {_shown(value)}",
            f"give it as {parameter.name}={_EXAMPLES[parameter.type]}",
        )
    plain = _plain(parameter.type, value)
    if parameter.choices and plain not in parameter.choices:
        raise UsageError(
            f"the parameter {parameter.name!r} must be one of {', '.join(map(repr, parameter.choices))}, "
            f"not {_shown(value)}",
            f"give it as {parameter.name}={parameter.choices[0]}",
        )
    return plain


def _may_be_none(parameter: Parameter) -> bool:
    return parameter.default is None and parameter.type is not ParameterType.NONE


def _plain(type_: ParameterType, value: object) -> Json:
    """Returns a fitting value as plain JSON, one text for each date and path."""
    match type_:
        case ParameterType.DATE:
            return date.fromisoformat(str(value)).isoformat()
        case ParameterType.DATETIME:
            return datetime.fromisoformat(str(value)).isoformat()
        case ParameterType.PATH:
            return PurePosixPath(str(value)).as_posix()
        case ParameterType.FLOAT if isinstance(value, int):
            return float(value)
        case _:
            assert value is None or isinstance(value, bool | int | float | str | Sequence | Mapping)
            return value


def _fits(type_: ParameterType, value: object) -> bool:
    return {
        ParameterType.INT: is_integer(value),
        ParameterType.FLOAT: isinstance(value, float) or is_integer(value),
        ParameterType.BOOL: isinstance(value, bool),
        ParameterType.STR: isinstance(value, str),
        ParameterType.LIST: isinstance(value, list) and is_json(value),
        ParameterType.DICT: isinstance(value, dict) and is_json(value),
        ParameterType.DATE: _is_read_by(date.fromisoformat, value),
        ParameterType.DATETIME: _is_read_by(datetime.fromisoformat, value),
        ParameterType.PATH: isinstance(value, str) and value != "" and "\0" not in value,
        ParameterType.NONE: is_json(value),
    }[type_]


def _is_read_by(reader: Callable[[str], object], value: object) -> bool:
    try:
        return isinstance(value, str) and reader(value) is not None
    except ValueError:
        return False


def _article(type_: ParameterType) -> str:
    return {
        ParameterType.INT: "an int",
        ParameterType.FLOAT: "a float",
        ParameterType.BOOL: "a bool",
        ParameterType.STR: "a str",
        ParameterType.LIST: "a list of plain values",
        ParameterType.DICT: "a dict of plain values with texts as keys",
        ParameterType.DATE: "a date",
        ParameterType.DATETIME: "a date with a time",
        ParameterType.PATH: "a path",
        ParameterType.NONE: "a plain value",
    }[type_]


def _shown(value: object) -> str:
    text = ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
