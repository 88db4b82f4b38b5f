"""Bad input and faults in a tracked notebook: a real shell and a real SQLite store, one run for nearly all."""

from __future__ import annotations

import math
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from nbmlops.tracking.mlflow_tracker import MlflowTracker
from tests.faults.shells import ROOT, Shell

pytestmark = pytest.mark.slow

URI = "sqlite:///mlflow.db"
CELLS = 1_000
LOCKED_SECONDS = 30 if "NBMLOPS_SOAK" in os.environ else 2
SETTLE = "import nbmlops.app.session.current as s; s.current_session()._store._outbox.settle(120)"
RUN = "s.current_session()._store.title.run_id"

WATCH = """
import os, sys
folder = os.path.dirname(__file__)
def note(name, text):
    with open(os.path.join(folder, name), "a") as file:
        file.write(text + "\\n")
def hook(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname"):
        note("asked", f"{os.getpid()} {arguments}")
note("watched", str(os.getpid()))
sys.addaudithook(hook)
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("project")


@pytest.fixture(scope="module")
def shell(project: Path) -> Iterator[Shell]:
    """A shell whose run is followed."""
    shell = Shell(project)
    assert shell.run("%mlops track --name faults --experiment demo").error == ""
    yield shell
    shell.end()


def settled(shell: Shell) -> str:
    """Returns the run's id when everything is in the store."""
    assert shell.run(SETTLE, silent=True).error == ""
    run_id = shell.value(RUN)
    assert isinstance(run_id, str)
    return run_id


def run_of(shell: Shell, project: Path) -> Any:
    return MlflowTracker(f"sqlite:///{project}/mlflow.db", project).run_facts(settled(shell))


def test_metrics_that_are_no_numbers(shell: Shell, project: Path) -> None:
    ran = shell.run(
        "%mlops metric lost = float('nan')\n%mlops metric most = float('inf')\n%mlops metric least = -1e999"
    )
    assert ran.error == ""
    metrics = run_of(shell, project).metrics
    assert math.isnan(metrics["lost"])
    assert (metrics["most"], metrics["least"]) == (math.inf, -math.inf)


def test_a_parameter_of_10_mb_is_kept_whole_and_holds_nobody_up(shell: Shell, project: Path) -> None:
    ran = shell.run("import nbmlops; _ = nbmlops.param('long', 'word ' * 2_000_000)")
    assert ran.error == ""
    stored = run_of(shell, project).params["long"]
    assert stored.startswith("10000000 characters, sha256 ")
    artifacts = project / "mlartifacts" / settled(shell) / "artifacts"
    assert (artifacts / stored.rpartition(" ")[2]).read_text() == "word " * 2_000_000
    assert shell.run("print(1)").output == "1\n"


def test_a_frame_with_unhashable_objects(shell: Shell, project: Path) -> None:
    made = "import pandas as pd; odd = pd.DataFrame({'a': [[1], {'b': 2}, {3}, b'x'], 'n': range(4)})"
    assert shell.run(made).error == ""
    assert shell.run("%mlops data odd").error == ""
    first = run_of(shell, project).data["odd"]
    assert shell.run("odd['n'] = odd['n'] + 1\n%mlops data odd").error == ""
    assert run_of(shell, project).data["odd"] != first


def test_10_000_columns(shell: Shell, project: Path) -> None:
    made = "wide = pd.DataFrame(np.zeros((3, 10_000)), columns=[f'c{n}' for n in range(10_000)])"
    assert shell.run(f"import numpy as np, pandas as pd\n{made}").error == ""
    assert shell.run("%mlops data wide").error == ""
    assert "wide" in run_of(shell, project).data


def test_a_schema_broken_by_hand(shell: Shell, project: Path) -> None:
    (project / "schemas").mkdir(exist_ok=True)
    (project / "schemas" / "broken.yaml").write_text("columns: [\n  a: {")
    assert shell.run("import pandas as pd; small = pd.DataFrame({'n': range(4)})").error == ""
    ran = shell.run("%mlops check small --schema broken")
    assert ran.error.startswith("UsageError"), ran
    assert "schemas/broken.yaml" in ran.error
    assert shell.run("len(small)").value == "4"


def test_a_database_that_another_program_has_locked(shell: Shell, project: Path) -> None:
    settled(shell)
    with closing(sqlite3.connect(project / "mlflow.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        began = time.monotonic()
        took = [shell.run(f"%mlops metric locked = {number}").seconds for number in range(3)]
        assert max(took) < LOCKED_SECONDS
        time.sleep(max(0.0, LOCKED_SECONDS - (time.monotonic() - began)))
        other.execute("ROLLBACK")
    tracker = MlflowTracker(f"sqlite:///{project}/mlflow.db", project)
    history = tracker._client.get_metric_history(settled(shell), "locked")
    assert [metric.value for metric in history] == [0, 1, 2]


def test_cells_that_show_nothing_stay_silent(shell: Shell) -> None:
    said = [shell.run(source, silent=True).output for source in ("x = 1", "x", "%mlops metric silent = 1")]
    assert said == ["", "", ""]


def test_1_000_cells(shell: Shell, project: Path) -> None:
    for number in range(CELLS):
        assert shell.run(f"many = {number}").error == ""
    cells = shell.value("[run.source for run in s.current_session()._cells.runs]")
    assert cells[-CELLS:] == [f"many = {number}" for number in range(CELLS)]


@pytest.mark.parametrize(
    "harm",
    ["del get_ipython", "import builtins; del builtins.get_ipython", "import sys; sys.stderr = None", "In.clear()"],
)
def test_what_a_cell_does_to_its_shell(shell: Shell, project: Path, harm: str) -> None:
    count = shell.value("len(s.current_session()._cells.runs)")
    shell.run(harm)
    assert shell.run("after = 1; import nbmlops; _ = nbmlops.metric('after', 1.0)").error == ""
    assert shell.value("len(s.current_session()._cells.runs)") == count + 2
    shell.run("import sys, builtins; from IPython import get_ipython; builtins.get_ipython = get_ipython")


def test_two_kernels_on_one_notebook(shell: Shell, project: Path) -> None:
    import nbformat

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x = 1")])
    nbformat.write(notebook, project / "both.ipynb")
    shell.run("%mlops track --notebook both.ipynb")
    other = Shell(project)
    assert other.run("%mlops track --notebook both.ipynb --experiment demo").error == ""
    for number in range(3):
        assert shell.run(f"%mlops metric twice = {number}").error == ""
        assert other.run(f"%mlops metric twice = {number + 10}").error == ""
    mine, theirs = settled(shell), settled(other)
    other.end()
    tracker = MlflowTracker(f"sqlite:///{project}/mlflow.db", project)
    assert mine != theirs
    assert [tracker.run_facts(run).metrics["twice"] for run in (mine, theirs)] == [2, 12]
    assert [tracker.run_facts(run).state.value for run in (mine, theirs)] == ["RUNNING", "FINISHED"]


def test_a_tracked_notebook_speaks_to_nobody_but_its_store(tmp_path: Path) -> None:
    """A hook in both processes, the kernel's and the one that speaks to the store, notes every address asked for."""
    (tmp_path / "sitecustomize.py").write_text(WATCH)
    shell = Shell(tmp_path, PYTHONPATH=os.pathsep.join([str(tmp_path), str(ROOT)]))
    for source in ("%mlops track --name quiet", "%mlops metric auc = 0.5", "import math\nx = math.pi"):
        assert shell.run(source).error == ""
    settled(shell)
    shell.end()
    assert len((tmp_path / "watched").read_text().split()) == 2
    assert not (tmp_path / "asked").exists()


@pytest.mark.skipif("NBMLOPS_SOAK" not in os.environ, reason="takes 2 GB of memory: make soak")
def test_a_frame_of_2_gb(shell: Shell, project: Path) -> None:
    ran = shell.run("import numpy as np, pandas as pd; big = pd.DataFrame(np.ones((25_000_000, 10)))\n%mlops data big")
    assert ran.error == ""
    assert "big" in run_of(shell, project).data
    assert shell.run("del big").error == ""
