"""`nbmlops explain`: what it foresees is what the run then does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from nbmlops.cli.main import cli
from nbmlops.core.errors import UsageError
from nbmlops.runtime.reuse.foresee import Foreseen, Prospect, foresee
from nbmlops.runtime.schedule.results import RunOptions
from tests.integration.test_runtime import Sketch, run, write_pipeline

pytestmark = pytest.mark.slow

SCHEMA = Path(__file__).parents[2] / "docs" / "reference" / "schemas" / "explain.json"
EXECUTE, REUSE, DEPENDS = Prospect.EXECUTE, Prospect.REUSE, Prospect.DEPENDS

FIRST = Sketch("first", "x = [n]", outputs=("x",), parameters=("n",))
LEFT = Sketch("left", "y = x + [1]", inputs={"x": "first"}, outputs=("y",))
RIGHT = Sketch("right", "z = x + [2]", inputs={"x": "first"}, outputs=("z",))
LAST = Sketch("last", "both = (y, z)", inputs={"y": "left", "z": "right"}, outputs=("both",))


def test_what_is_foreseen_is_what_the_run_does(tmp_path: Path) -> None:
    folder = write_pipeline(tmp_path, [FIRST, LEFT, RIGHT, LAST], {"n": 1})
    assert foresee(folder, RunOptions()) == tuple(
        Foreseen(name, EXECUTE, "new") for name in ("first", "left", "right", "last")
    )
    assert not (tmp_path / ".nbmlops").exists()  # asking leaves nothing behind
    run(folder)
    assert foresee(folder, RunOptions()) == tuple(
        Foreseen(name, REUSE, "unchanged") for name in ("first", "left", "right", "last")
    )
    assert foresee(folder, RunOptions(first="right", last="right"))[-1] == Foreseen("right", EXECUTE, "forced")
    assert foresee(folder, RunOptions(parameters={"n": 2})) == (
        Foreseen("first", EXECUTE, "parameter n changed"),
        Foreseen("left", DEPENDS, "unchanged", ("first",)),
        Foreseen("right", DEPENDS, "unchanged", ("first",)),
        Foreseen("last", DEPENDS, "unchanged", ("first",)),
    )
    write_pipeline(tmp_path, [FIRST, replace(LEFT, body="y = [*x, 1]"), RIGHT, LAST], {"n": 1})
    foreseen = foresee(folder, RunOptions())
    assert foreseen == (
        Foreseen("first", REUSE, "unchanged"),
        Foreseen("left", EXECUTE, "code changed"),
        Foreseen("right", REUSE, "unchanged"),
        Foreseen("last", DEPENDS, "unchanged", ("left",)),
    )
    told = [(step.status.value, step.reason) for step in run(folder).steps]
    # The new code gives the same values: what depends on them is reused.
    assert told == [
        ("cached", "unchanged"),
        ("executed", "code changed"),
        ("cached", "unchanged"),
        ("cached", "unchanged"),
    ]


def test_steps_that_draw_random_numbers_depend_on_those_that_draw_before(tmp_path: Path) -> None:
    seed = Sketch("seed", "random.seed(1)")
    draw = Sketch("draw", "x = random.random()", outputs=("x",))
    count = Sketch("count", "c = 3", outputs=("c",))
    folder = write_pipeline(tmp_path, [seed, draw, count])
    run(folder)
    write_pipeline(tmp_path, [replace(seed, body="random.seed(2)"), draw, count])
    assert foresee(folder, RunOptions()) == (
        Foreseen("seed", EXECUTE, "code changed"),
        Foreseen("draw", DEPENDS, "unchanged", ("seed",)),
        Foreseen("count", REUSE, "unchanged"),
    )
    assert [step.status.value for step in run(folder).steps] == ["executed", "executed", "cached"]


def test_steps_that_share_a_process_are_executed_together(tmp_path: Path) -> None:
    source = Sketch("source", "numbers = (n for n in range(3))", outputs=("numbers",))
    sink = Sketch("sink", "total = sum(numbers)", inputs={"numbers": "source"}, outputs=("total",))
    folder = write_pipeline(tmp_path, [source, sink])
    run(folder)
    assert [(step.step, step.prospect) for step in foresee(folder, RunOptions())] == [
        ("source", REUSE),
        ("sink", REUSE),
    ]
    write_pipeline(tmp_path, [source, replace(sink, body="total = sum(numbers) + 1")])
    foreseen = foresee(folder, RunOptions())
    told = run(folder).steps
    assert foreseen == tuple(Foreseen(step.name, EXECUTE, step.reason) for step in told)
    assert [step.reason for step in told] == ["joined with sink: code changed", "joined with source"]


def test_the_command_says_it_in_a_table_and_as_a_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_pipeline(tmp_path, [FIRST, LEFT], {"n": 1})
    (tmp_path / "nbmlops.toml").write_text("")
    run(folder)
    monkeypatch.chdir(tmp_path)
    shown = CliRunner().invoke(cli, ["explain", "tiny", "-p", "n=2"])
    assert shown.exit_code == 0
    assert shown.output == (
        "a run would\n"
        "  step   do       why\n"
        "  first  execute  parameter n changed\n"
        "  left   depends  reused if first gives the same as last time\n\n"
        "execute 1, depends 1\n"
    )
    document = json.loads(CliRunner().invoke(cli, ["explain", "tiny", "left", "-p", "n=2", "--format", "json"]).stdout)
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text())).validate(document)
    assert document == {
        "schema": "nbmlops/explain/1",
        "pipeline": "tiny",
        "steps": [{"name": "left", "prospect": "depends", "reason": "unchanged", "on": ["first"]}],
        "diagnostics": [],
    }
    wrong = CliRunner().invoke(cli, ["explain", "tiny", "lefd"])
    assert isinstance(wrong.exception, UsageError)
    assert (wrong.exception.message, wrong.exception.hint) == (
        "'lefd' is not a step of this run of 'tiny'",
        "did you mean 'left'?",
    )


def test_it_imports_nothing_heavy(tmp_path: Path) -> None:
    write_pipeline(tmp_path, [FIRST], {"n": 1})
    heavy = ["mlflow", "papermill", "nbclient", "nbformat", "pandas", "numpy", "pyarrow", "IPython", "sklearn"]
    program = (
        "import sys\nfrom nbmlops.cli.main import main\nassert main(['explain', 'tiny']) == 0\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "[]"
