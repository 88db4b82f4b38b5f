from __future__ import annotations

import json
from pathlib import Path

from nbmlops.app.compiling.sources import imported_modules, local_modules
from nbmlops.notebook.model import Notebook
from nbmlops.notebook.reader import parse_notebook


def notebook(*cells: tuple[str, list[str]]) -> Notebook:
    document = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}},
        "cells": [
            {
                "cell_type": "code",
                "id": f"c{number}",
                "metadata": {"tags": tags},
                "source": source,
                "outputs": [],
                "execution_count": None,
            }
            for number, (source, tags) in enumerate(cells)
        ],
    }
    return parse_notebook(json.dumps(document).encode(), "n.ipynb")


def test_modules_are_found_wherever_they_are_imported() -> None:
    read = notebook(
        ("%pip install duckdb\nimport pandas as pd, os.path", ["imports"]),
        ("def f():\n    from sklearn.linear_model import Ridge as R, Lasso\n    return R", ["step:a"]),
        ("import secret", ["skip"]),
    )
    assert imported_modules(read) == (
        "os.path",
        "pandas",
        "sklearn.linear_model",
        "sklearn.linear_model.Lasso",
        "sklearn.linear_model.Ridge",
    )


def test_modules_beside_the_notebook_are_read_with_what_they_import(tmp_path: Path) -> None:
    (tmp_path / "features.py").write_text("from lib import deep\nimport numpy\n")
    package = tmp_path / "lib"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "deep.py").write_text("from . import other\nfrom .more import x\n")
    (package / "other.py").write_text("import features\n")
    (package / "more.py").write_text("x = (\n")
    (package / "unused.py").write_text("")
    assert local_modules(tmp_path, ["features", "pandas.core"]) == {
        "features": "from lib import deep\nimport numpy\n",
        "lib": "",
        "lib.deep": "from . import other\nfrom .more import x\n",
        "lib.more": "x = (\n",
        "lib.other": "import features\n",
    }
