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
