"""Bad input that shows only while steps run: the whole message, what is left, and that nothing is lost."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nbmlops.cli.main import main

Golden = Callable[[str, str], None]
Told = Callable[..., str]
Write = Callable[..., None]

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")]

FLOOR = '[[gate.rules]]\nname = "floor"\nmetric = "total"\nmin = 1\n'


def run_states(folder: Path) -> list[str]:
    """The status of all tracked runs, oldest first, read past MLflow."""
    store = sqlite3.connect(folder / "mlflow.db")
    try:
        return [row[0] for row in store.execute("SELECT status FROM runs ORDER BY start_time")]
    finally:
        store.close()


def run_document(folder: Path) -> dict[str, Any]:
    """The run document of the latest run."""
    documents = sorted(folder.glob("runs/*/*/run.json"), key=lambda path: path.stat().st_mtime_ns)
    document: dict[str, Any] = json.loads(documents[-1].read_text())
    return document


def statuses(document: dict[str, Any]) -> list[str]:
    return [step["status"] for step in document["steps"]]


def leftovers(folder: Path) -> list[str]:
    """Files that are only half of something."""
    marks = (".tmp", ".part", ".lock-journal")
    return [path.name for path in folder.rglob("*") if path.name.startswith(".nbmlops-") or path.name.endswith(marks)]


VALUES = {
    "generator": "numbers = [1, 2]\nwaiting = (n for n in numbers)",
    "open_file": "from pathlib import Path\nPath('x.txt').touch()\nwaiting = Path('x.txt').open()",
    "lambda_over_state": "seen = []\nwaiting = [lambda n: seen.append(n)]",
}
READERS = {
    "generator": "total = sum(waiting)",
    "open_file": "total = len(waiting.read())",
    "lambda_over_state": "waiting[0](1)",
}


@pytest.mark.parametrize("case", VALUES)
def test_a_value_that_cannot_be_stored_joins_steps(
    work: Path, notebook: Write, told: Told, golden: Golden, case: str
) -> None:
    first, use = (["step:first"], "before = 1"), (["step:use"], READERS[case])
    notebook(work / "rows.ipynb", ([], "# Rows"), first, (["step:make"], VALUES[case]), use)
    main(["compile", "rows.ipynb", "--format", "json"])
    golden(f"bad_input/value_{case}.txt", told("run", "rows"))
    document = run_document(work)
    assert (document["status"], statuses(document)) == ("succeeded", ["executed", "executed", "executed"])
    joined = [(unit["steps"], [value["name"] for value in unit["values"]]) for unit in document["joined"]]
    assert joined == [(["make", "use"], ["waiting"])]
    assert (run_states(work), leftovers(work)) == (["FINISHED"], [])

    notebook(work / "rows.ipynb", ([], "# Rows"), first, (["step:make"], "waiting = iter\nwaiting = [1, 2]"), use)
    main(["compile", "rows.ipynb", "--format", "json"])
    told("run", "rows")
    assert statuses(run_document(work))[:2] == ["cached", "executed"]
    assert run_document(work)["joined"] == []


def test_a_step_that_raises_is_told_in_the_terminal_in_the_document_and_in_the_executed_notebook(
    work: Path, notebook: Write, told: Told, golden: Golden
) -> None:
    helper = "def ratio(rows, by):\n    return len(rows) / by"
    make, use = (["step:make"], "rows = [1, 2]"), (["step:use"], "by = 0\n\nshare = ratio(rows, by)")
    notebook(work / "rows.ipynb", ([], "# Rows"), (["functions"], helper), make, use)
    main(["compile", "rows.ipynb", "--format", "json"])
    golden("bad_input/step_raises.txt", told("run", "rows"))
    document = run_document(work)
    error = document["steps"][1]["error"]
    assert (document["status"], statuses(document)) == ("failed", ["executed", "failed"])
    assert (error["name"], error["cell"], error["line"]) == ("ZeroDivisionError", 2, 2)
    assert "rows.ipynb cell 4 line 3, in use" in error["traceback"]
    executed = json.loads((work / document["steps"][1]["notebook"]).read_text())
    outputs = [output for cell in executed["cells"] for output in cell.get("outputs", ()) if "ename" in output]
    assert "ZeroDivisionError" in {output["ename"] for output in outputs}
    streams = [output for cell in executed["cells"] for output in cell.get("outputs", ()) if "name" in output]
    assert ["".join(stream["text"]) for stream in streams] == [f"In the source notebook:\n{error['traceback']}\n"]
    assert (run_states(work), leftovers(work)) == (["FAILED"], [])


TEXTS = ["'\"''' \"\"\" \\", "a\nb\r\n\tc", "\0", "${HOME} $(id) `id` {x} {{ x }} %d", "x" * 1_000_000, "half \ud83d"]


def test_values_of_parameters_arrive_as_data_with_their_types(
    work: Path, notebook: Write, told: Told, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [f"text{number}" for number in range(len(TEXTS))]
    lines = [*(f"{name} = ''" for name in names), "rate = 0.5", "low = 0.5", "none = None", "listed = []", "named = {}"]
    notebook(
        work / "rows.ipynb",
        (["parameters"], "\n".join(lines)),
        (["step:make"], f"kept = [{', '.join([*names, 'rate', 'low', 'none', 'listed', 'named'])}]"),
        (["step:use"], "from pathlib import Path\nPath('kept.txt').write_text(ascii(kept))"),
    )
    assert main(["compile", "rows.ipynb", "--format", "json"]) == 0
    given = [f"{name}={text}" for name, text in zip(names, TEXTS, strict=True)]
    given += ["rate=nan", "low=-inf", "none=[1, null]", 'listed=[1, 2.0, true, "2024-01-01"]', 'named={"a": [1]}']
    code = main(["run", "rows", *(part for text in given for part in ("-p", text))])
    said = capsys.readouterr()
    assert code == 0, said.err
    assert run_document(work)["status"] == "succeeded"
    kept = eval((work / "kept.txt").read_text(), {"nan": math.nan, "inf": math.inf})
    rate, low, none, listed, named = kept[len(TEXTS) :]
    assert kept[: len(TEXTS)] == TEXTS
    assert math.isnan(rate)
    assert (low, none, named) == (-math.inf, [1, None], {"a": [1]})
    assert [(type(value), value) for value in listed] == [(int, 1), (float, 2.0), (bool, True), (str, "2024-01-01")]
    assert told("run", "rows", *(part for text in given for part in ("-p", text))).endswith("--- exit code 0\n")
    assert run_states(work) == ["FINISHED"]


MODEL = [
    (["step:make"], "rows = [[1.0], [2.0]]\nmodel = {'kind': 'table'}\ntotal = 2\n%mlops metric total"),
    ([], "%mlops gate"),
    ([], "%mlops register model --data rows"),
]


def test_a_model_that_cannot_be_registered(work: Path, notebook: Write, told: Told, golden: Golden) -> None:
    notebook(work / "rows.ipynb", ([], "# Rows"), (["imports"], "%load_ext nbmlops"), *MODEL)
    (work / "nbmlops.toml").write_text(FLOOR)
    main(["compile", "rows.ipynb", "--format", "json"])
    golden("bad_input/not_registrable.txt", told("run", "rows") + "\n" + told("run", "rows"))
    document = run_document(work)
    assert (document["status"], statuses(document)) == ("failed", ["cached"])
    assert (document["verdict"]["passed"], document["model_version"]) == (True, None)
    assert run_states(work) == ["FAILED", "FAILED"]
    assert sorted(path.name for path in work.glob("runs/rows/*/*")) == [
        "01_make.ipynb",
        "gate.xml",
        "gate.xml",
        "report.html",
        "report.html",
        "run.json",
        "run.json",
        "verdict.json",
        "verdict.json",
    ]


def test_a_fault_of_registering_stands_in_the_document(
    work: Path, notebook: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    notebook(work / "rows.ipynb", ([], "# Rows"), (["imports"], "%load_ext nbmlops"), *MODEL)
    (work / "nbmlops.toml").write_text(FLOOR)
    main(["compile", "rows.ipynb", "--format", "json"])
    main(["run", "rows", "--no-register", "--format", "json"])
    capsys.readouterr()
    code = main(["run", "rows", "--format", "json"])
    said = json.loads(capsys.readouterr().out)
    assert (code, said["status"], said["verdict"]["passed"], said["model_version"]) == (2, "failed", True, None)
    assert [(fault["code"], fault["message"], fault["hint"]) for fault in said["diagnostics"]] == [
        (
            "NB902",
            "a model of type builtins.dict cannot be registered",
            "register a fitted scikit-learn estimator or Pipeline",
        )
    ]
    assert run_states(work) == ["FINISHED"]


def test_a_name_that_the_store_does_not_take(work: Path, notebook: Write, told: Told, golden: Golden) -> None:
    notebook(
        work / "rows.ipynb", (["imports"], "import nbmlops"), (["step:make"], "nbmlops.metric('precision@10', 1.0)")
    )
    main(["compile", "rows.ipynb", "--format", "json"])
    golden("bad_input/metric_name.txt", told("run", "rows"))
    assert (run_document(work)["status"], run_states(work)) == ("failed", ["FAILED"])


def test_rules_are_missing_or_name_a_metric_that_was_never_logged(
    work: Path, notebook: Write, told: Told, golden: Golden
) -> None:
    notebook(work / "rows.ipynb", ([], "# Rows"), (["imports"], "%load_ext nbmlops"), *MODEL)
    main(["compile", "rows.ipynb", "--format", "json"])
    text = told("run", "rows")
    (work / "nbmlops.toml").write_text(FLOOR.replace('"total"', '"totl"'))
    text += "\n" + told("run", "rows", "--judge") + "\n" + told("register", "rows")
    golden("bad_input/rules.txt", text)
    assert run_states(work) == ["FINISHED"]


def test_a_folder_with_spaces_quotes_and_emoji(work: Path, notebook: Write, told: Told, golden: Golden) -> None:
    folder = 'it\'s a "🛫" $(touch pwned) `x` {y}'
    (work / folder).mkdir()
    (work / folder / "nbmlops.toml").touch()
    (work / folder / "local.py").write_text("def three():\n    return 3\n")
    notebook(work / folder / "my rows!.ipynb", (["imports"], "import local"), (["step:one"], "x = local.three()\nx"))
    compiled = "".join(told("compile", f"{folder}/my rows!.ipynb").rpartition("compiled into")[1:])
    text = compiled + "\n" + told("run", f"{folder}/pipelines/my_rows")
    golden("bad_input/odd_folder.txt", text)
    assert not list(work.rglob("pwned"))
