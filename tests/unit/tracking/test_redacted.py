"""Records on their way out."""

from __future__ import annotations

import pytest

from nbmlops.core.records import CheckRecord, DataRecord
from nbmlops.pipeline.run_record import MetricValue, StepLog
from nbmlops.tracking.delivery import log_entry
from nbmlops.tracking.keys import check_key
from nbmlops.tracking.redacted import redact_entry, redact_log, redact_tags
from nbmlops.tracking.redaction import Redactor
from nbmlops.tracking.spool import Entry


@pytest.fixture
def redactor() -> Redactor:
    return Redactor({"DB_PASSWORD": "hunter2-x"}, lambda: ())


def test_a_log(redactor: Redactor):
    plain = StepLog({"depth": 3}, (MetricValue("auc", 0.5),))
    assert redact_log(plain, redactor) is plain
    check = CheckRecord("frame", "schema", passed=False, failures=("rule 1: 'hunter2-x'",))
    assert redact_log(StepLog({"hunter2-x": "hunter2-x"}, checks=(check,)), redactor) == StepLog(
        {"redacted": "[redacted]"},
        checks=(CheckRecord("frame", "schema", passed=False, failures=("rule 1: '[redacted]'",)),),
    )


def test_names_stay_such_as_stores_take(redactor: Redactor):
    log = StepLog({"hunter2-x/a": 1}, (MetricValue("hunter2-x.auc", 0.5),), (DataRecord("hunter2-x", "d", "file"),))
    redacted = redact_log(log, redactor)
    names = (*redacted.params, *(one.name for one in (*redacted.metrics, *redacted.data)))
    assert [check_key("name", name) for name in names] == ["redacted/a", "redacted.auc", "redacted"]


def test_a_metric_that_is_called_like_a_key(redactor: Redactor):
    entry = log_entry(StepLog(metrics=(MetricValue("AKIA" + "IOSFODNN7EXAMPLE", 0.5),)), 1)
    assert redact_entry(entry, redactor) == log_entry(StepLog(metrics=(MetricValue("redacted", 0.5),)), 1)


def test_tags(redactor: Redactor):
    assert redact_tags({"a": "see hunter2-x", "b": "x"}, redactor) == {"a": "see [redacted]", "b": "x"}


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"kind": "tags", "tags": {"a": "hunter2-x"}}, {"kind": "tags", "tags": {"a": "[redacted]"}}),
        ({"kind": "tags", "tags": {"hunter2-x.name": "b"}}, {"kind": "tags", "tags": {"hunter2-x.name": "b"}}),
        (
            {"kind": "start", "name": "hunter2-x", "experiment": "demo", "key": "ab"},
            {"kind": "start", "name": "[redacted]", "experiment": "demo", "key": "ab"},
        ),
        (
            {"kind": "cell", "run": {"read": {"data/hunter2-x.csv": "audit"}, "wrote": []}},
            {"kind": "cell", "run": {"read": {"data/[redacted].csv": "audit"}, "wrote": []}},
        ),
        ({"kind": "end", "state": "FINISHED", "at": 1}, {"kind": "end", "state": "FINISHED", "at": 1}),
    ],
)
def test_entries_of_a_spool(redactor: Redactor, entry: Entry, expected: Entry):
    assert redact_entry(entry, redactor) == expected
