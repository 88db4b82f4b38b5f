"""Generated files in the real engines, on the flight example: results equal to the local run. `make test-targets`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.notebooks import compiled, tagged

pytestmark = [pytest.mark.targets, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
PLACES = Path(os.environ["NBMLOPS_TARGETS"]).resolve()
FOLDER = "pipelines/flight_delays"
KFP = """\
import sys
from kfp import local
sys.path.insert(0, sys.argv[1])
local.init(runner=local.SubprocessRunner(use_venv=False), pipeline_root=sys.argv[2])
import kfp_pipeline
kfp_pipeline.flight_delays()
"""
CI = {
    "gitlab": "pipelines/tea/gitlab-ci.yml",
    "docker": "pipelines/tea/compose.yaml",
    "github": ".github/workflows/tea.yml",
}
SCHEMAS = {"gitlab": "vendor.gitlab-ci", "docker": "vendor.compose-spec", "github": "vendor.github-workflows"}
BRANCHES = tagged("parameters: n = 1", "step:a: x = [n]", "step:b: y = x", "step:c: z = x", "step:d: w = y + z")


def nbmlops(folder: Path, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "nbmlops", *arguments], cwd=folder, check=True)


def project(folder: Path) -> Path:
    """Copies what the flight example needs, and compiles it for all engines."""
    for name in ("example_notebooks", "schemas", "pipelines/flight_delays"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "nbmlops.toml", folder)
    targets = [word for name in ("kfp", "airflow", "prefect", "zenml") for word in ("--target", name)]
    nbmlops(folder, "compile", "example_notebooks/flight_delays.ipynb", *targets)
    return folder


def results(folder: Path) -> dict[str, Any]:
    """What a run left: of each step its key, values and metrics; of the run its metrics and verdict."""
    found: dict[str, Any] = {}
    for path in sorted((folder / ".nbmlops/state/flight_delays").glob("*.json")):
        (record,) = json.loads(path.read_text())["records"]
        outcome = record["outcome"]
        found[record["step"]] = (record["key"], outcome["values"], outcome["log"]["metrics"])
    runs = sorted(folder.glob("runs/flight_delays/*/run.json"), key=lambda path: path.stat().st_mtime)
    run = json.loads(runs[-1].read_text())
    return found | {"metrics": run["metrics"], "verdict": run["verdict"], "status": run["status"]}


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = project(tmp_path_factory.mktemp("local"))
    nbmlops(folder, "run", FOLDER)
    return results(folder)


def start(engine: str, folder: Path, *command: str, **variables: str) -> None:
    """Runs a program of an engine's environment, with this `nbmlops` as the command of its tasks."""
    programs = folder / "bin"
    programs.mkdir(exist_ok=True)
    script = programs / "nbmlops"
    script.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m nbmlops "$@"\n')
    script.chmod(0o755)
    path = f"{PLACES / engine / 'bin'}:{programs}:{os.environ['PATH']}"
    kept = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    environment = kept | {"PATH": path, "DO_NOT_TRACK": "1", **variables}
    subprocess.run(command, cwd=folder, env=environment, check=True)


def test_kubeflow_pipelines(local: Mapping[str, Any], tmp_path: Path) -> None:
    folder = project(tmp_path)
    start("kfp", folder, "python", "-c", KFP, str(folder / FOLDER), str(folder / "kfp"))
    assert results(folder) == local


def test_airflow(local: Mapping[str, Any], tmp_path: Path) -> None:
    folder = project(tmp_path)
    settings = {
        "AIRFLOW_HOME": str(folder / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(folder / FOLDER),
    }
    start("airflow", folder, "airflow", "db", "migrate", **settings)
    start("airflow", folder, "airflow", "dags", "test", "flight_delays", **settings)
    assert results(folder) == local


def test_prefect(local: Mapping[str, Any], tmp_path: Path) -> None:
    folder = project(tmp_path)
    settings = {
        "PREFECT_HOME": str(folder / "prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
    }
    start("prefect", folder, "python", f"{FOLDER}/prefect_flow.py", **settings)
    assert results(folder) == local


def test_branches_that_share_more_than_values_keep_notebook_order_in_an_engine(tmp_path: Path) -> None:
    """Prefect begins the branches at once: both draw random numbers, one sets an option, one reads the other's file."""
    cells = tagged(
        "parameters: n = 3",
        "step:seed: import numpy as np, pandas as pd; np.random.seed(n); base = n",
        "step:left: x = np.random.rand(3); pd.options.display.precision = 2; open('notes.txt', 'w').write('left')",
        "step:right: y = np.random.rand(3); shown = str(pd.Series([1 / 3]))",
        "step:third: notes = open('notes.txt').read()",
        "step:last: both = [base, x, y, shown, notes]",
    )
    here, there = tmp_path / "here", tmp_path / "there"
    found = []
    for folder in (here, there):
        for path, data in compiled(cells, targets=("prefect",)).files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
    nbmlops(here, "run", "pipelines/tea")
    settings = {
        "PREFECT_HOME": str(there / "prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
    }
    start("prefect", there, "python", "pipelines/tea/prefect_flow.py", **settings)
    for folder in (here, there):
        paths = (folder / ".nbmlops/state/tea").glob("*.json")
        records = [json.loads(path.read_text())["records"][0] for path in paths]
        found.append({record["step"]: (record["key"], record["outcome"]["values"]) for record in records})
    assert found[0] == found[1]
    run = json.loads(next(there.glob("runs/tea/*/run.json")).read_text())
    assert [step["status"] for step in run["steps"]] == ["cached"] * 5  # nothing had to be done again


def test_zenml(local: Mapping[str, Any], tmp_path: Path) -> None:
    folder = project(tmp_path)
    settings = {"ZENML_CONFIG_PATH": str(folder / "zenml"), "ZENML_ANALYTICS_OPT_IN": "false"}
    start("zenml", folder, "python", f"{FOLDER}/zenml_pipeline.py", **settings)
    assert results(folder) == local


@pytest.mark.parametrize("target", sorted(CI))
def test_files_for_ci_fit_their_published_schemas(target: str, tmp_path: Path) -> None:
    path = tmp_path / Path(CI[target]).name
    path.write_bytes(compiled(BRANCHES, targets=(target,)).files[CI[target]])
    start("ci", tmp_path, "check-jsonschema", "--builtin-schema", SCHEMAS[target], str(path))


def test_the_jenkinsfile_is_groovy(tmp_path: Path) -> None:
    (tmp_path / "Jenkinsfile").write_bytes(compiled(BRANCHES, targets=("jenkins",)).files["pipelines/tea/Jenkinsfile"])
    start("ci", tmp_path, "python", str(Path(__file__).with_name("parse_groovy.py")), "Jenkinsfile")
