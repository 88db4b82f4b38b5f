"""The doors tell the same: executed notebook and compiled pipeline log equal results, each into a fresh store.

Beside a champion, over a server: `test_on_a_server`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path.stem for path in (ROOT / "example_notebooks").glob("*.ipynb"))

# A notebook without `%mlops` lines is not tracked: these lines track it and log what its table in nbmlops.toml names.
TRACK = """
%load_ext nbmlops
%mlops track --notebook {notebook}
"""

LAST_RUN = """
import json, sys
from mlflow import MlflowClient
client = MlflowClient(sys.argv[1])
experiments = [e.experiment_id for e in client.search_experiments() if e.name != "Default"]
(run,) = client.search_runs(experiments, order_by=["start_time DESC"], max_results=1)
verdict = client.download_artifacts(run.info.run_id, "verdict.json", sys.argv[2])
print(json.dumps({
    "metrics": {name: value.hex() for name, value in run.data.metrics.items()},
    "data": {k: v for k, v in run.data.tags.items() if k.startswith("nbmlops.data.")},
    "inputs": {one.dataset.name: one.dataset.digest for one in run.inputs.dataset_inputs},
    "verdict": open(verdict).read(),
    "status": run.info.status,
}))
"""


@dataclass(frozen=True, slots=True)
class Logged:
    """What a run left in its store: metrics to the last bit, fingerprints of what it declares and of files that it
    read, as tags and as MLflow's inputs, the verdict's bytes, the status.
    """

    metrics: dict[str, str]
    data: dict[str, str]
    inputs: dict[str, str]
    verdict: str
    status: str


def project(folder: Path) -> Path:
    folder.mkdir()
    shutil.copytree(ROOT / "example_notebooks", folder / "example_notebooks")
    shutil.copytree(ROOT / "schemas", folder / "schemas")
    shutil.copy(ROOT / "nbmlops.toml", folder)
    return folder


def logged(folder: Path) -> Logged:
    target = folder / "downloaded"
    target.mkdir(exist_ok=True)
    command = [sys.executable, "-W", "ignore", "-c", LAST_RUN, f"sqlite:///{folder}/mlflow.db", str(target)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Logged(**json.loads(done.stdout.splitlines()[-1]))


def run_pipeline(folder: Path, name: str) -> Logged:
    """Returns what the pipeline logs; nothing is registered, so that the next verdict finds no champion either."""
    run_commands(folder, ["compile", f"example_notebooks/{name}.ipynb"], ["run", f"pipelines/{name}", "--no-register"])
    return logged(folder)


def judge_again(folder: Path, name: str) -> Logged:
    """Returns what is logged after the command has judged the same run."""
    run_commands(folder, ["gate", f"pipelines/{name}"])
    return logged(folder)


def run_commands(folder: Path, *commands: list[str]) -> None:
    for arguments in commands:
        done = subprocess.run(
            [sys.executable, "-m", "nbmlops", *arguments],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"},
        )
        assert done.returncode == 0, done.stdout + done.stderr


def with_closing_lines(notebook: nbformat.NotebookNode, name: str) -> nbformat.NotebookNode:
    """Returns the notebook; one without `%mlops` lines gets those that say what its table in nbmlops.toml says."""
    if any("%mlops" in cell.source for cell in notebook.cells):
        return notebook
    table = tomllib.loads((ROOT / "nbmlops.toml").read_text())["pipelines"][name]
    metrics = "\n".join(f"%mlops metric {metric} {variable}" for metric, variable in table["metrics"].items())
    notebook.cells.insert(0, nbformat.v4.new_code_cell(TRACK.format(notebook=f"{name}.ipynb")))
    closing = f"%mlops gate\n%mlops register {table['model']} --data {table['data']}"
    notebook.cells += [nbformat.v4.new_code_cell(metrics), nbformat.v4.new_code_cell(closing)]
    return notebook


def run_notebook(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> Logged:
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("JPY_SESSION_NAME", str(folder / "example_notebooks" / f"{name}.ipynb"))
    path = folder / "example_notebooks" / f"{name}.ipynb"
    notebook = with_closing_lines(nbformat.read(path, as_version=4), name)
    resources = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=resources).execute()
    return logged(folder)


def test_there_are_three_examples() -> None:
    assert len(EXAMPLES) == 3


@pytest.mark.slow
@pytest.mark.parametrize("name", EXAMPLES)
def test_all_doors_give_equal_results(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = project(tmp_path / "pipeline")
    by_pipeline = run_pipeline(folder, name)
    assert judge_again(folder, name) == by_pipeline
    by_notebook = run_notebook(project(tmp_path / "notebook"), name, monkeypatch)
    assert by_notebook == by_pipeline
    assert by_pipeline.metrics
    assert by_pipeline.status == "FINISHED"
    assert json.loads(by_pipeline.verdict)
