import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbmlops.core.errors import UsageError
from nbmlops.core.records import BehaviourOutcome, BehaviourRecord, Expectation
from nbmlops.pipeline.run_codec import run_from_json, run_to_json, step_log_from_json, step_log_to_json
from nbmlops.pipeline.run_record import (
    CheckFinding,
    CheckRecord,
    DataRecord,
    JoinedSteps,
    Lineage,
    LiveValue,
    MetricValue,
    ModelVersionRef,
    PredictionsRecord,
    RunRecord,
    RunStatus,
    StepError,
    StepLog,
    StepRecord,
    StepStatus,
)

EXAMPLE = RunRecord(
    status=RunStatus.FAILED,
    run_id="r1",
    pipeline="churn",
    steps=(
        StepRecord(
            "load",
            StepStatus.CACHED,
            log=StepLog(
                params={"rows": 10},
                metrics=(MetricValue("loss", math.inf, 3),),
                data=(
                    DataRecord(
                        "df",
                        "0" * 32,
                        "frame",
                        10,
                        (("a", "int64"),),
                        "training",
                        {"n": [1]},
                        {"data": "d"},
                        {"dvc_file": "df.dvc"},
                    ),
                ),
                checks=(
                    CheckRecord(
                        "df",
                        "flights",
                        False,
                        ("a: 1 row below 0",),
                        (CheckFinding("a", "min", 1, ("-1",), "a: 1 row below 0"),),
                    ),
                ),
            ),
            key="k",
            reason="unchanged",
        ),
        StepRecord(
            "train",
            StepStatus.FAILED,
            1.5,
            "runs/02.ipynb",
            StepError("ValueError", "no", 5, 2, "tb", "h"),
            start="warm",
            peak=1 << 20,
            begun="2026-01-02T03:04:05.678+00:00",
            early=True,
            files={"a.csv": "f" * 32},
        ),
        StepRecord("late", StepStatus.SKIPPED),
    ),
    parameters={"depth": 6},
    metrics={"auc": 0.75, "loss": -math.inf},
    lineage=Lineage("r1", "abc-dirty", {"df": "0" * 32}, "n", "p"),
    verdict={"passed": False},
    model_version=ModelVersionRef("churn", "3", ("champion",)),
    folder="runs/churn/1",
    joined=(JoinedSteps(("load", "train"), (LiveValue("rows", "generator", "cannot pickle 'generator' object"),)),),
)
EXAMPLE_JSON = {
    "schema": "nbmlops/run/1",
    "status": "failed",
    "run_id": "r1",
    "steps": [
        {
            "name": "load",
            "status": "cached",
            "seconds": 0.0,
            "notebook": "",
            "error": None,
            "reason": "unchanged",
            "key": "k",
            "log": {
                "params": {"rows": 10},
                "metrics": [{"name": "loss", "value": "Infinity", "step": 3}],
                "data": [
                    {
                        "name": "df",
                        "digest": "0" * 32,
                        "kind": "frame",
                        "rows": 10,
                        "columns": [["a", "int64"]],
                        "context": "training",
                        "profile": {"n": [1]},
                        "parts": {"data": "d"},
                        "version": {"dvc_file": "df.dvc"},
                    }
                ],
                "checks": [
                    {
                        "data": "df",
                        "schema": "flights",
                        "passed": False,
                        "failures": ["a: 1 row below 0"],
                        "findings": [
                            {"column": "a", "rule": "min", "rows": 1, "examples": ["-1"], "message": "a: 1 row below 0"}
                        ],
                    }
                ],
            },
            "start": "",
            "peak": 0,
            "begun": "",
            "early": False,
            "files": {},
        },
        {
            "name": "train",
            "status": "failed",
            "seconds": 1.5,
            "notebook": "runs/02.ipynb",
            "error": {"name": "ValueError", "message": "no", "cell": 5, "line": 2, "traceback": "tb", "hint": "h"},
            "reason": "",
            "key": "",
            "log": {"params": {}, "metrics": [], "data": [], "checks": []},
            "start": "warm",
            "peak": 1 << 20,
            "begun": "2026-01-02T03:04:05.678+00:00",
            "early": True,
            "files": {"a.csv": "f" * 32},
        },
        {
            "name": "late",
            "status": "skipped",
            "seconds": 0.0,
            "notebook": "",
            "error": None,
            "reason": "",
            "key": "",
            "log": {"params": {}, "metrics": [], "data": [], "checks": []},
            "start": "",
            "peak": 0,
            "begun": "",
            "early": False,
            "files": {},
        },
    ],
    "parameters": {"depth": 6},
    "metrics": {"auc": 0.75, "loss": "-Infinity"},
    "verdict": {"passed": False},
    "model_version": {"name": "churn", "version": "3", "aliases": ["champion"]},
    "lineage": {"run_id": "r1", "git_commit": "abc-dirty", "data": {"df": "0" * 32}, "notebook": "n", "pipeline": "p"},
    "pipeline": "churn",
    "folder": "runs/churn/1",
    "joined": [
        {
            "steps": ["load", "train"],
            "values": [{"name": "rows", "type": "generator", "reason": "cannot pickle 'generator' object"}],
        }
    ],
}

texts = st.text(max_size=10)
numbers = st.integers(0, 1000)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(texts, children, max_size=3),
    max_leaves=5,
)
plains = st.dictionaries(texts, plain, max_size=3)
metrics = st.floats(allow_nan=False)


def tuples(elements: st.SearchStrategy) -> st.SearchStrategy:
    return st.lists(elements, max_size=3).map(tuple)


logs = st.builds(
    StepLog,
    params=plains,
    metrics=tuples(st.builds(MetricValue, texts, metrics, numbers)),
    data=tuples(
        st.builds(DataRecord, texts, texts, texts, st.integers(-1), tuples(st.tuples(texts, texts)), texts, plains)
    ),
    checks=tuples(
        st.builds(
            CheckRecord,
            texts,
            texts,
            st.booleans(),
            tuples(texts),
            tuples(st.builds(CheckFinding, texts, texts, st.integers(0, 9), tuples(texts), texts)),
        )
    ),
    predictions=tuples(st.builds(PredictionsRecord, texts, texts, st.integers(0))),
    tests=tuples(
        st.builds(
            BehaviourRecord,
            texts,
            st.sampled_from(BehaviourOutcome),
            texts,
            tuples(
                st.builds(Expectation, texts, texts, st.integers(0), st.integers(0), st.floats(0, 1), tuples(texts))
            ),
        )
    ),
)
step_records = st.builds(
    StepRecord,
    texts,
    st.sampled_from(StepStatus),
    st.floats(0, 1e6),
    texts,
    st.none() | st.builds(StepError, texts, texts, numbers, numbers, texts, texts),
    logs,
    texts,
    texts,
)
records = st.builds(
    RunRecord,
    status=st.sampled_from(RunStatus),
    run_id=texts,
    pipeline=texts,
    steps=tuples(step_records),
    parameters=plains,
    metrics=st.dictionaries(texts, metrics, max_size=3),
    lineage=st.builds(Lineage, texts, texts, st.dictionaries(texts, texts, max_size=3), texts, texts),
    verdict=st.none() | plains,
    model_version=st.none() | st.builds(ModelVersionRef, texts, texts, tuples(texts)),
    folder=texts,
    joined=tuples(st.builds(JoinedSteps, tuples(texts), tuples(st.builds(LiveValue, texts, texts, texts)))),
)


def through_json(value: Any) -> Any:
    return json.loads(json.dumps(value, allow_nan=False))


def test_the_shape_is_the_promised_one() -> None:
    assert run_to_json(EXAMPLE) == EXAMPLE_JSON
    assert list(run_to_json(EXAMPLE))[:9] == [
        "schema", "status", "run_id", "steps", "parameters", "metrics", "verdict", "model_version", "lineage",
    ]  # fmt: skip
    assert run_from_json(EXAMPLE_JSON) == EXAMPLE


@settings(max_examples=60)
@given(record=records)
def test_every_run_survives(record: RunRecord) -> None:
    assert run_from_json(through_json(run_to_json(record))) == record


@settings(max_examples=40)
@given(log=logs)
def test_every_step_log_survives(log: StepLog) -> None:
    assert step_log_from_json(through_json(step_log_to_json(log))) == log


def test_nan_survives_as_a_metric_and_becomes_a_text_elsewhere() -> None:
    log = StepLog(params={"x": [math.nan, (1, -math.inf)]}, metrics=(MetricValue("auc", math.nan),))
    document = through_json(step_log_to_json(log))
    assert document["params"] == {"x": ["NaN", [1, "-Infinity"]]}
    assert document["metrics"] == [{"name": "auc", "value": "NaN", "step": 0}]
    assert math.isnan(step_log_from_json(document).metrics[0].value)


def test_other_programs_may_add_keys() -> None:
    document = EXAMPLE_JSON | {"added": 1}
    assert run_from_json(document) == EXAMPLE


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": "nbmlops/run/9"}, "run.json has schema 'nbmlops/run/9', but this version"),
        ({"status": "fine"}, "run.json: status must be one of succeeded, failed, gate_rejected, interrupted"),
        ({"metrics": {"auc": "high"}}, "run.json: metrics.auc must be a number, not str 'high'"),
        ({"lineage": None}, "run.json: lineage must be a mapping, not nothing"),
        ({"steps": [{"name": 1}]}, "run.json: steps[0].name must be a text, not int 1"),
    ],
)
def test_a_broken_run_is_refused(change: dict, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        run_from_json(EXAMPLE_JSON | change)
    assert message in caught.value.message


def test_a_value_that_is_not_plain_is_refused() -> None:
    with pytest.raises(TypeError, match="a set is not a plain value"):
        step_log_to_json(StepLog(params={"x": {1}}))  # type: ignore[dict-item]  # the fault under test
