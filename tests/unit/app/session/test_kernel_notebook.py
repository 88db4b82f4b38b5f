import json
from pathlib import Path

import pytest

from nbmlops.app.session.kernel_notebook import locate_notebook
from nbmlops.core.errors import UsageError


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: Path, *sources: str, metadata: object = None):
    cells = [{"cell_type": "code", "source": source.splitlines(keepends=True)} for source in sources]
    path.write_text(json.dumps({"cells": cells, "metadata": metadata or {}}))
    return path


def test_the_given_path_wins(here: Path):
    given, other = write(here / "a.ipynb"), write(here / "b.ipynb")
    assert locate_notebook(given, {}, {"JPY_SESSION_NAME": str(other)}, ()) == given


def test_a_given_path_that_does_not_exist(here: Path):
    write(here / "flights.ipynb")
    with pytest.raises(UsageError) as caught:
        locate_notebook(here / "flight.ipynb", {}, {}, ())
    assert caught.value.hint == f"did you mean {(here / 'flights.ipynb').as_posix()}?"


def test_hints_of_front_ends_in_order(here: Path):
    one, two, three = (write(here / f"{name}.ipynb") for name in "abc")
    environment = {"IPYNB_FILE": str(two), "JPY_SESSION_NAME": str(three)}
    assert locate_notebook(None, {"__vsc_ipynb_file__": str(one)}, environment, ()) == one
    assert locate_notebook(None, {}, environment, ()) == two
    assert locate_notebook(None, {}, {"JPY_SESSION_NAME": str(three)}, ()) == three


def test_hints_that_name_no_notebook_are_passed_over(here: Path):
    environment = {"IPYNB_FILE": str(here / "gone.ipynb"), "JPY_SESSION_NAME": "console-1-2b3c"}
    assert locate_notebook(None, {"__vsc_ipynb_file__": 3}, environment, ()) is None


def test_the_only_notebook_here_that_holds_the_cell(here: Path):
    cell = "%load_ext nbmlops\n%mlops track"
    found = write(here / "a.ipynb", "x = 1", cell + "\n")
    write(here / "b.ipynb", "x = 2", cell)
    write(here / "result.ipynb", "x = 1", cell, metadata={"papermill": {"output_path": "result.ipynb"}})
    (here / "broken.ipynb").write_text("{")
    assert locate_notebook(None, {}, {}, ("", "# Parameters\nx = 2", "x = 1", cell)) == found


def test_two_notebooks_that_hold_the_cell_are_none(here: Path):
    write(here / "a.ipynb", "%mlops track")
    write(here / "b.ipynb", "%mlops track")
    assert locate_notebook(None, {}, {}, ["%mlops track"]) is None
    assert locate_notebook(None, {}, {}, [" "]) is None
