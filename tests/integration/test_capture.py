"""A notebook with no line of ours but `track`, in a real kernel: its inputs, cells and order are in its run."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from nbmlops.data.fingerprints.files import fingerprint_file
from nbmlops.data.fingerprints.fingerprint import fingerprint
from nbmlops.tracking.mlflow_tracker import MlflowTracker

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
CELLS = (
    "%load_ext nbmlops\n%mlops track",
    "import pandas as pd\nfolder = 'data'",
    "left = pd.read_parquet(f'{folder}/left.parquet')\nright = pd.read_csv(f'{folder}/right.csv')",
    "both = left.merge(right, on='key')\nboth.to_csv('both.csv', index=False)",
    "again = pd.read_csv('both.csv')",
)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    import pandas as pd

    root = tmp_path / "project"
    (root / "data").mkdir(parents=True)
    (root / "nbmlops.toml").write_text("")
    frame = pd.DataFrame({"key": [1, 2], "value": [0.5, 1.5]})
    frame.to_parquet(root / "data" / "left.parquet")
    frame.to_csv(root / "data" / "right.csv", index=False)
    for name in ("MLFLOW_TRACKING_URI", "JPY_SESSION_NAME", "IPYNB_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.chdir(root)
    return root


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere files that libraries read past Python are not seen")
def test_track_alone_gives_inputs_cells_and_order(project: Path):
    import nbformat
    import pandas as pd
    from nbclient import NotebookClient
    from nbformat.v4 import new_code_cell, new_notebook

    notebook = new_notebook(cells=[new_code_cell(source) for source in CELLS])
    nbformat.write(notebook, project / "join.ipynb")
    NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(project)}}
    ).execute()

    with closing(sqlite3.connect(project / "mlflow.db")) as store:
        ((run_id,),) = store.execute("select run_uuid from runs").fetchall()
    run = MlflowTracker("sqlite:///mlflow.db", project).run_facts(run_id)
    digests = {name: fingerprint_file(project / name) for name in ("data/left.parquet", "data/right.csv", "both.csv")}
    assert run.data == digests
    assert {name: run.tags[f"nbmlops.data.{name}"] for name in digests} == digests
    assert run.tags["nbmlops.reproducible"] == "yes, as far as the cells tell"
    (path,) = (project / "mlartifacts").rglob("cells.json")
    runs = json.loads(path.read_text())["runs"]
    left, right = pd.read_parquet("data/left.parquet"), pd.read_csv("data/right.csv")
    both = left.merge(right, on="key")
    frames = {name: fingerprint(frame) for name, frame in (("left", left), ("right", right), ("both", both))}
    made = [{name: (one["type"], one["shape"], one["digest"]) for name, one in cell["made"].items()} for cell in runs]
    assert made == [
        {},
        {},
        {name: ("pandas.DataFrame", [2, 2], frames[name]) for name in ("left", "right")},
        {"both": ("pandas.DataFrame", [2, 3], frames["both"])},
        {"again": ("pandas.DataFrame", [2, 3], frames["both"])},
    ]
    used = {name: frames[name] for name in ("left", "right")}
    assert [cell["used"] for cell in runs] == [{}, {}, {}, used, {}]
    told = [(cell["outcome"], cell["read"], cell["wrote"]) for cell in runs]
    assert told == [
        ("done", {}, []),
        ("done", {}, []),
        ("done", {"data/left.parquet": "inotify", "data/right.csv": "audit"}, []),
        ("done", {}, ["both.csv"]),
        ("done", {"both.csv": "audit"}, []),
    ]
