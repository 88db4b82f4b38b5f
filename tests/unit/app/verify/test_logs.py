"""What a step logs on both sides."""

from nbmlops.app.verify.logs import compare_logs
from nbmlops.core.records import BehaviourOutcome, BehaviourRecord, CheckRecord, DataRecord
from nbmlops.pipeline.run_record import MetricValue, StepLog

ENDS = ((BehaviourOutcome.PASS, ""), (BehaviourOutcome.FAIL, "no"))
LOG = StepLog(
    params={"depth": 3},
    metrics=(MetricValue("loss", 0.5, 1), MetricValue("loss", 0.25, 2), MetricValue("auc", float("nan"))),
    data=(DataRecord("df", "0" * 32, "frame"),),
    checks=(CheckRecord("df", "flights", True),),
)


def test_behaviour_tests() -> None:
    one, other = (StepLog(tests=(BehaviourRecord("test_a", end, why),)) for end, why in ENDS)
    assert compare_logs(one, other) == (
        ("behaviour test", "test_a", "different", "pass in the notebook, fail: no in the pipeline"),
    )


def test_equal_logs() -> None:
    assert compare_logs(LOG, LOG) == (
        ("param", "depth", "equal", ""),
        ("metric", "loss", "equal", ""),
        ("metric", "auc", "equal", ""),
        ("data", "df", "equal", ""),
        ("check", "df flights", "equal", ""),
    )


def test_differences_on_either_side() -> None:
    other = StepLog(
        params={"depth": 3, "width": 1},
        metrics=(MetricValue("loss", 0.5, 1), MetricValue("auc", 0.75)),
        checks=(CheckRecord("df", "flights", False, ("a: missing",)),),
    )
    assert compare_logs(LOG, other) == (
        ("param", "depth", "equal", ""),
        ("metric", "loss", "different", "0.5 at 1, 0.25 at 2 in the notebook, 0.5 at 1 in the pipeline"),
        ("metric", "auc", "different", "nan in the notebook, 0.75 in the pipeline"),
        ("data", "df", "different", f"logged only in the notebook: {'0' * 32}"),
        ("check", "df flights", "different", "passed in the notebook, failed: a: missing in the pipeline"),
        ("param", "width", "different", "logged only in the pipeline: 1"),
    )
