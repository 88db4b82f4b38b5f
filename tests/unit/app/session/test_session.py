"""The life of a notebook's run, against a store that remembers what it was told."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from msgspec.structs import replace

from nbmlops.app.config.config import PipelineConfig
from nbmlops.app.session import current as sessions
from nbmlops.app.session.current import open_session, start_session
from nbmlops.app.session.listeners import subscribe
from nbmlops.app.session.place import Kernel, SessionOptions, SessionPlace
from nbmlops.app.session.port import RunTitle, SessionStore
from nbmlops.app.session.session import NotebookSession
from nbmlops.app.show.views import SessionStatus
from nbmlops.core.errors import EnvironmentFault, GateRejected, UsageError
from nbmlops.gate.baseline import NoChampion
from nbmlops.gate.evaluate import evaluate
from nbmlops.pipeline.run_record import MetricValue, ModelVersionRef, StepLog
from nbmlops.tracking.cells import CellOutcome, CellRun
from nbmlops.tracking.environment import GitState
from nbmlops.tracking.provenance import PROVENANCE_FILE, provenance_from_json
from tests.fakes.session_store import POLICY, MemoryStore
from tests.fakes.statuses import STARTED

NEW_RUN = "end the run with `%mlops track --stop` and run the notebook from its first cell"


def place(**changes: object) -> SessionPlace:
    values: dict[str, object] = {
        "root": Path("/project"),
        "name": "flights",
        "notebook": "flights.ipynb",
        "notebook_digest": "d" * 64,
        "parameters": ("depth",),
        "registered_name": "",
        "config": PipelineConfig("flights", "", "flights", False, POLICY),
        "tracking_uri": "https://me:secret@host/mlflow",
        "git": GitState("c" * 40, dirty=True),
    }
    return SessionPlace(**{**values, **changes})


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def namespace() -> dict[str, object]:
    return {}


@pytest.fixture
def session(store: MemoryStore, namespace: dict[str, object]) -> Iterator[NotebookSession]:
    kernel = Kernel(namespace, follows_cells=True)
    yield open_session(NotebookSession(place(), kernel, store, RunTitle("r1", "flights", "demo")))
    sessions.forget_session()


def run_cell(session: NotebookSession, source: str, *, succeeded: bool = True) -> None:
    session.cell_started(source)
    session.cell_finished(succeeded=succeeded)


def test_a_cell_sends_one_batch_with_the_notebooks_parameters(
    session: NotebookSession, store: MemoryStore, namespace: dict[str, object]
):
    namespace["depth"] = 3
    run_cell(session, "depth = 3")
    assert store.sent == []
    session.metric(MetricValue("auc", 0.8))
    session.metric(MetricValue("f1", 0.5))
    assert store.sent == []
    run_cell(session, "evaluate()")
    assert store.sent == [StepLog({"depth": 3}, (MetricValue("auc", 0.8), MetricValue("f1", 0.5)))]


def test_without_hooks_every_call_is_sent_at_once(store: MemoryStore):
    session = NotebookSession(place(), Kernel({"depth": 3}), store, RunTitle("r1", "flights", "demo"))
    session.metric(MetricValue("auc", 0.8))
    assert store.sent == [StepLog({"depth": 3}, (MetricValue("auc", 0.8),))]


def test_what_goes_wrong_with_the_store_is_told_after_a_cell_and_once(session: NotebookSession, store: MemoryStore):
    store.trouble = EnvironmentFault("the store is locked")
    session.metric(MetricValue("auc", 0.8))
    with pytest.raises(EnvironmentFault):
        run_cell(session, "a")
    run_cell(session, "b")
    assert store.sent == [StepLog(metrics=(MetricValue("auc", 0.8),))]


def test_the_status_tells_what_waits_and_the_id_when_the_store_has_one(session: NotebookSession, store: MemoryStore):
    store.waits = "2 entries wait"
    assert session.status().notes == ("2 entries wait",)
    store.waits = ""
    store.title = RunTitle("r2", "line", "demo")
    assert (session.status().run_id, session.status().run_name, session.status().notes) == ("r2", "line", ())


def test_the_gate_and_the_end_tell_whether_the_run_is_reproducible(session: NotebookSession, store: MemoryStore):
    reason = {"nbmlops.reproducible": "unknown, because flights.ipynb cannot be read: No such file or directory"}
    session.metric(MetricValue("auc", 0.8))
    session.gate()
    assert store.tags == reason
    store.tags.clear()
    session.end()
    assert store.tags == reason


def test_cells_are_noted_one_by_one(session: NotebookSession, store: MemoryStore):
    runs = [CellRun("x = 1", "a", 1), CellRun("x = 2", "a", 2)]
    for run in runs:
        session.cell_ran(run)
    assert store.cells == runs


def test_the_verdict_holds_until_another_metric_is_logged(session: NotebookSession):
    session.metric(MetricValue("auc", 0.8))
    assert session.gate().passed
    assert session.register("model", "frame", None).version == ModelVersionRef("flights", "1", ("champion",))
    session.metric(MetricValue("auc", 0.9))
    with pytest.raises(GateRejected) as caught:
        session.register("model", "frame", None)
    assert str(caught.value) == (
        "there is no verdict on the metrics of this run\n"
        "hint: put `%mlops gate` above this line and below the last metric, and run it"
    )


def test_a_rejected_run_is_shown_and_not_raised(session: NotebookSession):
    session.metric(MetricValue("auc", 0.6))
    view = session.gate()
    assert not view.passed
    assert repr(view).splitlines()[0] == "FAIL gate (0 of 1 rule passed)"


def test_parameters_that_changed_refuse_gate_and_registration(session: NotebookSession, namespace: dict[str, object]):
    namespace["depth"] = 3
    run_cell(session, "depth = 3")
    session.metric(MetricValue("auc", 0.8))
    session.gate()
    namespace["depth"] = 4
    run_cell(session, "depth = 4")
    for call in (session.gate, lambda: session.register("model", "frame", None)):
        with pytest.raises(UsageError) as caught:
            call()
        assert str(caught.value) == (
            f"parameters changed within the run: depth is 4 now, but this run logged 3\nhint: {NEW_RUN}"
        )


def test_a_parameter_that_a_later_cell_rebinds_is_an_ordinary_variable(
    session: NotebookSession, namespace: dict[str, object]
):
    namespace["depth"] = 3
    run_cell(session, "depth = 3")
    namespace["depth"] = 99
    run_cell(session, "depth = best(depth)")
    session.gate()
    assert session.status().parameters == {"depth": 3}


def test_the_status_tells_everything_but_the_password(session: NotebookSession):
    session.metric(MetricValue("auc", 0.8))
    assert session.status() == replace(
        STARTED,
        run_id="r1",
        tracking_uri="https://host/mlflow",
        reproducible="unknown, because flights.ipynb cannot be read: No such file or directory",
        metrics={"auc": 0.8},
        preview=evaluate({"auc": 0.8}, NoChampion(), POLICY),
    )


def test_an_unknown_notebook_is_told_with_the_edit(store: MemoryStore):
    session = NotebookSession(
        place(notebook="", name="", parameters=()), Kernel({}), store, RunTitle("r1", "x", "demo")
    )
    assert session.status().notes == (
        "which notebook this is cannot be found out here: tell it with `%mlops track --notebook PATH.ipynb`",
    )


def test_running_track_again_resumes(session: NotebookSession):
    def opener(place: SessionPlace, options: SessionOptions) -> tuple[SessionStore, RunTitle]:
        raise AssertionError("a second run was started")

    assert start_session(SessionOptions(), Kernel({}), opener) is session
    assert start_session(SessionOptions("demo", None, "flights"), Kernel({}), opener) is session
    with pytest.raises(UsageError) as caught:
        start_session(SessionOptions("other"), Kernel({}), opener)
    assert str(caught.value) == (
        "the run of this session has experiment 'demo', not 'other'\n"
        "hint: end it first with `%mlops track --stop`, then track again"
    )


def test_stopping_ends_the_run(session: NotebookSession, store: MemoryStore):
    assert sessions.stop_session().status is SessionStatus.FINISHED
    assert store.ended == ["FINISHED"]
    assert sessions.current_session() is None
    with pytest.raises(UsageError) as caught:
        sessions.stop_session()
    assert str(caught.value) == (
        "no run: nothing is tracked in this session\n"
        "hint: put `%mlops track` in the first cell and run it (in Python: nbmlops.track())"
    )


@pytest.mark.parametrize(("succeeded", "state"), [(True, "FINISHED"), (False, "FAILED")])
def test_a_kernel_that_exits_ends_the_run(session: NotebookSession, store: MemoryStore, succeeded: bool, state: str):
    run_cell(session, "a", succeeded=not succeeded)
    run_cell(session, "b", succeeded=succeeded)
    sessions._end_at_exit(session)
    sessions._end_at_exit(session)
    assert store.ended == [state]


def test_a_forked_child_lets_go_of_the_run_and_does_not_end_it(session: NotebookSession, store: MemoryStore):
    sessions._forget_in_child()
    sessions._end_at_exit(session)
    assert (store.ended, sessions.current_session()) == (["ABANDONED"], None)


def test_listeners_hear_changes_until_they_have_enough(session: NotebookSession):
    heard: list[Mapping[str, float]] = []

    def listen(changed: NotebookSession) -> bool:
        heard.append(changed.facts().metrics)
        return len(heard) < 2

    subscribe(listen)
    for value in (0.1, 0.2, 0.3):
        session.metric(MetricValue("auc", value))
    assert heard == [{"auc": 0.1}, {"auc": 0.2}]


def test_a_notebook_that_was_unknown_can_be_told_later(store: MemoryStore, tmp_path: Path):
    kernel = Kernel({"depth": 3}, follows_cells=True)
    unknown = place(notebook="", name="", parameters=(), root=tmp_path)
    session = open_session(NotebookSession(unknown, kernel, store, RunTitle("r1", "x", "demo")))
    try:
        path = tmp_path / "nb.ipynb"
        cell = {"cell_type": "code", "id": "a", "metadata": {"tags": ["parameters"]}, "source": "depth = 3"}
        cell |= {"outputs": [], "execution_count": None}
        path.write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
        session.adopt(SessionOptions(notebook=path), kernel)
        assert [moved.notebook for moved in store.moved] == ["nb.ipynb"]
        assert (session.status().notebook, session.status().parameters) == ("nb.ipynb", {"depth": 3})
        with pytest.raises(UsageError, match=r"the run of this session belongs to nb.ipynb, not to other.ipynb"):
            session.adopt(SessionOptions(notebook=path.rename(tmp_path / "other.ipynb")), kernel)
    finally:
        sessions.forget_session()


def test_what_settings_name_as_metrics_is_logged_at_the_gate_and_the_end(store: MemoryStore):
    namespace: dict[str, object] = {"score": 0.8, "flag": True, "text": "0.5"}
    metrics = {"auc": "score", "a": "flag", "b": "text", "c": "missing"}
    kernel = Kernel(namespace, follows_cells=True)
    session = NotebookSession(place(metrics=metrics), kernel, store, RunTitle("r1", "flights", "demo"))
    assert session.gate().passed
    assert session.status().metrics == {"auc": 0.8}
    namespace["score"] = 0.6
    with pytest.raises(GateRejected):
        session.register("model", "frame", None)
    assert session.end().metrics == {"auc": 0.6}
    assert store.sent == [StepLog(metrics=(MetricValue("auc", 0.8),)), StepLog(metrics=(MetricValue("auc", 0.6),))]


def test_what_is_logged_while_the_run_is_paused_is_left_out(session: NotebookSession, store: MemoryStore):
    session.metric(MetricValue("auc", 0.5))
    session.pause()
    session.metric(MetricValue("auc", 0.9))
    session.cell_started("x = 1")
    session.cell_ran(CellRun("x = 1"))
    session.cell_finished(succeeded=True)
    assert [batch.metrics for batch in store.sent] == [(MetricValue("auc", 0.5),)]
    assert (store.cells, session.is_open, session.facts().status) == ([], True, SessionStatus.PAUSED)
    assert session.facts().notes == (
        "paused: neither cells nor values are recorded; `%mlops track` goes on",
        "1 value was logged while the run was paused, and left out",
    )
    with pytest.raises(UsageError, match="the run is paused"):
        session.gate()
    with pytest.raises(UsageError, match="not 'other'"):
        start_session(SessionOptions("other"), Kernel({}, follows_cells=True), refuse)
    assert session.facts().status is SessionStatus.PAUSED
    assert start_session(SessionOptions(), Kernel({}, follows_cells=True), refuse) is session
    session.metric(MetricValue("auc", 0.75))
    session.flush()
    assert session.facts().status is SessionStatus.RUNNING
    assert session.facts().metrics == {"auc": 0.75}


def test_what_ran_in_a_pause_is_in_no_record_of_the_run(session: NotebookSession, store: MemoryStore):
    def run(source: str) -> None:
        session.cell_started(source)
        session.cell_ran(CellRun(source, outcome=CellOutcome.DONE))
        session.cell_finished(succeeded=True)

    run("before = 1")
    session.pause()
    run("between = 2")
    session.pause(paused=False)
    run("after = 3")
    assert session.cells == 2
    traces = session.story().run
    assert traces is not None
    assert [trace.source_sha256 for trace in traces.traces] == [
        CellRun(text).digest for text in ("before = 1", "after = 3")
    ]
    session.end()
    provenance = provenance_from_json(store.documents[PROVENANCE_FILE])
    assert provenance is not None
    assert [cell.source for cell in provenance.cells] == ["before = 1", "after = 3"]


def refuse(place: SessionPlace, options: SessionOptions) -> tuple[SessionStore, RunTitle]:
    raise AssertionError("no second run is started")
