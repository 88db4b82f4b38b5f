"""The MLflow tracker against real stores: one SQLite file for most tests, servers that answer badly or not at all."""

from __future__ import annotations

import json
import math
import os
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from msgspec.structs import replace

from nbmlops.core.errors import EnvironmentFault, UsageError
from nbmlops.core.records import BehaviourOutcome, BehaviourRecord, Expectation
from nbmlops.data.describe import describe
from nbmlops.pipeline.run_record import CheckRecord, DataRecord, MetricValue, PredictionsRecord, StepLog
from nbmlops.tracking.behaviour import behaviours_in
from nbmlops.tracking.mlflow_tracker import MlflowTracker
from nbmlops.tracking.predictions import predictions_file
from nbmlops.tracking.process import this_process
from nbmlops.tracking.tracker import RunFacts, RunStart, RunState, Tracker

URI = "sqlite:///mlflow.db"


@pytest.fixture(scope="session", autouse=True)
def _no_telemetry() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        yield


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("a project with é and #")


@pytest.fixture
def tracker(root: Path) -> Tracker:
    return MlflowTracker(URI, root, now=lambda: 1_700_000_000_000)


def program(text: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", text, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_a_run_comes_back_as_it_was_logged(tracker: Tracker, root: Path) -> None:
    start = RunStart("flights", "first", {"nbmlops.git_commit": "abc"}, "flights.ipynb")
    run_id = tracker.start_run(start).run_id
    data = DataRecord("flights", "a" * 32, "frame", 10, (("hour", "int64"),), "training")
    metrics = (
        MetricValue("auc", 0.1),
        MetricValue("auc", 0.1 + 0.2, 1),
        MetricValue("bad", math.inf),
        MetricValue("worse", -math.inf),
    )
    params = {"depth": 3, "names": ["a", "b"], "flag": True, "nothing": None}
    tracker.log_step(run_id, StepLog(params, metrics, (data,), (CheckRecord("flights", "flights", False, ("x",)),)))
    tracker.log_document(run_id, "verdict.json", {"passed": True})
    tracker.end_run(run_id, RunState.FINISHED)
    mark = this_process()
    facts = tracker.run_facts(run_id)
    assert replace(
        facts, tags={name: value for name, value in facts.tags.items() if name != "mlflow.user"}
    ) == RunFacts(
        run_id=run_id,
        name="first",
        experiment="flights",
        state=RunState.FINISHED,
        params={"depth": "3", "names": "['a', 'b']", "flag": "True", "nothing": "None"},
        metrics={"auc": 0.1 + 0.2, "bad": math.inf, "worse": -math.inf},
        tags={
            "mlflow.runName": "first",
            "mlflow.source.name": "flights.ipynb",
            "mlflow.source.type": "NOTEBOOK",
            "nbmlops.git_commit": "abc",
            "nbmlops.check.flights": "fail",
            "nbmlops.pid": str(mark.pid),
            "nbmlops.host": mark.host,
            "nbmlops.process_start": mark.start,
        },
        data={"flights": "a" * 32},
        started=1_700_000_000_000,
        ended=1_700_000_000_000,
    )
    document = root / "mlartifacts" / run_id / "artifacts" / "verdict.json"
    assert document.read_text() == '{\n  "passed": true\n}\n'


def test_inputs_come_back_with_their_profiles(tracker: Tracker) -> None:
    frames = [pd.DataFrame({"hour": [1, 2, hour], "name": ["a", "a", "b"]}) for hour in (3, 4, 4)]
    records = [describe(frame, "hours", "training") for frame in frames]
    runs = [tracker.start_run(RunStart("flights")).run_id for _ in records]
    for run_id, record in zip(runs, records, strict=True):
        tracker.log_step(run_id, StepLog(data=(record, describe(5, "number"))))
    assert {one.name: one for one in tracker.run_data(runs[0])} == {
        "hours": records[0],
        "number": describe(5, "number"),
    }
    for experiments in (("flights", "another"), ()):
        found = {one.digest: one for one in tracker.data_versions(experiments, "hours")}
        assert found == {one.digest: one for one in records}
    assert tracker.data_versions(("another",), "hours") == ()


def test_a_profile_that_is_too_long_loses_details_first(tracker: Tracker) -> None:
    wide = describe(pd.DataFrame(np.random.default_rng(0).random((50, 150))), "wide")
    run_id = tracker.start_run(RunStart("flights")).run_id
    tracker.log_step(run_id, StepLog(data=(wide,)))
    (found,) = tracker.run_data(run_id)
    assert len(json.dumps(found.profile)) < 64_000
    assert found.parts == wide.parts
    assert "quantiles" not in found.profile["columns"][0]


def test_the_later_of_two_values_of_one_step_counts(tracker: Tracker) -> None:
    run = tracker.start_run(RunStart("airport"))
    tracker.log_step(run.run_id, StepLog(metrics=(MetricValue("loss", 0.9), MetricValue("loss", 0.1))))
    assert tracker.run_facts(run.run_id).metrics == {"loss": 0.1}


def test_nan_is_a_value(tracker: Tracker) -> None:
    run_id = tracker.start_run(RunStart("flights")).run_id
    tracker.log_step(run_id, StepLog(metrics=(MetricValue("auc", math.nan),)))
    assert math.isnan(tracker.run_facts(run_id).metrics["auc"])


def test_much_and_long_things_are_logged_whole(tracker: Tracker, root: Path) -> None:
    run_id = tracker.start_run(RunStart("flights")).run_id
    params = {f"p{index}": "é" * 5000 for index in range(120)} | {"long": "x" * 6001}
    metrics = tuple(MetricValue(f"m{step % 3}", float(step), step) for step in range(2500))
    tracker.log_step(run_id, StepLog(params, metrics))
    tracker.set_tags(run_id, {"big": "y" * 8001})
    facts = tracker.run_facts(run_id)
    assert {name: value for name, value in facts.params.items() if name != "long"} == {
        f"p{index}": "é" * 5000 for index in range(120)
    }
    assert facts.metrics == {"m0": 2499.0, "m1": 2497.0, "m2": 2498.0}
    for text, stored in (("x" * 6001, facts.params["long"]), ("y" * 8001, facts.tags["big"])):
        artifact = stored.rpartition(" ")[2]
        assert (root / "mlartifacts" / run_id / "artifacts" / artifact).read_text() == text


def test_names_that_mlflow_refuses_are_refused_before_anything_is_logged(tracker: Tracker) -> None:
    run_id = tracker.start_run(RunStart("flights")).run_id
    with pytest.raises(UsageError, match="'precision@10' cannot be the name of a metric in MLflow"):
        tracker.log_step(run_id, StepLog({"a": 1}, (MetricValue("precision@10", 0.5),)))
    with pytest.raises(UsageError, match="has step 9223372036854775808, which is beyond 64 bits"):
        tracker.log_step(run_id, StepLog({"a": 1}, (MetricValue("auc", 0.5, 2**63),)))
    assert tracker.run_facts(run_id).params == {}


def test_a_parameter_keeps_its_value(tracker: Tracker) -> None:
    run_id = tracker.start_run(RunStart("flights")).run_id
    tracker.log_step(run_id, StepLog({"depth": 3}))
    tracker.log_step(run_id, StepLog({"depth": 3}))
    with pytest.raises(UsageError, match="Changing param values is not allowed"):
        tracker.log_step(run_id, StepLog({"depth": 4}))


def test_files_and_folders_become_artifacts(tracker: Tracker, root: Path, tmp_path: Path) -> None:
    run_id = tracker.start_run(RunStart("flights")).run_id
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "01_load.ipynb").write_text("{}")
    tracker.log_artifacts(run_id, tmp_path / "out", "notebooks")
    tracker.log_artifacts(run_id, tmp_path / "out" / "01_load.ipynb")
    base = root / "mlartifacts" / run_id / "artifacts"
    found = sorted(path.relative_to(base).as_posix() for path in base.rglob("*") if path.is_file())
    assert found == ["01_load.ipynb", "notebooks/01_load.ipynb"]
    with pytest.raises(UsageError, match="does not exist"):
        tracker.log_artifacts(run_id, tmp_path / "missing")


def test_the_latest_run_with_some_tags(root: Path) -> None:
    times = iter(range(1_000, 9_000, 1_000))
    tracker = MlflowTracker(URI, root, now=lambda: next(times))
    old = tracker.start_run(RunStart("latest", tags={"nbmlops.notebook_digest": "n"}))
    new = tracker.start_run(RunStart("latest", tags={"nbmlops.notebook_digest": "n"}))
    tracker.start_run(RunStart("latest", tags={"nbmlops.notebook_digest": "other"}))
    assert old.started < new.started
    assert tracker.latest_run("latest", {"nbmlops.notebook_digest": "n"}) == new
    assert tracker.latest_run("latest", {"nbmlops.notebook_digest": "none"}) is None
    assert tracker.latest_run("no such experiment", {}) is None


def test_what_does_not_exist_is_named(tracker: Tracker) -> None:
    with pytest.raises(UsageError, match="Run with id=0123456789abcdef not found"):
        tracker.run_facts("0123456789abcdef")


def test_deleted_runs_and_experiments_are_named_with_the_way_back(tracker: MlflowTracker) -> None:
    facts = tracker.start_run(RunStart("doomed"))
    tracker._client.delete_run(facts.run_id)
    with pytest.raises(UsageError) as caught:
        tracker.run_facts(facts.run_id)
    assert str(caught.value) == f"run {facts.run_id} was deleted\nhint: mlflow runs restore --run-id {facts.run_id}"
    experiment = tracker._client.get_experiment_by_name("doomed")
    tracker._client.delete_experiment(experiment.experiment_id)
    with pytest.raises(UsageError, match="the experiment 'doomed' was deleted"):
        tracker.start_run(RunStart("doomed"))


def test_the_users_own_mlflow_is_left_alone(tracker: Tracker) -> None:
    import mlflow

    before = (mlflow.get_tracking_uri(), os.environ.get("MLFLOW_TRACKING_URI"))
    run_id = tracker.start_run(RunStart("flights")).run_id
    tracker.log_step(run_id, StepLog({"a": 1}))
    assert mlflow.active_run() is None
    assert (mlflow.get_tracking_uri(), os.environ.get("MLFLOW_TRACKING_URI")) == before


START_AND_DIE = """
import os, sys
from pathlib import Path
from nbmlops.tracking.mlflow_tracker import MlflowTracker
from nbmlops.tracking.tracker import RunStart
print(MlflowTracker("sqlite:///mlflow.db", Path(sys.argv[1])).start_run(RunStart("shared")).run_id, flush=True)
os._exit(9)
"""


@pytest.mark.slow
def test_the_run_of_a_process_that_died_is_marked_killed(tracker: Tracker, root: Path) -> None:
    mine = tracker.start_run(RunStart("shared"))
    child = program(START_AND_DIE, str(root))
    output, errors = child.communicate()
    assert errors == ""
    assert tracker.mark_killed("shared") == (output.strip(),)
    assert tracker.run_facts(output.strip()).state is RunState.KILLED
    assert tracker.run_facts(mine.run_id).state is RunState.RUNNING
    assert tracker.mark_killed("shared") == ()
    assert tracker.mark_killed("no such experiment") == ()


@pytest.mark.slow
def test_four_processes_may_be_the_first_to_use_a_store(tmp_path: Path) -> None:
    children = [program(START_AND_DIE, str(tmp_path)) for _ in range(4)]
    results = [child.communicate() for child in children]
    assert [errors for _, errors in results] == [""] * 4
    tracker = MlflowTracker(URI, tmp_path)
    assert [tracker.run_facts(output.strip()).experiment for output, _ in results] == ["shared"] * 4


def test_a_store_that_somebody_has_locked_is_named(root: Path, tracker: Tracker) -> None:
    tracker.start_run(RunStart("flights"))
    with closing(sqlite3.connect(root / "mlflow.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(EnvironmentFault, match="is locked by another program"):
            MlflowTracker(URI, root).start_run(RunStart("flights"))


def test_a_server_that_is_not_there_is_told_within_seconds_and_without_the_password(tmp_path: Path) -> None:
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    tracker = MlflowTracker(f"http://ada:s3cret@127.0.0.1:{port}", tmp_path)
    start = time.monotonic()
    with pytest.raises(EnvironmentFault) as caught:
        tracker.start_run(RunStart("flights"))
    assert time.monotonic() - start < 60  # MLflow alone tries for minutes
    assert tracker.uri == f"http://127.0.0.1:{port}"
    assert str(caught.value) == (
        f"the tracking server http://127.0.0.1:{port} cannot be reached: [Errno 111] Connection refused\n"
        "hint: start it, correct MLFLOW_TRACKING_URI or [tracking] uri, or remove them to use a file in the project"
    )


@pytest.mark.slow
def test_a_server_that_does_not_answer_is_told_within_seconds(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        port = silent.getsockname()[1]
        start = time.monotonic()
        with pytest.raises(EnvironmentFault, match="cannot be reached: timed out"):
            MlflowTracker(f"http://127.0.0.1:{port}", tmp_path).start_run(RunStart("flights"))
        assert time.monotonic() - start < 60  # MLflow alone tries for minutes


def test_a_database_server_that_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(
        EnvironmentFault, match=r"the tracking server postgresql://127\.0\.0\.1:9/mlflow cannot be reached"
    ):
        MlflowTracker("postgresql://ada:s3cret@127.0.0.1:9/mlflow", tmp_path).start_run(RunStart("flights"))


def test_predictions_are_an_artifact_with_their_digest(tracker: Tracker, root: Path) -> None:
    run_id = tracker.start_run(RunStart("flights", "predictions")).run_id
    digest = "d" * 64
    file = predictions_file(root, digest)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"rows")
    log = StepLog(predictions=(PredictionsRecord("held_out", digest, 4), PredictionsRecord("gone", "e" * 64, 4)))
    tracker.log_step(run_id, log)
    tracker.log_step(run_id, log)  # as when a spool is sent again
    assert tracker.read_artifact(run_id, "predictions/held_out.parquet") == b"rows"
    found = {name: text for name, text in tracker.run_facts(run_id).tags.items() if "predictions" in name}
    assert found == {"nbmlops.predictions.held_out": digest}
    with pytest.raises(UsageError, match=r"gone\.parquet"):
        tracker.read_artifact(run_id, "predictions/gone.parquet")


def test_behaviour_tests_are_tags_and_the_last_outcome_counts(tracker: Tracker) -> None:
    run_id = tracker.start_run(RunStart("flights", "tests")).run_id
    stated = Expectation("invariance", "does not change", 300, 12, 0.01, ("row 3: 0.1 -> 0.2",) * 3)
    bad = BehaviourRecord("test_a", BehaviourOutcome.FAIL, str(stated), (stated,) * 10)
    good = BehaviourRecord("test_b", BehaviourOutcome.PASS, "", (stated,))
    tracker.log_step(run_id, StepLog(tests=(bad, good)))
    assert behaviours_in(tracker.run_facts(run_id).tags) == (bad, good)
    better = BehaviourRecord("test_a", BehaviourOutcome.PASS)
    tracker.log_step(run_id, StepLog(tests=(bad, better)))
    assert behaviours_in(tracker.run_facts(run_id).tags) == (better, good)
