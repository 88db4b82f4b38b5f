"""Kills runs of a pipeline after their last step, each at one point, and tells what the next runs make of it.

    python closing_points.py FOLDER POINT...

All happens in forks of this process, which has imported what runs take: in processes of their own each would spend
seconds to import the same again.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow.sklearn
import nbformat
import pandas as pd
import skops.io
from mlflow.entities import LoggedModelStatus
from sklearn.svm import LinearSVC

from nbmlops.app.compiling.compile import CompileRequest, compile_project
from nbmlops.app.running import killed, run, stages
from nbmlops.app.running.results import ResultsIndex
from nbmlops.registry import mlflow_registry
from nbmlops.registry.mlflow_registry import MlflowRegistry
from nbmlops.runtime.schedule.events import FormerRunKilled

IMPORTED = (mlflow.sklearn, pd, skops.io, LinearSVC, killed)
"""What the runs import, too."""
POINTS: dict[str, tuple[Any, str, bool]] = {
    "before judging": (stages, "judge", False),
    "after judging": (stages, "judge", True),
    "while the model is stored": (mlflow_registry, "_save", False),
    "after the model is stored": (MlflowRegistry, "_log_model", True),
    "after the version is made": (MlflowRegistry, "add", True),
    "after the alias is set": (MlflowRegistry, "set_alias", True),
    "after registering": (stages, "register_model", True),
    "before writing": (run, "write_documents", False),
    "after writing": (run, "write_documents", True),
    "before the end": (ResultsIndex, "remember", False),
    "at the end": (ResultsIndex, "remember", True),
}
"""What is called there, and whether it dies when that is over rather than when it begins."""


CELLS = {
    "imports": "import numpy as np\nfrom sklearn.svm import LinearSVC\n%load_ext nbmlops\n%mlops track",
    "step:train": "X = np.random.default_rng(0).normal(size=(200, 2))\nmodel = LinearSVC().fit(X, X[:, 0] > 0)",
    "step:score": "accuracy = float(model.score(X, X[:, 0] > 0))\n%mlops metric accuracy",
    "": "%mlops gate\n%mlops register model --data X",
}
RULES = """
[[gate.rules]]
name = "usable"
metric = "accuracy"
min = 0.6
"""


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def deadly(owner: Any, name: str, *, after: bool) -> None:
    """Makes this process die when something is called, or when it has been."""
    usual: Callable[..., Any] = getattr(owner, name)

    def call(*arguments: Any, **options: Any) -> Any:
        if not after:
            die()
        found = usual(*arguments, **options)
        die()
        return found

    setattr(owner, name, call)


def forked(work: Callable[[], object], answer: Path) -> int:
    """Returns how a fork ended (negative: signal) that wrote what the work gave."""
    pid = os.fork()
    if pid == 0:
        try:
            answer.write_text(json.dumps(work()))
            os._exit(0)
        except BaseException:  # noqa: BLE001 - told to whoever reads the log of the test
            traceback.print_exc()
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def prepared(folder: Path) -> None:
    """Makes a project whose steps have run, and nothing more."""
    document = nbformat.v4.new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
    for number, (tag, source) in enumerate(CELLS.items()):
        metadata = {"tags": [tag]} if tag else {}
        document.cells.append(nbformat.v4.new_code_cell(source, id=f"c{number}", metadata=metadata))
    folder.mkdir()
    (folder / "points.ipynb").write_text(nbformat.writes(document))
    (folder / "nbmlops.toml").write_text(RULES)
    compile_project(CompileRequest("points.ipynb", folder))
    ran(folder, to_step="score", cold=True, jobs=1)


def ran(folder: Path, **options: Any) -> dict[str, Any]:
    """Returns what a person learns of a run."""
    events: list[Any] = []
    outcome = run.run(run.RunRequest("points", folder, **options), events.append)
    version = outcome.record.model_version
    return {
        "status": outcome.record.status.value,
        "exit code": int(outcome.exit_code),
        "version": None if version is None else [version.version, list(version.aliases)],
        "passed": outcome.verdict.passed if outcome.verdict else None,
        "told": [event.phase.value for event in events if isinstance(event, FormerRunKilled)],
        "notes": len(outcome.notes),
    }


def seen(folder: Path) -> dict[str, Any]:
    """Returns what is on the disk: tracked runs, models, versions and documents, those of the first run left out."""
    with sqlite3.connect(folder / "mlflow.db") as store:

        def read(what: str) -> list[tuple[Any, ...]]:
            return store.execute(f"SELECT {what}").fetchall()

        found = {
            "tracked": [status for (status,) in read("status FROM runs ORDER BY start_time")[1:]],
            "models": [LoggedModelStatus.from_int(status).value for (status,) in read("status FROM logged_models")],
            "stages": dict(read("version, value FROM model_version_tags WHERE key = 'nbmlops.stage'")),
            "aliases": dict(read("alias, version FROM registered_model_aliases")),
            "versions": len(read("version FROM model_versions")),
        }
    store.close()
    documents = [json.loads(path.read_bytes()) for path in sorted(folder.glob("runs/points/*/run.json"))[1:]]
    found["documents"] = [[document["status"], document.get("killed_while", "")] for document in documents]
    found["note"] = (folder / ".nbmlops" / "state" / "points" / "run.begun").exists()
    return found


def tried(original: Path, point: str) -> dict[str, Any]:
    """Returns what came of a run that was killed at a point, of a next one that does little, and of one that ends."""
    folder = original.with_name(f"at-{point.replace(' ', '-')}")
    shutil.copytree(original, folder)
    answer = folder / "answer.json"

    def killed_run() -> object:
        if point in POINTS:
            owner, name, after = POINTS[point]
            deadly(owner, name, after=after)
        return ran(folder)

    found: dict[str, Any] = {"exit": forked(killed_run, answer)}
    for name, step in (("next", "train"), ("again", "")):
        assert forked(lambda step=step: ran(folder, to_step=step), answer) == 0
        found[name] = {**json.loads(answer.read_text()), **seen(folder)}
    return found


if __name__ == "__main__":
    place = Path(sys.argv[1])
    assert forked(lambda: prepared(place), place.with_name("prepared")) == 0
    print(json.dumps({point: tried(place, point) for point in sys.argv[2:]}))  # noqa: T201 - its output is read by the test
