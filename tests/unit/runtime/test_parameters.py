from __future__ import annotations

import math
import re
from typing import Any

import pytest
from msgspec.structs import replace

from nbmlops.core.errors import UsageError
from nbmlops.pipeline.ir import Parameter, ParameterType, Pipeline
from nbmlops.runtime.parameters import effective_parameters, parse_overrides

DEFAULTS: dict[str, tuple[ParameterType, Any]] = {
    "max_depth": (ParameterType.INT, 5),
    "rate": (ParameterType.FLOAT, 0.1),
    "balanced": (ParameterType.BOOL, True),
    "name": (ParameterType.STR, "a"),
    "months": (ParameterType.LIST, [1, 2]),
    "grid": (ParameterType.DICT, {"a": 1}),
    "limit": (ParameterType.NONE, None),
}


def pipeline(**parameters: tuple[ParameterType, Any]) -> Pipeline:
    return Pipeline(
        name="flights",
        title="",
        notebook="../../flights.ipynb",
        root="../..",
        notebook_digest="",
        cell_digests={},
        version="",
        parameters=tuple(Parameter(name, type_, default) for name, (type_, default) in parameters.items()),
        steps=(),
    )


FLIGHTS = pipeline(**DEFAULTS)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("max_depth=7", 7),
        ("max_depth=-7", -7),
        ("rate=1e-3", 0.001),
        ("rate=1", 1.0),
        ("rate=inf", math.inf),
        ("rate=-Infinity", -math.inf),
        ("balanced=false", False),
        ("balanced=True", True),
        ("name=", ""),
        ("name=None", "None"),
        ("name=a=b; import os", "a=b; import os"),
        ("name='quoted' \"text\"\n${{ x }}`id`$(id)", "'quoted' \"text\"\n${{ x }}`id`$(id)"),
        ("name=\x00\ud800", "\x00\ud800"),
        ("months=[1, 2.5, null, true]", [1, 2.5, None, True]),
        ("months=[1, None, 'a']", [1, None, "a"]),
        ('grid={"a": {"b": [1]}}', {"a": {"b": [1]}}),
        ("grid={'a': None}", {"a": None}),
        ("limit=None", None),
        ("limit=3", 3),
        ("limit=null", None),
        ("limit=some text", "some text"),
    ],
)
def test_values_are_read_by_the_declared_type(text: str, value: Any) -> None:
    name = text.partition("=")[0]
    (found,) = parse_overrides(FLIGHTS, [text]).items()
    assert (found[0], type(found[1]), found[1]) == (name, type(value), value)


def test_nan_is_a_float() -> None:
    found = parse_overrides(FLIGHTS, ["rate=nan"])["rate"]
    assert isinstance(found, float)
    assert math.isnan(found)


def test_a_megabyte_is_data() -> None:
    assert parse_overrides(FLIGHTS, ["name=" + "x" * 1_000_000]) == {"name": "x" * 1_000_000}


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("max_depth", "'max_depth' is not a parameter: it has no '='", "write it as name=value"),
        ("max_deph=3", "'max_deph' is not a parameter of the pipeline 'flights'", "did you mean 'max_depth'?"),
        (
            "a\nINJECTED=True\nb=1",
            "'a\\nINJECTED' is not a parameter of the pipeline 'flights'",
            "its parameters are: max_depth, rate, balanced, name, months, grid, limit",
        ),
        (
            "class=1",
            "'class' is not a parameter of the pipeline 'flights'",
            "its parameters are: max_depth, rate, balanced, name, months, grid, limit",
        ),
        (
            "max_depth=5.0",
            "the parameter 'max_depth' must be an int, not the text '5.0'",
            "give it as max_depth=5",
        ),
        (
            "rate=fast",
            "the parameter 'rate' must be a float, not the text 'fast'",
            "give it as rate=0.1, 1e-3, nan or inf",
        ),
        (
            "balanced=1",
            "the parameter 'balanced' must be a bool, not the text '1'",
            "give it as balanced=true or false",
        ),
        (
            "months=3",
            "the parameter 'months' must be a list of plain values, not the int 3",
            "give it as months='[1, 2]' (JSON or a Python literal)",
        ),
        (
            "months=[(1, 2)]",
            "the parameter 'months' must be a list of plain values, not the list [(1, 2)]",
            "give it as months='[1, 2]' (JSON or a Python literal)",
        ),
        (
            "grid={1: 2}",
            "the parameter 'grid' must be a dict of plain values with texts as keys, not the dict {1: 2}",
            "give it as grid='{\"a\": 1}' (JSON or a Python literal)",
        ),
        (
            "months=__import__('os')",
            "the parameter 'months' must be a list of plain values, not the text \"__import__('os')\"",
            "give it as months='[1, 2]' (JSON or a Python literal)",
        ),
    ],
)
def test_faults_name_parameter_type_and_value(text: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_overrides(FLIGHTS, [text])
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_a_parameter_given_twice_is_refused() -> None:
    with pytest.raises(UsageError, match="the parameter 'max_depth' is given twice"):
        parse_overrides(FLIGHTS, ["max_depth=1", "max_depth=2"])


def test_without_parameters_the_hint_says_how_to_make_some() -> None:
    with pytest.raises(UsageError) as caught:
        parse_overrides(pipeline(), ["x=1"])
    assert caught.value.hint == "it has no parameters: tag a cell of the notebook `parameters` and compile it again"


@pytest.mark.parametrize("nested", ["[" * 100_000, "{'a':" * 50_000])
def test_bottomless_values_are_refused(nested: str) -> None:
    with pytest.raises(UsageError, match="must be a list of plain values"):
        parse_overrides(FLIGHTS, [f"months={nested}"])


def test_defaults_fill_what_is_not_given_and_overrides_are_checked() -> None:
    assert effective_parameters(FLIGHTS, {"rate": 2, "limit": "x"}) == {
        "max_depth": 5,
        "rate": 2.0,
        "balanced": True,
        "name": "a",
        "months": [1, 2],
        "grid": {"a": 1},
        "limit": "x",
    }
    with pytest.raises(UsageError, match="must be an int, not the bool True"):
        effective_parameters(FLIGHTS, {"max_depth": True})


@pytest.mark.parametrize(
    ("declared", "text", "expected"),
    [
        (Parameter("day", ParameterType.DATE, "2024-01-05"), "2025-02-03", "2025-02-03"),
        (Parameter("at", ParameterType.DATETIME, "2024-01-05T00:00:00"), "2025-02-03 04:05", "2025-02-03T04:05:00"),
        (Parameter("folder", ParameterType.PATH, "data"), "other//x/", "other/x"),
        (Parameter("limit", ParameterType.INT, None), "7", 7),
        (Parameter("limit", ParameterType.INT, None), "None", None),
        (Parameter("mode", ParameterType.STR, "fast", "", ("fast", "slow")), "slow", "slow"),
        (Parameter("size", ParameterType.INT, 1, "", (1, 2)), "2", 2),
    ],
)
def test_typed_texts(declared: Parameter, text: str, expected: object) -> None:
    assert parse_overrides(replace(FLIGHTS, parameters=(declared,)), [f"{declared.name}={text}"]) == {
        declared.name: expected
    }


@pytest.mark.parametrize(
    ("declared", "text", "message"),
    [
        (Parameter("day", ParameterType.DATE, "2024-01-05"), "soon", "must be a date, not the text 'soon'"),
        (Parameter("day", ParameterType.DATE, "2024-01-05"), "None", "must be a date, not the text 'None'"),
        (Parameter("folder", ParameterType.PATH, "data"), "", "must be a path, not the text ''"),
        (Parameter("limit", ParameterType.INT, None), "x", "must be an int, or None, not the text 'x'"),
        (Parameter("size", ParameterType.INT, 1, "", (1, 2)), "3", "must be one of 1, 2, not 3"),
    ],
)
def test_texts_of_another_type(declared: Parameter, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(f"the parameter {declared.name!r} {message}")):
        parse_overrides(replace(FLIGHTS, parameters=(declared,)), [f"{declared.name}={text}"])
