"""Row 26 of the catalogue: two runs of one pipeline at once; one executes, the other waits and reuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROUNDS = int(os.environ.get("NBMLOPS_SOAK", "6")) // 2
"""How often; `make soak` makes it 100."""

RUNNER = """
import json, sys
from pathlib import Path
from nbmlops.runtime.schedule.results import RunOptions
from nbmlops.runtime.runner import run_pipeline
folder, n = Path(sys.argv[1]), int(sys.argv[2])
sys.stdin.readline()
result = run_pipeline(folder, RunOptions(base=folder, parameters={"n": n}), lambda event: None)
values = {name: value.ref.digest for name, value in result.values.items()}
print(json.dumps([result.status.value, [step.status.value for step in result.steps], values]))
"""


@pytest.mark.slow
def test_of_two_runs_at_once_one_executes_and_the_other_reuses(tmp_path: Path, tiny: ModuleType) -> None:
    steps = [
        tiny.Sketch("make", "rows = [n + i for i in range(1000)]", outputs=("rows",), parameters=("n",)),
        tiny.Sketch("total", "total = sum(rows)", inputs={"rows": "make"}, outputs=("total",)),
    ]
    folder = tiny.write_pipeline(tmp_path, steps, {"n": 0})
    for n in range(ROUNDS):
        command = [sys.executable, "-c", RUNNER, str(folder), str(n)]
        runs = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=tmp_path)
            for _ in range(2)
        ]
        for run in runs:
            assert run.stdin is not None
            run.stdin.write("go\n")
            run.stdin.flush()
        told = sorted((json.loads(run.communicate()[0]) for run in runs), key=lambda found: found[1])
        values = told[0][2]
        assert told == [["succeeded", ["cached", "cached"], values], ["succeeded", ["executed", "executed"], values]]
        assert sorted(values) == ["rows", "total"]
