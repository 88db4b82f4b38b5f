"""`make bench`: what nbmlops costs, as ratios beside bare Python and plain papermill, measured in one run.

Works in a temporary copy of the example project, offline, and leaves nothing behind.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from measure import Candidate, Timing, compare, table

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

# Steps that do next to nothing: what is timed is starting them.
LIGHT = [("imports", "import json"), ("step:a", "n = 1"), ("step:b", "m = n + 1"), ("step:c", "print(json.dumps(m))")]
HEAVY = [
    (
        "imports",
        "import time\nimport pandas as pd\nfrom sklearn.ensemble import RandomForestRegressor\nfrom scipy import stats",
    ),
    ("step:a", 'frame = pd.DataFrame({"x": range(100), "y": range(100)})'),
    ("step:b", 'model = RandomForestRegressor(2, random_state=1).fit(frame[["x"]], frame["y"])'),
    ("step:c", 'model.predict(frame[["x"]]), stats.norm.cdf(0)\nprint(time.process_time())'),
]
# Two branches of some seconds each, which need nothing of each other.
WORK = "{0} = sum(math.sin(x * {1}) for _ in range(300) for x in rows)"
BRANCHES = [
    ("imports", "import math"),
    ("step:load", "rows = list(range(200_000))"),
    ("step:left", WORK.format("left", 2)),
    ("step:right", WORK.format("right", 3)),
    ("step:join", "print(left + right)"),
]
KERNEL = {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}}
PAPERMILL = [sys.executable, "-m", "papermill", "--no-progress-bar"]


def write_notebook(path: Path, cells: Sequence[tuple[str, str]]) -> None:
    """Writes a notebook of tagged cells."""
    listed = [
        {
            "cell_type": "code", "id": f"c{number}", "metadata": {"tags": [tag]}, "source": source,
            "execution_count": None, "outputs": [],
        }
        for number, (tag, source) in enumerate(cells)
    ]  # fmt: skip
    path.write_text(json.dumps({"cells": listed, "metadata": KERNEL, "nbformat": 4, "nbformat_minor": 5}))


def three_steps(folder: Path, repetitions: int, env: Mapping[str, str]) -> str:
    """Returns what three steps cost beside three calls of papermill on notebooks as small."""
    write_notebook(folder / "light.ipynb", LIGHT)
    write_notebook(folder / "one.ipynb", LIGHT[:2])
    run = [*NBMLOPS, "run", "light", "--force"]
    for command in ([*NBMLOPS, "compile", "light.ipynb"], run):  # MLflow makes its database in the first run
        subprocess.run(command, cwd=folder, env=env, check=True, capture_output=True)
    calls = (
        f"import subprocess\nfor _ in range(3): subprocess.run({[*PAPERMILL, 'one.ipynb', 'out.ipynb']!r}, check=True)"
    )
    untracked = [part for name in "abc" for part in ("--only", name)]
    candidates = [
        Candidate("papermill, three times", [sys.executable, "-c", calls]),
        Candidate("nbmlops run --cold, not tracked", [*run, *untracked, "--cold"]),
        Candidate("nbmlops run, not tracked", [*run, *untracked]),
        Candidate("nbmlops run, tracked with MLflow", run),
    ]
    return table("Three small steps", compare(candidates, repetitions, folder, env), candidates[0].name)


def heavy_start(folder: Path, repetitions: int, env: Mapping[str, str]) -> str:
    """Returns what a step costs whose imports are heavy, wall as the runner sees it and CPU of its process."""
    write_notebook(folder / "heavy.ipynb", HEAVY)
    subprocess.run([*NBMLOPS, "compile", "heavy.ipynb"], cwd=folder, env=env, check=True, capture_output=True)
    seen: dict[str, list[Timing]] = {"cold": [], "warm": []}
    for _ in range(repetitions):
        for kind, options in (("cold", ["--cold"]), ("warm", [])):
            command = [*NBMLOPS, "run", "heavy", "--force", "--format", "json", *options]
            done = subprocess.run(command, cwd=folder, env=env, check=True, capture_output=True, text=True)
            step = json.loads(done.stdout)["steps"][-1]
            cells = json.loads((folder / step["notebook"]).read_text())["cells"]
            shown = [
                "".join(output["text"]) for cell in cells for output in cell.get("outputs", ()) if "text" in output
            ]
            seen[kind].append(Timing(step["seconds"], float(shown[-1]), step["peak"] / 2**20))
    timings = {
        kind: Timing(median(t.wall for t in all_), median(t.cpu for t in all_), median(t.peak for t in all_))
        for kind, all_ in seen.items()
    }
    return table("The last of three steps with heavy imports", timings, "cold")


def papermill_loop(folder: Path, repetitions: int, env: Mapping[str, str], count: int = 3) -> str:
    """Returns what notebooks cost that one process executes by papermill, with its own engine and with ours."""
    write_notebook(folder / "heavy_one.ipynb", HEAVY)
    call = "papermill.execute_notebook('heavy_one.ipynb', f'out{n}.ipynb', progress_bar=False"
    loop = f"import papermill\nfor n in range({count}): {call}"
    candidates = [
        Candidate("papermill", [sys.executable, "-c", f"{loop})"]),
        Candidate("papermill, engine nbmlops", [sys.executable, "-c", f"{loop}, engine_name='nbmlops')"]),
    ]
    timings = compare(candidates, repetitions, folder, env)
    return table(f"{count} notebooks with heavy imports in one process", timings, candidates[0].name)


def branches(folder: Path, repetitions: int, env: Mapping[str, str]) -> str:
    """Returns what a notebook with two branches costs when they run at once, beside the notebook under papermill."""
    write_notebook(folder / "branches.ipynb", BRANCHES)
    run = [*NBMLOPS, "run", "branches", "--force"]
    for command in ([*NBMLOPS, "compile", "branches.ipynb"], run):  # the first run records what the steps touch
        subprocess.run(command, cwd=folder, env=env, check=True, capture_output=True)
    candidates = [
        Candidate("papermill, the notebook", [*PAPERMILL, "branches.ipynb", "out.ipynb"]),
        Candidate("nbmlops run --jobs 1", [*run, "--jobs", "1"]),
        Candidate("nbmlops run --jobs 2", [*run, "--jobs", "2"]),
    ]
    return table("Two branches", compare(candidates, repetitions, folder, env), candidates[0].name)


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

        small = Path(folder) / "small"
        small.mkdir()
        print(three_steps(small, repetitions, env), flush=True)
        print(heavy_start(small, repetitions, env), flush=True)
        print(papermill_loop(small, repetitions, env), flush=True)
        print(papermill_loop(small, 1, env, count=10), flush=True)
        print(branches(small, repetitions, env), flush=True)

        papermill_run = [*PAPERMILL, "--cwd", "example_notebooks"]
        plain = Candidate("papermill, the notebook", [*papermill_run, NOTEBOOK, "runs/plain.ipynb"], fresh)
        cold = Candidate("nbmlops run --cold, nothing cached", [*NBMLOPS, "run", PIPELINE, "--cold"], forget_runs)
        full = Candidate("nbmlops run, nothing cached", [*NBMLOPS, "run", PIPELINE], forget_runs)
        print(table("Whole example", compare([plain, cold, full], repetitions, project, env), plain.name), flush=True)

        again = Candidate("nbmlops run, nothing changed", [*NBMLOPS, "run", PIPELINE])
        forget_runs()
        compare([Candidate("first run", [*NBMLOPS, "run", PIPELINE])], 1, project, env)
        print(table("No-op rerun", compare([bare, again], 5, project, env), bare.name), flush=True)


if __name__ == "__main__":
    main()
