from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse as sp
from sklearn.linear_model import Ridge

from nbmlops.app.session.cell_names import Roles, kind_of, roles, tables_named


class Mine(pd.DataFrame):
    """A frame of the user's."""


class NoHash(type):
    """Classes that cannot be looked up by hash."""

    __hash__ = None


class Odd(metaclass=NoHash):
    """None of ours."""


def test_tables_and_arrays_of_all_libraries_are_known_by_their_classes():
    frame = pd.DataFrame({"a": [1]})
    values: list[tuple[type, str]] = [
        (type(frame), "frame"),
        (Mine, "frame"),
        (type(frame["a"]), "series"),
        (pl.DataFrame, "frame"),
        (pl.Series, "series"),
        (pl.LazyFrame, ""),
        (pa.Table, "table"),
        (pa.RecordBatch, "table"),
        (np.ndarray, "array"),
        (np.memmap, "array"),
        (np.float64, ""),
        (sp.csr_matrix, "matrix"),
        (sp.coo_array, "matrix"),
        (Ridge, "model"),
        (int, ""),
        (type(pd), ""),
        (Odd, ""),
        (type("Homeless", (), {"__module__": None}), ""),
    ]
    assert [(cls, kind_of(cls)) for cls, _ in values] == values


def test_a_cell_names_what_stands_in_its_text_and_no_private_names():
    array = np.zeros(3)
    namespace = {"df": array, "other": array, "_private": array, "n": 1, "x": None}
    assert tables_named("df.sum() + n + _private + missing + x", namespace) == {"df": array}


@pytest.mark.parametrize(
    ("source", "loads", "binds"),
    [
        ("a = b.c(d)[e]", {"b", "d", "e"}, {"a"}),
        ("a += 1", {"a"}, {"a"}),
        ("del a", set(), {"a"}),
        ("a[0] = b; a.x = 1", {"a", "b"}, set()),
        ("for a in b: pass", {"b"}, {"a"}),
        ("c = [a for a in b if a]", {"b"}, {"c"}),
        ("def f(a, *b):\n    c = a + d\n    return c + e", {"d", "e"}, set()),
        ("f = lambda a: a + b", {"b"}, {"f"}),
        ("%mlops data df --name x\ny = df", {"mlops", "data", "df", "name", "x"}, {"y"}),
        ("if (a := b): pass", {"b"}, {"a"}),
        ('a = \'\\d\' + b["\\"c"] + \\\n d', {"b", "d"}, {"a"}),
        ("try:\n    !ls\nexcept E: pass", {"ls", "E"}, set()),
    ],
)
def test_a_cell_loads_and_binds_names_of_the_notebook(source: str, loads: set[str], binds: set[str]):
    assert roles(source) == Roles(frozenset(loads), frozenset(binds))


def test_what_is_no_python_has_no_roles():
    assert roles("%%bash\nfor f in *; do echo $f; done") is None
