"""Values that cannot be stored, where analysis can see them: a note with the edit that keeps the steps apart."""

from __future__ import annotations

import pytest

from nbmlops.analysis.analyze import analyze
from nbmlops.core.diagnostics import Severity, render_diagnostics

IMPORTS = (
    "imports",
    """
import sqlite3, threading, tempfile, queue, weakref
import xgboost as xgb
import statsmodels.api as sm
from pathlib import Path
from patsy import dmatrices
from collections import defaultdict
from sklearn.preprocessing import FunctionTransformer
""",
)
GENERATOR = ("functions", "def rows(n):\n    for i in range(n):\n        yield i")
NESTED = ("functions", "def make():\n    def inner():\n        yield 1\n    return list(inner())")


def notes(build, *cells):
    found = analyze(build(*cells)).diagnostics
    return [d for d in found if d.code == "NB221"]


@pytest.mark.parametrize(
    ("made", "what"),
    [
        ("x = (n for n in range(3))", "a generator"),
        ("x = rows(3)", "a generator"),
        ("x = open('a.txt', 'w')", "an open file"),
        ("x = Path('a.txt').open()", "an open file"),
        ("x = sqlite3.connect('a.db')", "a connection"),
        ("x = threading.Lock()", "a lock or a thread"),
        ("x: object = queue.Queue()", "a lock or a thread"),
        ("x = tempfile.TemporaryDirectory()", "a temporary file or folder"),
        ("x = xgb.DMatrix([[1]])", "a DMatrix of XGBoost"),
        ("y, x = dmatrices('y ~ x', {})", "a design of patsy"),
        ("x = sm.nonparametric.KDEUnivariate([1.0])", "a density estimate of statsmodels"),
        ("x = {'f': lambda v: v}", "a container of lambdas"),
        ("x = defaultdict(lambda: 0)", "a container of lambdas"),
        ("x = FunctionTransformer(lambda v: v)", "a container of lambdas"),
        ("x = memoryview(b'abc')", "a view of a buffer"),
        ("x = weakref.WeakValueDictionary()", "a weak reference"),
    ],
)
def test_what_is_known_not_to_be_storable(build, made, what):
    found = notes(build, IMPORTS, GENERATOR, ("step:a", made), ("step:b", "print(1)"), ("step:c", "print(x)"))
    assert [(d.severity, d.message) for d in found] == [
        (
            Severity.NOTE,
            f"{what} cannot be stored, so that the steps from 'a' to 'c', which share 'x', run in one process",
        )
    ]
    assert found[0].hint.endswith("to keep the steps apart")


def test_the_whole_text(build):
    made = ("step:a", "k = 1\ngen = (n for n in [1])")
    found = notes(build, made, ("step:b", "h = next(gen)"), ("step:c", "print(next(gen))"))
    text = "a generator cannot be stored, so that the steps from 'a' to 'c', which share 'gen', run in one process"
    assert render_diagnostics(found).splitlines()[:3] == [
        f"note[NB221]: {text}",
        "  --> small.ipynb cell 1 line 2:7",
        "   |  gen = (n for n in [1])",
    ]


@pytest.mark.parametrize(
    "cells",
    [
        (("step:a", "x = (n for n in range(3))\ny = list(x)"), ("step:b", "print(y)")),
        (("step:a", "x = [n for n in range(3)]"), ("step:b", "print(x)")),
        (("step:a", "x = open('a').read()"), ("step:b", "print(x)")),
        (("step:a", "x = sorted([1], key=lambda v: v)"), ("step:b", "print(x)")),
        (GENERATOR, ("step:a", "x = list(rows(3))"), ("step:b", "print(x)")),
        (NESTED, ("step:a", "x = make()"), ("step:b", "print(x)")),
        (("step:a", "f = lambda v: v\nx = f(1)"), ("step:b", "print(f(x))")),
        (("step:a", "x = (n for n in [1])"), ("step:b", "x = 2\nprint(x)")),
    ],
)
def test_what_can_be_stored_or_is_not_handed_over(build, cells):
    assert notes(build, IMPORTS, *cells) == []
