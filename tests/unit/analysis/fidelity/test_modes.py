"""Which steps are verbatim, and why; the steps of a notebook are named a, b, c."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nbmlops.analysis.model import NotebookAnalysis

Analyzed = Callable[..., NotebookAnalysis]

REASONS = [
    ("x = 1", "print(x)", {}),
    ("x = 1", "print(eval('x'))", {"b": "cell 2: 'x' is read from within a text"}),
    ("x = 1", "exec(text := 'y = x')", {"b": "cell 2: `exec` runs code that is not known before"}),
    ("x = 1", "print('x' in globals())", {"b": "cell 2: `globals()` reaches names that are not known before"}),
    ("x = 1", "class A:\n    x = x", {"b": "cell 2: the class body reads and binds 'x'"}),
    ("x = 1", "class A:\n    y = x", {}),
    (
        "x = 1",
        "def f():\n    x = 2\n    def g():\n        global x\n        x = 3\nf()",
        {"b": "cell 2: 'x' is `global` inside a function that has a local of that name"},
    ),
    ("max = 1", "del max", {"b": "cell 2: deleting 'max' brings back Python's own"}),
    ("x = 1", "print(__doc__)", {"b": "cell 2: '__doc__' is that of the notebook"}),
    ("x = 1", "if __name__ == '__main__':\n    print(x)", {}),
    (
        "import asyncio",
        "t = asyncio.create_task(f())",
        {"b": "cell 2: a task that it starts goes on between the cells"},
    ),
    ("x = 1", "def f(a):\n    return '{a}'.format(**locals())\nf(x)", {}),
    (
        "k = 1\nf = [lambda: k]",
        "k = eval('k') + 1",
        {"a": "it shares 'k' with functions, and step 'b' is verbatim", "b": "cell 2: 'k' is read from within a text"},
    ),
    ("k = 1\ndef f():\n    return k\nf()", "k = eval('k') + 1", {"b": "cell 2: 'k' is read from within a text"}),
    (
        "exec(code := 'f = lambda: k')",
        "print(f())",
        {
            "a": "cell 1: `exec` runs code that is not known before",
            "b": "code that step 'a' makes reads names that are not known before",
        },
    ),
]


@pytest.mark.parametrize(("first", "second", "expected"), REASONS)
def test_why_a_step_is_verbatim(analyzed: Analyzed, first: str, second: str, expected: dict[str, str]) -> None:
    found = analyzed(("step:a", first), ("step:b", second))
    assert {step.name: step.reason for step in found.steps if step.reason} == expected
    assert {step.name for step in found.steps if step.mode.value == "verbatim"} == expected.keys()


def test_a_step_that_may_read_any_name_gets_all_and_the_next_may_take_any(analyzed: Analyzed) -> None:
    found = analyzed(
        ("imports", "import json"),
        ("functions", "def f(x):\n    return x"),
        ("step:a", "x = 1\ny = [2]"),
        ("step:b", "exec(name + ' = 1') if (name := 'z') else None"),
        ("step:c", "print(z)"),
        ("step:d", "print(y)"),
    )
    assert not found.diagnostics
    facts = {step.name: step for step in found.steps}
    assert {name: step.whole for name, step in facts.items()} == {"a": False, "b": True, "c": True, "d": False}
    assert {value.name for value in facts["b"].inputs} == {"x", "y"}
    assert facts["b"].imports == {"json"}
    assert facts["b"].definitions == {"f"}
    assert "z" in facts["b"].outputs
    assert ("z", "b") in [(value.name, value.step) for value in facts["c"].inputs]
    assert facts["d"].inputs[0].step == "b"


def test_a_name_that_nothing_may_bind_is_still_not_defined(analyzed: Analyzed) -> None:
    found = analyzed(("step:a", "print(y)"), ("step:b", "exec(input())"))
    assert [(d.code, d.span.cell) for d in found.diagnostics] == [("NB203", 1)]
