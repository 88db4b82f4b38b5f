"""Row 13 of the catalogue: the runner is killed at random points; the next run goes on, and ends as if undisturbed."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from nbmlops.pipeline.run_record import RunStatus
from nbmlops.runtime.results import StepsResult

ROUNDS = int(os.environ.get("NBMLOPS_SOAK", "3"))
"""How often it is killed; `make soak` makes it 200."""

RUNNER = """
import sys
from pathlib import Path
from nbmlops.runtime.results import RunOptions
from nbmlops.runtime.runner import run_pipeline
run_pipeline(Path(sys.argv[1]), RunOptions(force=True, base=Path(sys.argv[1])), lambda event: None)
"""


def values(result: StepsResult) -> dict[str, str]:
    return {name: value.ref.digest for name, value in result.values.items()}


@pytest.mark.slow
def test_a_run_that_is_killed_anywhere_loses_nothing(tmp_path: Path, tiny: ModuleType) -> None:
    folder = tiny.write_pipeline(
        tmp_path,
        [
            tiny.Sketch("make", "rows = list(range(100_000))", outputs=("rows",)),
            tiny.Sketch("half", "half = [row / 2 for row in rows]", inputs={"rows": "make"}, outputs=("half",)),
            tiny.Sketch("total", "total = sum(half)", inputs={"half": "half"}, outputs=("total",)),
        ],
    )
    undisturbed = tiny.run(folder)
    seconds = sum(step.seconds for step in undisturbed.steps)
    chance = random.Random(1)
    for _ in range(ROUNDS):
        with subprocess.Popen([sys.executable, "-c", RUNNER, str(folder)]) as runner:
            try:
                runner.wait(chance.uniform(0.2, 0.3 + seconds))
            except subprocess.TimeoutExpired:
                runner.kill()
        written = [path for path in tmp_path.rglob("*") if path.suffix in {".ipynb", ".json"}]
        for path in [path for path in written if not any(part.startswith(".nbmlops-") for part in path.parts)]:
            json.loads(path.read_bytes())
    again = tiny.run(folder)
    assert again.status is RunStatus.SUCCEEDED
    assert values(again) == values(undisturbed)
