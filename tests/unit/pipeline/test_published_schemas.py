"""The JSON Schemas that other programs may rely on, against the documents that this program makes."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import nbformat
import pytest

from nbmlops.app.verify.report import SCHEMA as VERIFY_SCHEMA
from nbmlops.app.verify.report import Verification, verification_to_json
from nbmlops.cli.documents import COMPILE_SCHEMA, EXPLAIN_SCHEMA, TAG_SCHEMA, fault_document
from nbmlops.core.errors import Interrupted, UsageError
from nbmlops.pipeline.run_codec import run_to_json
from nbmlops.pipeline.run_record import (
    SCHEMA,
    CheckFinding,
    CheckRecord,
    DataRecord,
    Lineage,
    MetricValue,
    ModelVersionRef,
    RunRecord,
    RunStatus,
    StepError,
    StepLog,
    StepRecord,
    StepStatus,
)
from nbmlops.tracking.cells import CELLS_SCHEMA, CellOutcome, CellRun, CellValues, ValueSeen
from nbmlops.tracking.delivery import Delivery, cell_entry, end_entry, start_entry, values_entry
from nbmlops.tracking.process import ProcessMark
from nbmlops.tracking.tracker import RunStart, RunState
from tests.fakes import verify_results as verdicts
from tests.fakes.in_memory import InMemoryTracker

SCHEMAS = Path(__file__).parents[3] / "docs" / "reference" / "schemas"

LOG = StepLog(
    {"rows": 1},
    (MetricValue("loss", float("nan"), 2),),
    (DataRecord("df", "0" * 32, "frame", 1, (("a", "int64"),), "", {"rows": 1}),),
    (CheckRecord("df", "flights", False, ("a: no",), (CheckFinding("a", "min", 2, ("1",), "a: no"),)),),
)
RUNS = [
    RunRecord(
        status,
        "r1",
        "churn",
        (StepRecord("a", step_status, 0.5, "a.ipynb", error, LOG, "k", "new"),),
        {"depth": None},
        {"auc": float("-inf")},
        Lineage("r1", "abc-dirty", {"df": "0" * 32}, "n", "p"),
        verdict,
        version,
        "runs/1",
    )
    for status in RunStatus
    for step_status in StepStatus
    for error, verdict, version in (
        (None, None, None),
        (StepError("ValueError", "no", 5, 1, "tb", "h"), {"passed": True}, ModelVersionRef("m", "1", ("champion",))),
    )
]


def validator(name: str) -> jsonschema.Draft202012Validator:
    schema = json.loads((SCHEMAS / name).read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_every_run_document_is_valid() -> None:
    for record in RUNS:
        validator("run.json").validate(json.loads(json.dumps(run_to_json(record), allow_nan=False)))


@pytest.mark.parametrize("error", [UsageError("no"), Interrupted("stopped")])
def test_documents_of_commands_that_stopped_are_valid(error: Any) -> None:
    validator("compile.json").validate(fault_document(COMPILE_SCHEMA, error))
    validator("run.json").validate(fault_document(SCHEMA, error))
    validator("verify.json").validate(fault_document(VERIFY_SCHEMA, error))
    validator("tag.json").validate(fault_document(TAG_SCHEMA, error))
    validator("explain.json").validate(fault_document(EXPLAIN_SCHEMA, error))


@pytest.mark.parametrize("found", [verdicts.EQUAL, verdicts.DIFFERENT, verdicts.REFUSED, verdicts.FAILED])
def test_every_document_of_verify_is_valid(found: Verification) -> None:
    document = json.loads(json.dumps(verification_to_json(found), allow_nan=False))
    validator("verify.json").validate(document)
    del document["steps"]
    with pytest.raises(jsonschema.ValidationError, match="'steps' is a required property"):
        validator("verify.json").validate(document)


@pytest.mark.parametrize("key", ["status", "steps", "lineage", "verdict", "model_version"])
def test_a_document_that_lacks_a_promised_key_is_not_valid(key: str) -> None:
    document = run_to_json(RUNS[0])
    del document[key]
    with pytest.raises(jsonschema.ValidationError, match=f"'{key}' is a required property"):
        validator("run.json").validate(document)


@pytest.mark.parametrize("broken", ["", "undefined_name + 1"])
def test_what_compile_prints_is_valid(tmp_path: Path, broken: str) -> None:
    def cell(source: str, *tags: str) -> Any:
        return nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)})

    notebook = nbformat.v4.new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        cells=[
            cell("depth = 3  # of the tree\nnames = ['a']", "parameters"),
            cell("x = depth + 1", "step:first"),
            cell(f"print(x, names)\n{broken}", "step:second"),
        ],
    )
    nbformat.write(notebook, tmp_path / "small.ipynb")
    done = subprocess.run(
        [sys.executable, "-m", "nbmlops", "compile", "small.ipynb", "--format", "json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    document = json.loads(done.stdout)
    validator("compile.json").validate(document)
    assert done.returncode == (2 if broken else 0), done.stderr
    assert [step["name"] for step in document["steps"]] == ([] if broken else ["first", "second"])
    assert bool(document["diagnostics"]) is bool(broken)


def test_the_cells_of_a_notebooks_run_follow_their_schema():
    tracker = InMemoryTracker()
    delivery = Delivery(tracker)
    broken = ValueSeen("array", "numpy.ndarray", (3,), why="busy")
    model = ValueSeen("model", "sklearn.Ridge", (), "0" * 32, params={"alpha": 1.0})
    values = CellValues({"a": broken, "m": model}, {"a": "", "m": "1" * 32})
    read = (("a.csv", "audit"), ("s3://bucket/b.csv", "literal"))
    delivery.send(start_entry(RunStart("demo", process=ProcessMark(7, "host", "1")), "http://host", "k1"))
    for outcome in CellOutcome:
        delivery.send(cell_entry(CellRun("x = 1", "c", 1, 5, 0.5, outcome, "E", read, ("b.csv",))))
    delivery.send(values_entry(1, values))
    delivery.send(end_entry(RunState.FINISHED, 9))
    document: Any = next(iter(tracker.documents.values()))
    schema = json.loads((SCHEMAS / "cells.json").read_text())
    assert schema["$id"] == CELLS_SCHEMA
    jsonschema.validate(document, schema)
    assert [len(run["made"]) for run in document["runs"]] == [0, 2, 0, 0, 0]
