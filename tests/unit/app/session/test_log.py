import math
import sys
import threading

import numpy as np
import pytest

from nbmlops.app.session.log import Change, SessionLog
from nbmlops.core.errors import UsageError
from nbmlops.core.records import BehaviourOutcome, BehaviourRecord
from nbmlops.pipeline.run_record import CheckRecord, DataRecord, FitRecord, MetricValue, PredictionsRecord, StepLog
from nbmlops.tracking.tracker import RunFacts, RunState

AUC = MetricValue("auc", 0.8)


def test_what_was_logged_is_sent_once():
    log = SessionLog()
    log.record_param("depth", 3)
    log.record_metric(AUC)
    log.record_data(DataRecord("df", "0" * 32, "frame"))
    log.record_check(CheckRecord("df", "df", passed=True))
    assert log.batch() == StepLog(
        {"depth": 3}, (AUC,), (DataRecord("df", "0" * 32, "frame"),), (CheckRecord("df", "df", passed=True),)
    )
    assert log.batch() == StepLog()


def test_the_same_predictions_are_sent_once_and_others_again():
    log = SessionLog()
    one, other = PredictionsRecord("held_out", "a" * 64, 10), PredictionsRecord("held_out", "b" * 64, 10)
    log.record_predictions(one)
    log.record_predictions(one)
    assert log.batch() == StepLog(predictions=(one,))
    log.record_predictions(one)
    assert log.batch() == StepLog()
    log.record_predictions(other)
    assert log.batch() == StepLog(predictions=(other,))


def test_behaviour_tests_are_sent_when_their_outcome_is_another_one():
    log = SessionLog()
    good, bad = (BehaviourRecord("test_a", end) for end in (BehaviourOutcome.PASS, BehaviourOutcome.FAIL))
    log.record_tests([bad])
    log.record_tests([bad])
    log.record_tests([good])
    assert log.batch() == StepLog(tests=(bad, good))
    log.record_tests([good])
    log.record_tests([])
    assert log.batch() == StepLog()


def test_declared_tests_that_were_not_run_are_told():
    tags = {"nbmlops.test.test_early": "{}"}
    log = SessionLog((), RunFacts("r", "n", "e", RunState.RUNNING, tags=tags))
    log.record_tests([BehaviourRecord("test_a", BehaviourOutcome.PASS)])
    missing = BehaviourRecord("test_b", BehaviourOutcome.NOT_RUN, "its cell was not run")
    assert log.tests_not_run(["test_a", "test_b", "test_early"]) == (missing,)


def test_notebook_parameters_are_sent_with_the_first_other_thing():
    log = SessionLog(("depth", "rate"))
    log.read_parameters({"depth": np.int64(3), "other": 1})
    assert log.batch() == StepLog()
    log.read_parameters({"depth": 4, "rate": 0.1})
    log.record_metric(AUC)
    assert log.batch() == StepLog({"depth": 4, "rate": 0.1}, (AUC,))
    assert log.params == {"depth": 4, "rate": 0.1}


def test_notebook_parameters_are_sent_at_the_end_at_the_latest():
    log = SessionLog(("depth",))
    log.read_parameters({"depth": 3})
    assert log.batch(last=True) == StepLog({"depth": 3})


def test_a_parameter_that_changed_after_it_was_sent_is_told():
    log = SessionLog(("depth",))
    log.read_parameters({"depth": 3})
    log.batch(last=True)
    log.read_parameters({"depth": 4})
    assert log.changes() == (Change("depth", 3, 4),)
    assert str(log.changes()[0]) == "depth is 4 now, but this run logged 3"
    log.read_parameters({"depth": 3})
    assert log.changes() == ()


def test_a_parameter_cannot_be_logged_with_another_value():
    log = SessionLog()
    log.record_param("depth", math.nan)
    log.record_param("depth", math.nan)
    with pytest.raises(UsageError) as caught:
        log.record_param("depth", 4)
    assert str(caught.value) == (
        "depth is 4 now, but this run logged nan\n"
        "hint: end the run with `%mlops track --stop` and run the notebook from its first cell"
    )
    assert log.batch().params.keys() == {"depth"}


def test_values_that_are_not_plain_are_left_out():
    log = SessionLog(("depth", "model"))
    log.read_parameters({"depth": 3, "model": object()})
    assert log.params == {"depth": 3}


def test_the_last_value_of_the_greatest_step_counts():
    log = SessionLog()
    for metric in (MetricValue("loss", 0.9, 0), MetricValue("loss", 0.5, 2), MetricValue("loss", 0.7, 1)):
        log.record_metric(metric)
    assert log.metrics == {"loss": 0.5}
    log.record_metric(MetricValue("loss", 0.4, 2))
    assert log.metrics == {"loss": 0.4}
    assert [(metric.step, metric.value) for metric in log.batch().metrics] == [(0, 0.9), (2, 0.5), (1, 0.7), (2, 0.4)]


def test_the_same_input_is_sent_once_and_a_new_content_again():
    log = SessionLog()
    one, two = DataRecord("df", "1" * 32, "frame"), DataRecord("df", "2" * 32, "frame")
    for record in (one, one, two):
        log.record_data(record)
    assert log.batch().data == (one, two)
    assert log.data == (two,)


def test_a_paused_log_counts_what_it_leaves_out():
    log = SessionLog()
    log.is_paused = True
    log.record_param("depth", 3)
    log.record_metric(MetricValue("auc", 0.5))
    assert (log.params, log.metrics, log.batch(last=True), log.ignored) == ({}, {}, StepLog(), 2)
    log.is_paused = False
    log.record_param("depth", 3)
    assert (log.params, log.ignored) == ({"depth": 3}, 2)


def test_what_an_earlier_kernel_logged_is_not_sent_again():
    earlier = {"depth": "3", "dsn": "[redacted]", "long": "9 characters, sha256 ab, see artifact x"}
    log = SessionLog(("depth", "rate"), RunFacts("r", "line", "demo", RunState.KILLED, earlier, {"auc": 0.5}))
    log.read_parameters({"depth": 3, "rate": 0.1})
    log.record_param("dsn", "postgresql://…")
    log.record_param("long", "a text")
    assert log.batch(last=True) == StepLog(params={"rate": 0.1})
    assert log.params == {"depth": 3, "dsn": "postgresql://…", "long": "a text", "rate": 0.1}
    assert (log.metrics, log.changes()) == ({"auc": 0.5}, ())
    log.record_metric(MetricValue("auc", 0.75))
    assert log.metrics == {"auc": 0.75}


def test_a_parameter_of_an_earlier_kernel_keeps_its_value():
    earlier = {"depth": "3", "rate": "0.1"}
    log = SessionLog(("depth",), RunFacts("r", "line", "demo", RunState.KILLED, earlier))
    log.read_parameters({"depth": 5})
    assert [str(change) for change in log.changes()] == ["depth is 5 now, but this run logged '3'"]
    with pytest.raises(UsageError, match=r"rate is 0\.2 now, but this run logged '0\.1'"):
        log.record_param("rate", 0.2)


def test_several_threads_log_at_once_and_nothing_is_lost() -> None:
    log, sent, usual = SessionLog(), [], sys.getswitchinterval()

    def train(thread: int) -> None:
        for number in range(200):
            log.record_fit(FitRecord(f"model{thread}", {}, (MetricValue("score", float(number), number),)))

    threads = [threading.Thread(target=train, args=(number,)) for number in range(4)]
    sys.setswitchinterval(1e-6)  # threads take turns where they usually do once in a thousand times
    try:
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            sent += log.batch().metrics
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(usual)
    sent += log.batch().metrics
    expected = [(f"model{thread}/score", number) for thread in range(4) for number in range(200)]
    assert sorted((metric.name, metric.step) for metric in sent) == expected
