from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from nbmlops.analysis.model import ImportedName
from nbmlops.compiler.imports import bare, import_lines

NAMES = [
    ImportedName("pd", "pandas"),
    ImportedName("np", "numpy"),
    ImportedName("plt", "matplotlib.pyplot"),
    ImportedName("os", "os"),
    ImportedName("sklearn", "sklearn.metrics"),
    ImportedName("sklearn", "sklearn.tree"),
    ImportedName("Path", "pathlib", "Path", 3, 1),
    ImportedName("Path", "pathlib", "Path", 9, 1),
    ImportedName("roc_auc_score", "sklearn.metrics", "roc_auc_score"),
    ImportedName("f1", "sklearn.metrics", "f1_score"),
    ImportedName("accuracy_score", "sklearn.metrics", "accuracy_score"),
    ImportedName("ConfusionMatrixDisplay", "sklearn.metrics", "ConfusionMatrixDisplay"),
    ImportedName("RocCurveDisplay", "sklearn.metrics", "RocCurveDisplay"),
    ImportedName("Params", "flights.params", "Params"),
    ImportedName("late", "flights.helpers", "late"),
    ImportedName("TARGET", "flights.helpers", "TARGET"),
    ImportedName("annotations", "__future__", "annotations"),
    ImportedName("mylib", "mylib"),
    ImportedName("show", "nbmlops", "show"),
]
EXPECTED = """\
from __future__ import annotations

import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import sklearn.metrics
import sklearn.tree
from nbmlops import show
from sklearn.metrics import (
    ConfusionMatrixDisplay,
    RocCurveDisplay,
    accuracy_score,
    roc_auc_score,
)
from sklearn.metrics import f1_score as f1

import mylib
from flights.helpers import TARGET, late
from flights.params import Params
"""


def test_imports_are_grouped_and_sorted() -> None:
    assert "\n".join(import_lines(NAMES, {"flights", "mylib"})) + "\n" == EXPECTED


def test_ruff_would_sort_them_the_same_way(tmp_path: Path) -> None:
    (tmp_path / "flights").mkdir()
    for name in ("__init__", "helpers", "params"):
        (tmp_path / "flights" / f"{name}.py").touch()
    (tmp_path / "mylib.py").touch()
    module = tmp_path / "module.py"
    module.write_text("\n".join(import_lines(NAMES, {"flights", "mylib"})) + "\n")
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "I", "--no-cache", "module.py"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, ""), result.stdout


def test_one_import_as_a_statement() -> None:
    assert bare(ImportedName("m", "a.b", "c")) == "from a.b import c as m"
    assert bare(ImportedName("a", "a.b")) == "import a.b"
