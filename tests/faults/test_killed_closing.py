"""Row 13, after the last step: a run is killed while it judges, registers or writes; the next one goes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).with_name("closing_points.py")
PHASES = {
    "before judging": "judging",
    "after judging": "judging",
    "while the model is stored": "registering",
    "after the model is stored": "registering",
    "after the version is made": "registering",
    "after the alias is set": "registering",
    "after registering": "registering",
    "before writing": "writing documents",
    "after writing": "writing documents",
    "before the end": "writing documents",
    "at the end": "",
}
NO_MODEL = ("before judging", "after judging")
NO_VERSION = ("while the model is stored", "after the model is stored")
QUICK = ("after the model is stored", "after the alias is set")
POINTS = tuple(PHASES) if "NBMLOPS_SOAK" in os.environ else QUICK


def tried(place: Path, points: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    variables = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
    path = os.pathsep.join(filter(None, [str(SCRIPT.parents[2]), variables.get("PYTHONPATH", "")]))
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(place), *points],
        env=variables | {"MLFLOW_DISABLE_TELEMETRY": "true", "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return found


@pytest.mark.slow
def test_a_run_killed_after_its_last_step_is_told_of_and_brought_to_its_end(tmp_path: Path) -> None:
    found = tried(tmp_path / "work", POINTS)
    assert list(found) == list(POINTS)
    for point, seen in found.items():
        phase = PHASES[point]
        no_version = point in NO_MODEL + NO_VERSION
        failed = ["FAILED"] if point in NO_VERSION else []
        partly = {"status": "succeeded", "exit code": 0, "version": None, "passed": None, "notes": 1}
        ended = {
            "tracked": ["FINISHED"],
            "models": [*failed, "READY"],
            "stages": {"1": "champion"},
            "aliases": {"champion": 1},
            "versions": 1,
            "documents": [["succeeded", ""]],
            "note": False,
        }
        nothing = {"stages": {}, "aliases": {}, "versions": 0, "models": failed} if no_version else {}
        killed = {"tracked": ["KILLED"], "documents": [["killed", phase]], **nothing} if phase else {}
        assert seen == {
            "exit": -9,
            "next": {**partly, "told": [phase] if phase else [], **ended, **killed},
            "again": {
                "status": "succeeded",
                "exit code": 0,
                "version": ["1", ["champion"]],
                "passed": True,
                "told": [],
                "notes": 1 if phase else 0,
                **ended,
            },
        }, point
