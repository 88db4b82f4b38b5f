from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from nbmlops.app.versions import audit as module
from nbmlops.app.versions.audit import ModelAudit, audit_models
from nbmlops.cli.audit_output import json_lines
from nbmlops.core.errors import UsageError
from nbmlops.gate.verdict import Outcome, RuleResult, Verdict
from nbmlops.pipeline.run_record import Lineage
from nbmlops.registry.register import register
from nbmlops.registry.registry import Candidate, ModelVersion
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


def test_aliases_that_the_log_never_mentions_are_told(registry: InMemoryRegistry, tmp_path: Path) -> None:
    register(PASS, Candidate("flights", "another run", object(), "another", None, Lineage()), registry)
    registry.set_alias("flights", "blue", "1")
    (found,) = audit_models("flights", tmp_path)
    assert (found.faults, found.notes) == (
        (),
        ("the alias blue is version 1: nbmlops does not move it, so the log says nothing of it",),
    )
    # With its log taken away as a whole, a model of ours is not taken for one that never had a log.
    for number in ("1", "2"):
        version = registry.models["flights"][int(number) - 1]
        tags = {name: value for name, value in version.tags.items() if not name.startswith("nbmlops.audit")}
        registry.models["flights"][int(number) - 1] = replace(version, tags=tags)
    registry.entries.pop("flights")
    (found,) = audit_models("flights", tmp_path)
    assert found.faults == (
        "the champion is version 1, and the log says nothing of it: it was made so without nbmlops",
        "the challenger is version 2, and the log says nothing of it: it was made so without nbmlops",
    )


def test_a_model_that_nbmlops_had_no_part_in_has_no_broken_log(registry: InMemoryRegistry, tmp_path: Path) -> None:
    registry.models["foreign"] = [ModelVersion("foreign", "1")]
    registry.set_alias("foreign", "champion", "1")
    (found,) = audit_models("foreign", tmp_path)
    assert (found.lines, found.faults, found.notes) == (
        (),
        (),
        ("the champion is version 1, and the log says nothing of it: it was made so without nbmlops",),
    )
