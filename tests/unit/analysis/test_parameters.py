"""The parameters cell: types, defaults, comments. What cannot be a parameter is among the faulty notebooks."""

from __future__ import annotations

import pytest

from nbmlops.pipeline.ir import ParameterType

CELL = """\
# Comments above are no comment of a parameter.
depth = 6  # how deep
rate = 0.1
name = "it's"  #  a text: # and more
fast = True
nothing = None
months = [
    1,  # January
    -2,
]  # which months
grid = {"C": [0.1, 1], "kernel": "rbf"}
share: float = 1
limit: "int | None" = None
top: Optional[int] = 3
columns: list[str] = ["a"]
größe = -1.5e3
"""


def test_declarations(analyzed):
    found = analyzed(("parameters", CELL), ("step:a", "print(depth)"))
    assert found.diagnostics == ()
    assert [(p.name, p.type, p.default, p.comment, p.line) for p in found.parameters] == [
        ("depth", ParameterType.INT, 6, "how deep", 2),
        ("rate", ParameterType.FLOAT, 0.1, "", 3),
        ("name", ParameterType.STR, "it's", "a text: # and more", 4),
        ("fast", ParameterType.BOOL, True, "", 5),
        ("nothing", ParameterType.NONE, None, "", 6),
        ("months", ParameterType.LIST, [1, -2], "which months", 7),
        ("grid", ParameterType.DICT, {"C": [0.1, 1], "kernel": "rbf"}, "", 11),
        ("share", ParameterType.FLOAT, 1, "", 12),
        ("limit", ParameterType.INT, None, "", 13),
        ("top", ParameterType.INT, 3, "", 14),
        ("columns", ParameterType.LIST, ["a"], "", 15),
        ("größe", ParameterType.FLOAT, -1500.0, "", 16),
    ]


def test_dates_paths_and_choices(analyzed):
    cell = """\
import datetime as dt
from pathlib import Path
from typing import Literal
day = dt.date(2024, 1, 5)
since: dt.date | None = None
at = dt.datetime.fromisoformat("2024-01-05T06:07")
folder = Path("data", "raw")
mode: Literal["fast", "slow"] = "fast"
"""
    found = analyzed(("parameters", cell), ("step:a", "print(day, since, at, folder, mode)"))
    assert found.diagnostics == ()
    assert [(p.name, p.type, p.default, p.choices) for p in found.parameters] == [
        ("day", ParameterType.DATE, "2024-01-05", ()),
        ("since", ParameterType.DATE, None, ()),
        ("at", ParameterType.DATETIME, "2024-01-05T06:07:00", ()),
        ("folder", ParameterType.PATH, "data/raw", ()),
        ("mode", ParameterType.STR, "fast", ("fast", "slow")),
    ]
    assert [step.name for step in found.steps] == ["a"]


def test_what_is_derived_from_parameters_is_made_before_the_first_step(analyzed):
    cell = "n = 2\ntwice = n * 2\nsize = (1, 2)\nmissing = date(2024, 13, 1)"
    found = analyzed(
        ("imports", "from datetime import date"), ("parameters", cell), ("step:a", "print(n, twice, size)")
    )
    assert found.diagnostics == ()
    assert [parameter.name for parameter in found.parameters] == ["n"]
    assert [constant.name for constant in found.constants] == ["size"]
    assert [(s.name, s.cells, s.parameters, s.outputs) for s in found.steps] == [
        ("setup", (2,), ("n",), ("twice",)),
        ("a", (3,), ("n",), ()),
    ]


def test_kales_tag(analyzed):
    found = analyzed(("pipeline-parameters", "n = 1"), ("step:a", "print(n)"))
    assert [(p.name, p.cell) for p in found.parameters] == [("n", 1)]
    assert found.steps[0].parameters == ("n",)


def test_only_the_steps_that_read_a_parameter_get_it(analyzed):
    found = analyzed(
        ("parameters", "n = 1\nm = 2\nk = 3"),
        ("functions", "def f():\n    return m"),
        ("step:a", "x = n"),
        ("step:b", "x += f()"),
        ("step:c", "n = 5\nif x:\n    k = 4"),
        ("step:d", "print(n, m, k)"),
    )
    assert {step.name: step.parameters for step in found.steps} == {"a": ("n",), "b": ("m",), "c": ("k",), "d": ("m",)}
    assert found.steps[2].outputs == ("n", "k")


def test_a_list_that_a_step_changes_becomes_its_output(analyzed):
    found = analyzed(("parameters", "months = [1]"), ("step:a", "months.append(2)"), ("step:b", "print(months)"))
    assert [(step.parameters, step.outputs) for step in found.steps] == [(("months",), ("months",)), ((), ())]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("1e999", "is not a finite number"),
        ("[1, -1e999]", "is not a finite number"),
        ("{1: 2}", "has keys that are no text"),
        ("[(1, 2)]", "holds a tuple"),
        (r"'a\ud800'", "holds half a character"),
        (r"{'a': ['\udfff']}", "holds half a character"),
        (r"{'\ud800': 1}", "holds half a character"),
    ],
)
def test_values_that_no_file_can_hold(analyzed, value, reason):
    (fault,) = analyzed(("parameters", f"n = {value}"), ("step:a", "print(n)")).diagnostics
    assert fault.code == "NB302"
    assert fault.message == f"parameter 'n' {reason}, which cannot be given on a command line or in a file"
