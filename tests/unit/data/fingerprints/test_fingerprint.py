"""Plain values, containers, sharing, and what holds across processes and versions."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from nbmlops.data.fingerprints.fingerprint import fingerprint
from nbmlops.data.fingerprints.packing import PACKED_FROM

GOLDEN = Path(__file__).parents[3] / "golden" / "fingerprints" / "vectors.json"
LONG = PACKED_FROM

VECTORS: dict[str, Any] = {
    "None": None,
    "True": True,
    "0": 0,
    "-1": -1,
    "2 ** 70": 2**70,
    "0.0": 0.0,
    "-0.0": -0.0,
    "nan": math.nan,
    "1.5 + 2j": 1.5 + 2j,
    "''": "",
    "'é\\n'": "é\n",
    "b'ab'": b"ab",
    "[]": [],
    "()": (),
    "{}": {},
    "[1, 'a', None]": [1, "a", None],
    "(1, (2, 'b'))": (1, (2, "b")),
    "{'b': 1, 'a': [2.5]}": {"b": 1, "a": [2.5]},
    "{3, 1, 2}": {3, 1, 2},
    "frozenset({'a', (1, 2)})": frozenset({"a", (1, 2)}),
    "list(range(100))": list(range(100)),
    "['x'] * 99 + [None]": ["x"] * 99 + [None],
    "a = [1]; [a, a]": [[1]] * 2,
    "np.arange(6.0).reshape(2, 3)": np.arange(6.0).reshape(2, 3),
    "np.float32(1.5)": np.float32(1.5),
    "pd.DataFrame({'a': [1, 2], 'b': ['x', None]})": pd.DataFrame({"a": [1, 2], "b": ["x", None]}),
    "pd.Series(['a', 'b'], dtype='category', name='c')": pd.Series(["a", "b"], dtype="category", name="c"),
    "pd.to_datetime(['2024-01-01'], utc=True)": pd.to_datetime(["2024-01-01"], utc=True),
    "pd.Series([1, None], dtype='Int64')": pd.Series([1, None], dtype="Int64"),
    "pd.Series([pd.NA, pd.NaT, pd.Timestamp(0, unit='s').as_unit('us')], dtype=object)": pd.Series(
        [pd.NA, pd.NaT, pd.Timestamp(0, unit="s").as_unit("us")], dtype=object
    ),
    "pa.array(['a', None, 'a']).dictionary_encode()": pa.array(["a", None, "a"]).dictionary_encode(),
    "pa.table({'a': [1, None], 'l': [[1], None]})": pa.table({"a": [1, None], "l": [[1], None]}),
    "sparse.csr_array([[0, 1.5], [2, 0]])": sparse.csr_array([[0, 1.5], [2, 0]]),
    "sparse.coo_matrix([[0, 1.5], [2, 0]])": sparse.coo_matrix([[0, 1.5], [2, 0]]),
    "sparse.dia_array([[1.0, 0], [0, 2]])": sparse.dia_array([[1.0, 0], [0, 2]]),
    "['x' * 99_999 + 'é'] * 40": ["x" * 99_999 + "é"] * 40,
    "np.where(np.arange(300_000) % 7, 0.5, np.nan)": np.where(np.arange(300_000) % 7, 0.5, np.nan),
    "bytearray(b'ab' * 20_000)": bytearray(b"ab" * 20_000),
}


def test_the_format_is_the_published_one(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update-goldens"):
        found = {text: fingerprint(value) for text, value in VECTORS.items()}
        GOLDEN.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
    assert {text: fingerprint(value) for text, value in VECTORS.items()} == json.loads(GOLDEN.read_text())


shared: list = [1]
DIFFERENT: dict[str, list[Any]] = {
    "types": [1, 1.0, True, "1", b"1", 1 + 0j, bytearray(b"1"), None, ..., range(1)],
    "containers": [[1], (1,), {1}, frozenset({1}), {1: 1}, {1: None}, 1],
    "nesting": [[1, 2], [[1, 2]], [[1], 2], [1, [2]], [[1], [2]], [[], 1, 2]],
    "borders": [["ab", "c"], ["a", "bc"], ["abc"], "abc", ["a", "b", "c"]],
    "order": [[1, 2], [2, 1]],
    "order of a dictionary": [{"a": 1, "b": 2}, {"b": 2, "a": 1}],
    "sharing": [[shared, shared], [[1], [1]]],
    "sharing elsewhere": [[shared, [1], shared], [shared, shared, [1]]],
    "long lists": [[0] * LONG, [0.0] * LONG, [False] * LONG, [0] * (LONG + 1), ["0"] * LONG, [*[0] * LONG, "0"]],
    "long lists of texts": [["ab", "c"] * LONG, ["a", "bc"] * LONG, ["ab", "c", None] * LONG, ["ab", "c", ""] * LONG],
    "large integers": [[2**63] * LONG, [2**63 - 1] * LONG, [-(2**63)] * LONG],
    "surrogates": ["\ud800", "\ud801", "?"],
}  # fmt: skip


@pytest.mark.parametrize("name", DIFFERENT)
def test_different_values_have_different_digests(name: str) -> None:
    digests = [fingerprint(value) for value in DIFFERENT[name]]
    assert len(set(digests)) == len(digests)
    assert all(len(digest) == 32 for digest in digests)


def rebuilt_set(values: list[Any]) -> set[Any]:
    """A set that went through deletions, so that it may iterate in another order."""
    result = set(range(1000)) | set(values)
    for value in range(1000):
        if value not in values:
            result.discard(value)
    return result


SAME: dict[str, tuple[Any, Any]] = {
    "NaN": (math.nan, -math.nan),
    "NaN in a long list": ([math.nan] * LONG, [-math.nan] * LONG),
    "sets": ({1, 2, 300}, rebuilt_set([1, 2, 300])),
    "sets of many kinds": ({1, "a", (2, "b")}, rebuilt_set([(2, "b"), "a", 1])),
    "equal constants": ([(1, "a"), (1, "a")], [(1, "a")] * 2),
    "equal texts": (["ab", "ab"], ["ab", "".join("ab")]),
    "dictionaries in sets' members": ({(1, frozenset({2, 3}))}, {(1, frozenset({3, 2}))}),
}


@pytest.mark.parametrize("name", SAME)
def test_equal_values_have_equal_digests(name: str) -> None:
    left, right = SAME[name]
    assert fingerprint(left) == fingerprint(right)


def test_cycles_end() -> None:
    def cycle() -> list:
        value: list = [1]
        value.append({"me": value, "tuple": (value,)})
        return value

    assert fingerprint(cycle()) == fingerprint(cycle())
    assert fingerprint(cycle()) != fingerprint([1, {"me": cycle(), "tuple": (cycle(),)}])


@pytest.mark.parametrize("seed", [(), ([],)])
def test_shared_tuples_are_walked_once(seed: tuple) -> None:
    value: tuple = seed
    for _ in range(200):
        value = (value, value)
    assert len(fingerprint(value)) == 32


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text() | st.integers(), inner)
        | st.sets(st.text() | st.integers())
    ),
    max_leaves=20,
)  # fmt: skip


def typed(value: Any) -> Any:
    """The value with its types and order spelled out, so that `==` means "the same"."""
    if isinstance(value, list | tuple):
        return type(value).__name__, [typed(item) for item in value]
    if isinstance(value, dict):
        return "dict", [(typed(key), typed(item)) for key, item in value.items()]
    return type(value).__name__, repr(value) if isinstance(value, float) else value


@settings(max_examples=150)
@given(left=values, right=values)
def test_digests_agree_with_equality(left: Any, right: Any) -> None:
    assert (fingerprint(left) == fingerprint(right)) is (typed(left) == typed(right))


def test_the_digest_does_not_depend_on_the_process() -> None:
    script = (
        "import json, numpy, pandas\n"
        "from nbmlops.data.fingerprints.fingerprint import fingerprint\n"
        "value = {'s': set('abcdefgh'), 'f': frozenset([('a', 1), ('b', 2)]), 'a': numpy.arange(3),\n"
        "         'd': pandas.DataFrame({'x': ['a', 'b'], 'y': [{'q', 'r', 's'}, {'t': {'u', 'v'}}]})}\n"
        "print(fingerprint(value), hash('a'))\n"
    )
    outputs = [
        subprocess.run(
            [sys.executable, "-c", script],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for seed in ("1", "2")
    ]
    assert outputs[0][0] == outputs[1][0]
    assert outputs[0][1] != outputs[1][1]


def test_plain_values_load_no_library() -> None:
    script = (
        "import sys\n"
        "from nbmlops.data.fingerprints.fingerprint import fingerprint\n"
        "fingerprint([1, {'a': {2}}])\n"
        "print([name for name in ('numpy', 'pandas', 'pyarrow') if name in sys.modules])\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    result = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"
