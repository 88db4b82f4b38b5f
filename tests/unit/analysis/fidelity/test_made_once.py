from __future__ import annotations

import pytest

from nbmlops.analysis.analyze import build_round
from nbmlops.analysis.fidelity.made_once import fickle_part, lasting_state
from nbmlops.analysis.model import ClosingNames

IMPORTS = """
import functools, itertools, time, uuid
import numpy as np
import pandas as pd
from datetime import datetime
from pathlib import Path
import local_tool
def clock():
    return time.time()
def size():
    return 3
"""


@pytest.fixture
def found(build):
    def run(source: str) -> tuple[str, str]:
        graph = build_round(build(("imports", IMPORTS), ("functions", source), ("step:a", "1")), ClosingNames())
        unit = graph.namespace.definitions["f"]
        return fickle_part(graph, unit.node), lasting_state(graph, "f", unit.node)

    return run


@pytest.mark.parametrize(
    ("default", "fickle"),
    [
        ("time.time()", True),
        ("datetime.now().year", True),
        ("uuid.uuid4().hex", True),
        ("np.random.rand()", True),
        ("np.random.default_rng(1)", True),
        ("itertools.count()", True),
        ("iter([1])", True),
        ("object()", True),
        ("open('x')", True),
        ("pd.read_csv('x')", True),
        ("Path.cwd()", True),
        ("clock()", True),
        ("[clock()]", True),
        ("local_tool.load()", True),
        ("(lambda: 1)()", True),
        ("lambda: clock()", False),
        ("clock", False),
        ("size()", False),
        ("[1]", False),
        ("{'a': [1]}", False),
        ("np.array([1])", False),
        ("pd.DataFrame({'a': [1]})", False),
        ("dict(a=1)", False),
        ("'{}'.format(1)", False),
        ("Path('a') / 'b'", False),
    ],
)
def test_default_arguments(found, default, fickle):
    part = "its default argument 'x'" if fickle else ""
    assert found(f"def f(a, x={default}):\n    return a")[0] == part
    assert found(f"f = lambda a, *, x={default}: a")[0] == part
    part = "its class attribute 'x'" if fickle else ""
    assert found(f"class f:\n    x: object = {default}")[0] == part


@pytest.mark.parametrize(
    ("source", "part"),
    [
        (
            "@functools.lru_cache(maxsize=int(clock()))\ndef f():\n    pass",
            "`functools.lru_cache(maxsize=int(clock()))`",
        ),
        ("class f:\n    @functools.cache\n    def m(self, t=clock()):\n        pass", "its default argument 't'"),
        ("def f(x=lambda y=clock(): y):\n    pass", "its default argument 'x'"),
        ("class f(local_tool.base()):\n    pass", "`local_tool.base()`"),
        ("class f:\n    if clock():\n        x = 1", "`clock()`"),
    ],
)
def test_other_parts(found, source, part):
    assert found(source)[0] == part


@pytest.mark.parametrize(
    ("source", "state"),
    [
        ("def f(x=[]):\n    x.append(1)", "its default argument 'x'"),
        ("def f(x={}):\n    return x", "its default argument 'x'"),
        ("def f(x=np.zeros(3)):\n    x[0] = 1", "its default argument 'x'"),
        ("def f(x=[]):\n    return len(x)", ""),
        ("def f(x=()):\n    return x", ""),
        ("class f:\n    def m(self, x=[]):\n        x.append(1)", "its default argument 'x'"),
        ("@functools.cache\ndef f():\n    return clock()", "its cache"),
        ("@functools.cache\ndef f():\n    return open('x')", "its cache"),
        ("@functools.cache\ndef f(x):\n    return [i for i in range(x)]", ""),
    ],
)
def test_state_that_lasts(found, source, state):
    assert found(source)[1] == state


@pytest.mark.parametrize(
    ("decorator", "keeps"),
    [
        ("def d(g):\n    n = 0\n    def inner():\n        nonlocal n\n        n += 1\n    return inner", True),
        ("def d(g):\n    def inner():\n        inner.n += 1\n    return inner", True),
        ("def d(g):\n    known = {}\n    def inner(x):\n        known[x] = g(x)\n    return inner", True),
        ("def d(g):\n    ids = itertools.count()\n    def inner(x):\n        return next(ids)\n    return inner", True),
        ("def d(g):\n    g.calls = []\n    def inner(x):\n        g.calls.append(x)\n    return inner", True),
        ("class d:\n    def __call__(self):\n        self.n = 1", True),
        ("class d:\n    def __init__(self, g):\n        self.g = g\n    def __call__(self):\n        return 1", False),
        ("def d(g):\n    def inner(x):\n        found = []\n        found.append(g(x))\n    return inner", False),
        ("def d(g):\n    g.tag = 1\n    return g", False),
    ],
)
def test_decorators_of_the_notebook(found, decorator, keeps):
    assert found(f"{decorator}\n@d\ndef f():\n    pass")[1] == ("its decorator 'd'" if keeps else "")
