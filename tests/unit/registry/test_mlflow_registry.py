from __future__ import annotations

import json

import pytest

from nbmlops.gate.verdict import Outcome, RuleResult, Verdict
from nbmlops.pipeline.run_record import Lineage
from nbmlops.registry import mlflow_registry as module
from nbmlops.registry.registry import Candidate
from nbmlops.tracking.redaction import Redactor

SECRET = "hunter2-and-more"
PASS = Verdict(True, (RuleResult("floor", "auc", 0.8, ">= 0.7", None, Outcome.PASS),))


def test_tags_of_a_version_hold_no_secret_and_all_that_is_looked_for_later(monkeypatch: pytest.MonkeyPatch) -> None:
    redactor = Redactor({"DATABASE_PASSWORD": SECRET}, files=dict)
    monkeypatch.setattr(module, "process_redactor", lambda: redactor)
    data = {f"rows of {SECRET}": "d" * 32, "flights": "f" * 32}
    lineage = Lineage("7f" * 16, "3a" * 20, data, "n" * 64, "p" * 64)
    metrics = {f"auc of {SECRET}": 0.1 + 0.2, "auc": 0.8}
    tags = module._version_tags(Candidate("flights", "7f" * 16, None, "m" * 32, None, lineage, metrics), PASS)
    assert SECRET not in str(tags)
    plain = module._version_tags(
        Candidate("flights", "7f" * 16, None, "m" * 32, None, Lineage("7f" * 16, "3a" * 20, {}, "n" * 64, "p" * 64)),
        PASS,
    )
    extra = {name: text for name, text in tags.items() if plain.get(name) != text}
    assert {name: text for name, text in extra.items() if name != "nbmlops.metrics"} == {
        "nbmlops.data.rows of redacted": "d" * 32,
        "nbmlops.data.flights": "f" * 32,
    }
    assert json.loads(extra["nbmlops.metrics"]) == {"auc of redacted": 0.1 + 0.2, "auc": 0.8}
