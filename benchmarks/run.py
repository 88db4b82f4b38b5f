"""`make bench`: what nbmlops costs, as ratios beside bare Python and plain papermill, measured in one run.

Works in a temporary copy of the example project, offline, and leaves nothing behind.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from measure import Candidate, compare, table

ROOT = Path(__file__).resolve().parents[1]
NBMLOPS = [sys.executable, "-m", "nbmlops"]
NOTEBOOK = "example_notebooks/flight_delays.ipynb"
PIPELINE = "pipelines/flight_delays"
# What any compiler must do at least: read the JSON and parse the cells that are plain Python.
PARSE = f"""
import ast, json
for cell in json.load(open({NOTEBOOK!r}))["cells"]:
    source = "".join(cell["source"])
    if cell["cell_type"] == "code" and "%" not in source:
        ast.parse(source)
"""


def main() -> None:
    """Prints one table after another; the whole takes some minutes."""
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        project.mkdir()
        for name in ("example_notebooks", "schemas"):
            shutil.copytree(ROOT / name, project / name)
        shutil.copy(ROOT / "nbmlops.toml", project)
        env = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true", "PYTHONWARNINGS": "ignore"}

        def forget_runs() -> None:
            for name in (".nbmlops", "runs", "mlartifacts"):
                shutil.rmtree(project / name, ignore_errors=True)
            (project / "mlflow.db").unlink(missing_ok=True)

        bare = Candidate("bare Python", [sys.executable, "-c", "pass"])
        start_up = compare([bare, Candidate("nbmlops --help", [*NBMLOPS, "--help"])], 10, project, env)
        print(table("Start-up", start_up, "bare Python"), flush=True)

        parsed = Candidate("bare Python reads the notebook", [sys.executable, "-c", PARSE])
        compiled = Candidate("nbmlops compile", [*NBMLOPS, "compile", NOTEBOOK])
        papermill = Candidate("papermill --version", [sys.executable, "-m", "papermill", "--version"])
        print(table("Compile", compare([parsed, compiled, papermill], 5, project, env), parsed.name), flush=True)

        def fresh() -> None:
            forget_runs()
            (project / "runs").mkdir()

        papermill_run = [sys.executable, "-m", "papermill", "--no-progress-bar", "--cwd", "example_notebooks"]
        plain = Candidate("papermill, the notebook", [*papermill_run, NOTEBOOK, "runs/plain.ipynb"], fresh)
        full = Candidate("nbmlops run, nothing cached", [*NBMLOPS, "run", PIPELINE], forget_runs)
        print(table("Whole example", compare([plain, full], repetitions, project, env), plain.name), flush=True)

        again = Candidate("nbmlops run, nothing changed", [*NBMLOPS, "run", PIPELINE])
        forget_runs()
        compare([Candidate("first run", [*NBMLOPS, "run", PIPELINE])], 1, project, env)
        print(table("No-op rerun", compare([bare, again], 5, project, env), bare.name), flush=True)


if __name__ == "__main__":
    main()
