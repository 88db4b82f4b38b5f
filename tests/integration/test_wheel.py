"""The built wheel alone compiles and runs a notebook of one's own, in an empty folder without git or nbmlops.toml."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]

CELLS = [
    (["imports"], "import pandas as pd"),
    (["parameters"], "factor = 2"),
    (["step:load"], "numbers = pd.DataFrame({'x': [1, 2, 3]})"),
    (["step:total"], "total = int(numbers['x'].sum()) * factor\ntotal"),
]


def notebook() -> str:
    cells = [nbformat.v4.new_code_cell(source, metadata={"tags": tags}) for tags, source in CELLS]
    document = nbformat.v4.new_notebook(cells=cells)
    document.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return str(nbformat.writes(document))


def nbmlops(site: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"PYTHONPATH": str(site)}
    command = [sys.executable, "-m", "nbmlops", *arguments]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_wheel_compiles_and_runs_in_an_empty_folder(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    folder = tmp_path / "my work"
    folder.mkdir()
    (folder / "sums.ipynb").write_text(notebook())

    compiled = nbmlops(site, folder, "compile", "sums.ipynb", "--format", "json")
    assert compiled.returncode == 0, compiled.stdout + compiled.stderr
    assert [step["name"] for step in json.loads(compiled.stdout)["steps"]] == ["load", "total"]

    run = nbmlops(site, folder, "run", "pipelines/sums", "-p", "factor=5", "--format", "json")
    assert run.returncode == 0, run.stdout + run.stderr
    record = json.loads(run.stdout)
    assert (record["status"], [step["status"] for step in record["steps"]]) == ("succeeded", ["executed", "executed"])
    executed = nbformat.read(folder / record["steps"][1]["notebook"], as_version=4)
    outputs = [output for cell in executed.cells for output in cell.get("outputs", [])]
    assert [output["data"]["text/plain"] for output in outputs if "data" in output] == ["30"]
    assert site.as_posix() in nbmlops(site, folder, "doctor", "--format", "json").stdout
