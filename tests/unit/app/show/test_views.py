from __future__ import annotations

from msgspec.structs import replace

from nbmlops.app.show.views import ParamView, SessionStatus
from nbmlops.core.records import BehaviourOutcome, BehaviourRecord, CheckRecord, DataRecord
from nbmlops.gate.baseline import NoChampion
from nbmlops.gate.evaluate import evaluate
from nbmlops.gate.policy import Policy, Rule
from nbmlops.pipeline.run_record import ModelVersionRef
from tests.fakes.statuses import STARTED

POLICY = Policy((Rule("floor", "auc", min=0.9),))
STATUS = replace(
    STARTED,
    parameters={"depth": 5, "kind": "l1"},
    metrics={"auc": 0.8312345678},
    data=(DataRecord("flights", "ab" * 16, "frame", 4000),),
    checks=(CheckRecord("flights", "f", True),),
    notes=("the notebook is not saved",),
)


def test_a_status_is_one_line_and_one_small_table() -> None:
    assert repr(STATUS) == (
        "RUN flights (0123456789abcdef)\n"
        "run:\n"
        "  fact        value\n"
        "  stored in   demo, sqlite:///mlflow.db\n"
        "  notebook    flights.ipynb\n"
        f"  git commit  {'c' * 40}, with changes that are not in it\n"
        "  parameters  depth = 5, kind = 'l1'\n"
        "  metrics     auc = 0.831235\n"
        "  data        flights (declared, abababab)\n"
        "  checks      1 passed\n"
        "  gate        not judged yet\n"
        "the notebook is not saved"
    )


def test_what_stands_against_the_run_is_named() -> None:
    verdict = evaluate(STATUS.metrics, NoChampion(), POLICY)
    shown = replace(
        STATUS,
        status=SessionStatus.PAUSED,
        checks=(CheckRecord("flights", "f", False, ("hour: 2 rows are below 0",)), CheckRecord("other", "o", True)),
        preview=verdict,
        reproducible="no, because cell 3 was edited after it ran",
        model_version=ModelVersionRef("flights", "3", ("challenger",)),
    )
    rows = dict(shown.card().tables[0].rows)
    assert shown.card().state == "PAUSED"
    assert (rows["checks"], rows["gate"]) == ("FAIL: flights against f", f"not judged yet; now: {verdict.summary()}")
    assert "behaviour tests" not in rows
    ends = (BehaviourRecord("test_a", BehaviourOutcome.PASS), BehaviourRecord("test_b", BehaviourOutcome.NOT_RUN))
    told = [dict(replace(shown, tests=tests).card().tables[0].rows)["behaviour tests"] for tests in (ends[:1], ends)]
    assert told == ["1 passed", "FAIL: test_b (not run)"]
    assert rows["reproducible"] == "no, because cell 3 was edited after it ran"
    assert rows["registered"] == "flights version 3 challenger"
    assert dict(replace(shown, verdict=verdict).card().tables[0].rows)["gate"] == verdict.summary()


def test_however_much_there_is_each_fact_is_one_line() -> None:
    many = replace(STATUS, parameters={f"p{n}": "x" * 20 for n in range(40)} | {"long": "y" * 5000}, metrics={})
    rows = dict(many.card().tables[0].rows)
    three = ", ".join(f"p{n} = {20 * 'x'!r}" for n in range(3))
    assert rows["parameters"] == f"{three} and 38 more"
    assert "metrics" not in rows
    alone = dict(replace(STATUS, parameters={"long": "y" * 5000}).card().tables[0].rows)["parameters"]
    assert (len(alone), alone[-1]) == (100, "…")


def test_of_a_long_parameter_its_beginning_is_shown() -> None:
    assert repr(ParamView("depth", [1, "a"])) == "PARAM depth = [1, 'a']"
    assert repr(ParamView("text", "x" * 200)) == f"PARAM text = '{'x' * 200}'"
    assert repr(ParamView("text", "x" * 10_000_000)) == f"PARAM text = '{'x' * 200}'… (10,000,000 characters)"
    assert repr(ParamView("list", [10] * 1000)) == f"PARAM list = [{'10, ' * 49}10,… (4,000 characters)"
