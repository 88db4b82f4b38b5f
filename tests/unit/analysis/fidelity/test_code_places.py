"""Which steps are verbatim because code looks up where functions and classes are; the steps are named a, b, c."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nbmlops.analysis.model import NotebookAnalysis

Analyzed = Callable[..., NotebookAnalysis]

_LIMIT = "limit = 2"
_FUNCTION = "def f(x):\n    return x * limit"
_CLASS = "class K:\n    def go(self, other: 'K') -> int:\n        return limit"

REASONS = [
    (_FUNCTION, "print(f(1))", {}),
    (_FUNCTION, "print(f.__qualname__)", {"b": "cell 2: `__qualname__` tells where functions and classes are made"}),
    (
        "import inspect\n" + _FUNCTION,
        "print(inspect.getsource(f))",
        {"b": "cell 2: `getsource` tells where functions and classes are made"},
    ),
    ("def g(x):\n    return x", "print(g.__qualname__)", {}),
    (
        "import pickle\n" + _CLASS,
        "pickle.dumps(K())",
        {"b": "cell 2: what is pickled there may be of a class or function that reads values"},
    ),
    ("import pickle\n" + _FUNCTION, "y = f(1)\nprint(pickle.dumps(y))", {}),
    (
        "import pickle\n" + _FUNCTION,
        "jobs = [f]\nprint(pickle.dumps(jobs))",
        {"b": "cell 2: what is pickled there may be of a class or function that reads values"},
    ),
    (_CLASS, "print(K().go(K()))", {}),
    (
        "import typing\n" + _CLASS,
        "print(typing.get_type_hints(K.go))",
        {"b": "cell 2: `get_type_hints` looks up names in texts that are annotations"},
    ),
]


@pytest.mark.parametrize(("first", "second", "reasons"), REASONS)
def test_steps_are_verbatim_where_code_looks_up_what_they_rebuild(
    analyzed: Analyzed, first: str, second: str, reasons: dict[str, str]
) -> None:
    found = analyzed(("step:a", f"{_LIMIT}\n{first}"), ("step:b", second))
    assert {step.name: step.reason for step in found.steps if step.reason} == reasons
