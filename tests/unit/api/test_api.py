"""The functions of the Python API: in a step of a pipeline, in a notebook's run, and without either."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

import nbmlops
from nbmlops.app.data.checks import CheckFailed
from nbmlops.app.session import current as sessions
from nbmlops.core.errors import UsageError
from nbmlops.core.records import CheckFinding, CheckRecord
from nbmlops.pipeline.run_record import MetricValue
from nbmlops.runtime import step as runtime_step
from nbmlops.runtime.steps.recorder import StepRecorder

FRAME = pd.DataFrame({"month": [1, 2, 3], "late": [True, False, True]})
NO_RUN = (
    "no run: nothing is tracked in this session\n"
    "hint: put `%mlops track` in the first cell and run it (in Python: nbmlops.track())"
)


class OpenedStep:
    """What `open_step` leaves behind, as far as recording goes."""

    def __init__(self, root: Path) -> None:
        self.recorder = StepRecorder(root)


@pytest.fixture
def step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StepRecorder:
    opened = OpenedStep(tmp_path)
    monkeypatch.setattr(runtime_step._PROCESS, "step", opened)
    return opened.recorder


@pytest.fixture(autouse=True)
def no_session() -> Iterator[None]:
    yield
    sessions.forget_session()


@pytest.mark.parametrize(
    "call",
    [
        lambda: nbmlops.data(FRAME, "flights"),
        lambda: nbmlops.check(FRAME, "flights"),
        lambda: nbmlops.param("depth", 3),
        lambda: nbmlops.metric("auc", 0.8),
        nbmlops.gate,
        lambda: nbmlops.register(None, data=FRAME),
        lambda: nbmlops.track(stop=True),
    ],
)
def test_without_a_run_calls_tell_the_edit(call: object):
    with pytest.raises(UsageError) as caught:
        call()
    assert str(caught.value) == NO_RUN


def test_status_and_show_work_without_a_run():
    assert repr(nbmlops.status()).startswith("NO-RUN ")
    assert nbmlops.show(FRAME) is None


def test_calls_in_a_step_go_to_its_log(step: StepRecorder):
    assert repr(nbmlops.data(FRAME, "flights", context="training")).startswith("DATA flights: frame, 3 rows, 2 columns")
    nbmlops.param("depth", 3)
    nbmlops.metric("auc", 0.8, step=2)
    log = step.log()
    assert (dict(log.params), log.metrics) == ({"depth": 3}, (MetricValue("auc", 0.8, 2),))
    (record,) = log.data
    assert (record.name, record.rows, record.context, len(record.digest)) == ("flights", 3, "training", 32)
    assert repr(nbmlops.track()).startswith("NO-RUN")
    assert sessions.current_session() is None


def test_a_step_never_writes_a_schema(step: StepRecorder, tmp_path: Path):
    with pytest.raises(UsageError) as caught:
        nbmlops.check(FRAME, "flights")
    assert str(caught.value) == (
        "there is no schema schemas/flights.yaml, and a pipeline does not make one up\n"
        "hint: run the notebook's `%mlops check` line once, review schemas/flights.yaml and commit it"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_step_checks_against_the_projects_schema(step: StepRecorder, tmp_path: Path):
    from nbmlops.app.data.checks import May, check_value

    assert check_value(FRAME, "flights", tmp_path, May.INFER).written == "schemas/flights.yaml"
    assert repr(nbmlops.check(FRAME, "flights")) == "PASS flights keeps schema flights"
    with pytest.raises(CheckFailed) as caught:
        nbmlops.check(FRAME.drop(columns="late"), "flights")
    assert str(caught.value) == (
        "flights breaks schema flights:\n"
        "  late: the column is missing\n"
        "hint: correct the data above this line, or the rules in schemas/flights.yaml"
    )
    said = "late: the column is missing"
    failed = CheckRecord("flights", "flights", False, (said,), (CheckFinding("late", "required", 0, (), said),))
    assert step.log().checks == (CheckRecord("flights", "flights", True), failed)


@pytest.mark.parametrize("schema", ["", "../x", "a/b", ".x", "a b"])
def test_a_schema_is_named_by_a_plain_name(step: StepRecorder, schema: str):
    with pytest.raises(UsageError, match="cannot be the name of a schema"):
        nbmlops.check(FRAME, schema)


def test_closing_calls_have_no_place_in_a_step(step: StepRecorder):
    for call, name in ((nbmlops.gate, "gate"), (lambda: nbmlops.register(None, data=FRAME), "register")):
        with pytest.raises(UsageError) as caught:
            call()
        assert str(caught.value) == (
            f"nbmlops.{name}() was called inside a step; a pipeline judges and registers after its steps\n"
            f"hint: write it as `%mlops {name}` in a cell of its own and compile the notebook again"
        )
