"""A run as its event stream tells it: each moment as the whole text of its card."""

from __future__ import annotations

import json

import pytest

from nbmlops.app.running.watch import RunWatch, failure
from nbmlops.app.show.cards import render_html, render_text
from nbmlops.core.errors import EnvironmentFault, GateRejected, NbmlopsError, StepFailed, UsageError


def watched(*events: dict[str, object]) -> RunWatch:
    watch = RunWatch()
    for event in events:
        watch.take(json.dumps(event))
    return watch


BEGUN: dict[str, object] = {"event": "run.begun", "schema": "nbmlops/events/1", "pipeline": "churn"}


def started(step: str, reason: str = "new", last: float | None = None) -> dict[str, object]:
    return {"event": "step.started", "step": step, "position": 1, "total": 3, "reason": reason, "last": last}


def finished(step: str, status: str = "executed", error: object = None) -> dict[str, object]:
    told = {"step": step, "status": status, "seconds": 1.26, "reason": "", "notebook": f"runs/{step}.ipynb"}
    return {"event": "step.finished", **told, "error": error, "total": 3}


def ended(exit_code: int, run: object, error: str = "") -> dict[str, object]:
    return {"event": "run.ended", "exit_code": exit_code, "error": error, "run": run}


def document(status: str, steps: list[object], **more: object) -> dict[str, object]:
    lineage = {"run_id": "abc", "git_commit": "", "data": {}, "notebook": "", "pipeline": ""}
    return {
        "schema": "nbmlops/run/1",
        "status": status,
        "run_id": "abc",
        "pipeline": "churn",
        "steps": steps,
        "parameters": {},
        "metrics": {"auc": 0.75},
        "verdict": None,
        "model_version": None,
        "lineage": lineage,
        "joined": [],
        "folder": "runs/churn/1",
        **more,
    }


def test_steps_that_run_wait_and_are_done_stand_in_rows():
    watch = watched(
        BEGUN,
        {"event": "run.started_cold", "reason": "no fork here"},
        {**finished("load", "cached"), "event": "step.cached"},
        started("left", "its code changed", last=41.6),
        started("right"),
        {"event": "step.done_early", "step": "right", "seconds": 2.0, "succeeded": True, "total": 3},
        {"event": "step.of_a_later_version", "step": "right"},
        {"event": "stage.started", "stage": "track"},
    )
    assert render_text(watch.card()) == (
        "RUNNING churn: 1 of 3 steps, waiting for the tracking store\n"
        "steps:\n"
        "  step   state       time   why\n"
        "  load   cached      1.3 s\n"
        "  left   running            its code changed, last time 42 s\n"
        "  right  done early  2.0 s  new\n"
        "steps start cold, which takes longer: no fork here"
    )


def test_a_run_that_succeeded_shows_what_it_gave():
    version = {"name": "churn", "version": "3", "aliases": ["champion"]}
    step = {"name": "load", "status": "executed", "seconds": 1.26, "notebook": "runs/load.ipynb", "error": None}
    watch = watched(
        BEGUN, started("load"), finished("load"), ended(0, document("succeeded", [step], model_version=version))
    )
    assert watch.exit_code == 0
    assert watch.record is not None
    assert watch.record.metrics == {"auc": 0.75}
    assert render_text(watch.card()) == (
        "FINISHED churn: 1 of 3 steps\n"
        "steps:\n"
        "  step  state     time   why\n"
        "  load  executed  1.3 s  new\n"
        "metrics:\n"
        "  name  value\n"
        "  auc   0.75\n"
        "registered churn version 3 as champion\n"
        "executed notebooks, run.json and report.html: runs/churn/1"
    )


def test_the_error_of_a_failed_step_names_cell_line_and_notebook():
    error = {"name": "ValueError", "message": "no <b>rows</b>", "cell": 4, "line": 2}
    step = {"name": "load", "status": "failed", "seconds": 1.26, "notebook": "runs/load.ipynb", "error": error}
    run = document("failed", [step])
    watch = watched(BEGUN, started("load"), finished("load", "failed", error), ended(1, run))
    found = failure(watch)
    assert (type(found), found.message, found.hint) == (
        StepFailed,
        "step 'load' failed, cell 4, line 2: ValueError: no <b>rows</b>",
        "its notebook, with what it showed: runs/load.ipynb",
    )
    html = render_html(watch.card())
    assert "no &lt;b&gt;rows&lt;/b&gt;" in html
    assert "<b>" not in html


@pytest.mark.parametrize(
    ("end", "kind", "message"),
    [
        (ended(3, document("gate_rejected", [])), GateRejected, "the gate rejected the run"),
        (ended(2, None, "no parameter 'x'"), UsageError, "no parameter 'x'"),
        (ended(4, None, "the disk is full"), EnvironmentFault, "the disk is full"),
        (ended(70, None), EnvironmentFault, "the run ended with exit code 70"),
    ],
)
def test_what_stopped_a_run_is_an_error_of_its_kind(end: dict[str, object], kind: type[NbmlopsError], message: str):
    found = failure(watched(BEGUN, end))
    assert (type(found), found.message) == (kind, message)


def test_a_line_that_is_no_event_is_not_taken_for_one():
    with pytest.raises(ValueError, match="Expecting value"):
        RunWatch().take("points, by auc")
