"""Which modules showed something when an earlier step imported them."""

from __future__ import annotations

import pytest

from nbmlops.analysis.analyze import analyze


def silent(build, *cells, modules):
    return [step.silent for step in analyze(build(*cells), local_modules=modules).steps]


def test_steps_after_the_one_that_imports_it(build):
    cells = [("step:a", "x = 1"), ("step:b", "import kit"), ("step:c", "x"), ("step:d", "import kit")]
    assert silent(build, *cells, modules={"kit": "print('hello')"}) == [(), (), ("kit",), ("kit",)]


def test_shared_cells_count_for_the_first_step(build):
    cells = [("imports", "from kit import word"), ("step:a", "word"), ("step:b", "word")]
    assert silent(build, *cells, modules={"kit": "print('hello')\nword = 1"}) == [(), ("kit",)]


@pytest.mark.parametrize(
    ("source", "talks"),
    [
        ("print('hello')", True),
        ("def greet():\n    print('hello')\ngreet()", True),
        ("import sys\nsys.stderr.write('hello')", True),
        ("class A:\n    print('hello')", True),
        ("from other import x", True),
        ("def greet():\n    print('hello')", False),
        ("if __name__ == '__main__':\n    print('hello')", False),
        ("import math\nx = math.sqrt(2)", False),
        ("print(", False),
    ],
)
def test_what_shows_something(build, source, talks):
    modules = {"kit": source, "other": "import kit\nprint(1)\nx = 1"}
    cells = [("step:a", "import kit"), ("step:b", "kit")]
    assert silent(build, *cells, modules=modules) == [(), ("kit",) if talks else ()]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("import unknown", ("unknown",)),
        ("import unknown.deep as u", ("unknown", "unknown.deep")),
        ("from unknown import deep", ("unknown", "unknown.deep")),
        ("import this", ("this",)),
        ("import tensorflow as tf", ()),
        ("import pandas as pd", ()),
        ("import json", ()),
    ],
)
def test_unknown_libraries_may_show_something(build, line, expected):
    cells = [("step:a", "x = 1"), ("step:b", line), ("step:c", "x")]
    assert silent(build, *cells, modules={}) == [(), (), expected]


def test_known_libraries_that_may_show_something_are_not_imported_where_nothing_needs_them(build):
    cells = [
        ("step:a", "import tensorflow as tf\ntf"),
        ("step:b", "x = 1"),
        ("step:c", "tf"),
        ("step:d", "import json"),
    ]
    assert silent(build, *cells, modules={}) == [(), (), ("tensorflow",), ()]
