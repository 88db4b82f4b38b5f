from __future__ import annotations

from pathlib import Path

import pytest

from nbmlops.app import audit as module
from nbmlops.app.audit import ModelAudit, audit_models
from nbmlops.cli.audit_output import json_lines
from nbmlops.core.errors import UsageError
from nbmlops.gate.verdict import Outcome, RuleResult, Verdict
from nbmlops.pipeline.run_record import Lineage
from nbmlops.registry.register import register
from nbmlops.registry.registry import Candidate
from nbmlops.registry.transitions import standing
from tests.fakes.in_memory import InMemoryRegistry

PASS = Verdict(True, (RuleResult("floor", "auc", 0.8, ">= 0.7", None, Outcome.PASS),))


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> InMemoryRegistry:
    made = InMemoryRegistry()
    for name in ("flights", "trains"):
        register(PASS, Candidate(name, f"run of {name}", object(), name, None, Lineage()), made)

    class Opened:
        registry = made

    monkeypatch.setattr(module, "model_stores", lambda name, cwd: Opened)
    return made


def export(registry: InMemoryRegistry, file: Path, model: str) -> None:
    file.write_text(json_lines([ModelAudit(model, standing(registry, model).log.lines)]), encoding="utf-8")


def test_a_log_is_what_was_exported_of_it(registry: InMemoryRegistry, tmp_path: Path) -> None:
    export(registry, tmp_path / "audit.jsonl", "flights")
    (found,) = audit_models("flights", tmp_path, "audit.jsonl")
    assert (found.faults, len(found.lines)) == ((), 1)
    assert [one.model for one in audit_models("", tmp_path, "audit.jsonl")] == ["flights", "trains"]


@pytest.mark.parametrize("name", ["", "flights"])
def test_a_file_without_a_line_compares_with_nothing(registry: InMemoryRegistry, tmp_path: Path, name: str) -> None:
    (tmp_path / "audit.jsonl").touch()
    with pytest.raises(UsageError, match=f"holds no line of {name or 'any model'}"):
        audit_models(name, tmp_path, "audit.jsonl")


def test_a_file_of_another_model_compares_with_nothing(registry: InMemoryRegistry, tmp_path: Path) -> None:
    export(registry, tmp_path / "audit.jsonl", "trains")
    with pytest.raises(UsageError, match="holds no line of flights"):
        audit_models("flights", tmp_path, "audit.jsonl")
