"""Which outputs of steps have an identity that code compares."""

from __future__ import annotations

import pytest

from nbmlops.analysis.analyze import analyze


def compared(build, *cells):
    return [step.compared for step in analyze(build(*cells)).steps]


@pytest.mark.parametrize(
    "code",
    ["print(x is y)", "print([v for v in [x] if v is not y])", "print(id(x) == id(y))", "if x is y:\n    pass"],
)
def test_names_that_are_compared(build, code):
    cells = [("step:a", "x = y = (1, 2)\nz = 3"), ("step:b", f"z\n{code}")]
    assert compared(build, *cells) == [("x", "y"), ()]


def test_in_a_function_and_by_what_they_are_made_from(build):
    same = ("functions", "def same(a, b):\n    return a is b\ndef both(a):\n    return same(a, a)")
    cells = [same, ("step:a", "x = (1, 2)\nother = 1"), ("step:b", "xs = [x]"), ("step:c", "both(xs[0])\nother")]
    assert compared(build, *cells) == [("x",), ("xs",), ()]


@pytest.mark.parametrize(
    "code", ["x is None", "x is not True", "type(x) is int", "x.__class__ is A", "x is np.nan", "x == y"]
)
def test_comparisons_that_mean_the_same_everywhere(build, code):
    cells = [("imports", "import numpy as np"), ("functions", "class A:\n    pass")]
    assert compared(build, *cells, ("step:a", "x = y = (1, 2)"), ("step:b", f"print({code}, y)")) == [(), ()]


@pytest.mark.parametrize(
    ("code", "modes"),
    [
        ("x = 1000\ny = 1000\nx is y", ["verbatim"]),
        ("x = 'a b'\ny = ['a b']\nx is y[0]", ["verbatim"]),
        ("x = (1, 'a')\ny = (1, 'a')\nid(x) == id(y)", ["verbatim"]),
        ("x = 1000; y = 2000\nx is y", ["function"]),
        ("x = 'word'\ny = 'word'\nx is y", ["function"]),
        ("x = 5\ny = 5\nx is y", ["function"]),
        ("x = 1000\ny = 1000\nx == y", ["function"]),
        ("x = 1000\ny = 1000\nx is None", ["function"]),
    ],
)
def test_equal_literals_of_a_step(build, code, modes):
    assert [step.mode for step in analyze(build(("step:a", code))).steps] == modes


def test_constants_and_parameters_are_values_where_they_are_compared(build):
    cells = [("parameters", "p = 2.5"), ("functions", "K = 1000\nW = 'word'"), ("step:a", "x = [K, W, p]")]
    steps = analyze(build(*cells, ("step:b", "x[0] is K, x[1] is W, x[2] is p"))).steps
    assert [(step.name, step.outputs) for step in steps] == [("setup", ("K",)), ("a", ("p", "x")), ("b", ())]


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("v.base is a", ("a", "v")),
        ("a.flags['OWNDATA']", ("a",)),
        ("a.resize(9)\nv", ("a",)),
        ("np.resize(a, 9)\nv", ()),
        ("a.sum() + v", ()),
    ],
)
def test_names_that_are_asked_for_their_memory(build, code, names):
    cells = [("imports", "import numpy as np"), ("step:a", "a = np.ones(3)\nv = a[1:]"), ("step:b", code)]
    assert compared(build, *cells) == [names, ()]
