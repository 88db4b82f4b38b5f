"""`import nbmlops`: light, lazy, and with names that stay what they are."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import nbmlops

IMPORTED = """
import json, sys, time
before = set(sys.modules)
start = time.perf_counter()
import nbmlops
seconds = time.perf_counter() - start
loaded = sorted(name for name in set(sys.modules) - before if name.startswith("nbmlops"))
print(json.dumps([seconds, loaded, sorted(set(sys.modules) & {"mlflow", "pandas", "numpy", "IPython", "pydantic"})]))
"""
USED = """
import sys
import nbmlops
for name in nbmlops.__all__:
    getattr(nbmlops, name)
nbmlops.show(1)
nbmlops.status()
print(sorted(set(sys.modules) & {"mlflow", "pandas", "numpy", "IPython", "pydantic", "papermill", "nbformat"}))
"""


def python(source: str) -> str:
    return subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True).stdout


def test_importing_loads_one_module_in_no_time():
    seconds, own, heavy = min(json.loads(python(IMPORTED)) for _ in range(3))
    assert own == ["nbmlops"]
    assert heavy == []
    assert seconds < 0.02


def test_using_the_names_loads_no_heavy_library():
    assert python(USED).strip() == "[]"


def test_there_are_at_most_ten_names_and_a_version():
    assert len(nbmlops.__all__) <= 10
    assert set(dir(nbmlops)) == {*nbmlops.__all__, "__version__"}
    assert all(callable(getattr(nbmlops, name)) for name in nbmlops.__all__)


def test_functions_keep_their_names_when_packages_of_the_same_name_are_loaded():
    from nbmlops.data.fingerprints.fingerprint import fingerprint
    from nbmlops.gate.evaluate import evaluate

    assert nbmlops.data.__module__ == "nbmlops.api"
    assert nbmlops.gate.__module__ == "nbmlops.api"
    assert [fingerprint.__module__, evaluate.__module__] == [
        "nbmlops.data.fingerprints.fingerprint",
        "nbmlops.gate.evaluate",
    ]


def test_unknown_names_are_unknown():
    with pytest.raises(AttributeError, match="module 'nbmlops' has no attribute 'metrics'"):
        _ = nbmlops.metrics  # type: ignore[attr-defined]  # the fault under test
