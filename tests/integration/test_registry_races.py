"""Several processes that change one model at once, processes that are killed while they do, and the log of it all.

On a real SQLite store.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from nbmlops.app.versions.audit import audit_models
from nbmlops.app.versions.promote import promote_model, rollback_model
from nbmlops.cli.audit_output import json_lines
from nbmlops.core.errors import UsageError
from nbmlops.registry.audit import Action
from nbmlops.registry.mlflow_registry import MlflowRegistry
from nbmlops.registry.transitions import standing

MODEL = "flights"
ROUNDS = 4
RACER = """
import json, sys, time
from pathlib import Path
from nbmlops.core.errors import NbmlopsError
from nbmlops.registry.mlflow_registry import MlflowRegistry
from nbmlops.registry.promote import promote
from nbmlops.registry.transitions import Actor, standing

root, who, version = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
registry = MlflowRegistry("sqlite:///mlflow.db", root)
standing(registry, "flights")
for round in range(4):
    print("ready", flush=True)
    expected = sys.stdin.readline().strip()
    try:
        changed = promote(registry, "flights", version, Actor(who, f"round {round}", "race"), expected=expected).changed
        print(json.dumps([0, str(changed)]), flush=True)
    except NbmlopsError as error:
        print(json.dumps([int(error.exit_code), error.message]), flush=True)
"""
VICTIM = """
import os, signal, sys
from pathlib import Path
from nbmlops.registry.mlflow_registry import MlflowRegistry
from nbmlops.registry.promote import promote
from nbmlops.registry.transitions import Actor

class Dies(MlflowRegistry):
    last = int(sys.argv[2])
    def count(self):
        self.last -= 1
        if self.last < 0:
            os.kill(os.getpid(), signal.SIGKILL)
    def set_alias(self, *given):
        self.count(); super().set_alias(*given)
    def set_tags(self, *given):
        self.count(); super().set_tags(*given)
    def tag_entry(self, *given):
        self.count(); super().tag_entry(*given)

promote(Dies("sqlite:///mlflow.db", Path(sys.argv[1])), "flights", sys.argv[3], Actor("ada", "now", "cut off"))
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose store has three versions of a model, the first of them champion."""
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "nbmlops.toml").write_text("")
    registry = MlflowRegistry("sqlite:///mlflow.db", tmp_path)
    registry.make_entry(MODEL, {})
    for number in ("1", "2", "3"):
        stored = tmp_path / "models" / number
        stored.mkdir(parents=True)
        (stored / "MLmodel").write_text("flavors: {}")
        registry._client.create_model_version(MODEL, str(stored))
        registry.set_tags(MODEL, number, {"nbmlops.verdict": "pass"})
    promote_model("flights/1", "the first one", tmp_path)
    return tmp_path


def told(project: Path) -> list[tuple[str, str, str]]:
    (audit,) = audit_models(MODEL, project)
    assert (audit.faults, audit.pending) == ((), "")
    return [(line.action.value, line.version, line.reason) for line in audit.lines]


def champion(project: Path) -> str:
    return standing(MlflowRegistry("sqlite:///mlflow.db", project), MODEL).entry.aliases["champion"]


@pytest.mark.slow
def test_of_two_that_promote_at_once_one_wins_and_the_other_hears_who(project: Path) -> None:
    command = [sys.executable, "-c", RACER, str(project)]
    racers = {
        who: subprocess.Popen(
            [*command, who, version], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=project
        )
        for who, version in (("ada", "2"), ("bob", "3"))
    }
    wins = list[str]()
    for _ in range(ROUNDS):
        for racer in racers.values():
            assert racer.stdout is not None
            assert racer.stdout.readline() == "ready\n"
        promote_model("flights/1", "start again", project)
        for racer in racers.values():
            assert racer.stdin is not None
            racer.stdin.write("1\n")
            racer.stdin.flush()
        said = {who: json.loads(racer.stdout.readline()) for who, racer in racers.items() if racer.stdout}
        (winner,) = [who for who, (code, _) in said.items() if code == 0]
        (loser,) = set(racers) - {winner}
        version = {"ada": "2", "bob": "3"}[winner]
        assert champion(project) == version
        code, message = said[loser]
        assert (code, message.startswith(f"the champion of flights is version {version} now, not 1")) == (6, True)
        assert f"made so by {winner}" in message
        wins.append(version)
    for racer in racers.values():
        racer.communicate(timeout=60)
    expected = [("promote", "1", "the first one"), ("promote", wins[0], "race")]
    for version in wins[1:]:
        expected += [("promote", "1", "start again"), ("promote", version, "race")]
    assert told(project) == expected


@pytest.mark.slow
@pytest.mark.parametrize(
    ("before_call", "actions"),
    [(1, ["abandon"]), (2, ["promote", "complete"]), (5, ["promote"])],
    ids=["before the alias", "after the alias", "after the line"],
)
def test_a_promotion_that_is_killed_is_done_or_not_and_the_log_tells_which(
    project: Path, before_call: int, actions: list[str]
) -> None:
    victim = subprocess.run(
        [sys.executable, "-c", VICTIM, str(project), str(before_call), "3"], cwd=project, check=False
    )
    assert victim.returncode == -signal.SIGKILL
    (audit,) = audit_models(MODEL, project)
    assert audit.pending.startswith("ada (process ")
    promote_model("flights/2", "go on", project)
    assert champion(project) == "2"
    assert [action for action, _, _ in told(project)] == ["promote", *actions, "promote"]


def test_what_was_exported_is_what_the_log_must_begin_with(project: Path) -> None:
    promote_model("flights/2", "better", project)
    exported = project / "audit.jsonl"
    exported.write_text(json_lines(audit_models("", project)))
    assert rollback_model(MODEL, "worse after all", project).version.version == "1"
    assert [audit.faults for audit in audit_models(MODEL, project, "audit.jsonl")] == [()]
    registry = MlflowRegistry("sqlite:///mlflow.db", project)
    line = next(
        line for line in standing(registry, MODEL).log.lines if line.action is Action.PROMOTE and line.version == "2"
    )
    registry.set_tags(MODEL, "2", {"nbmlops.audit.000002": json.dumps({"who": "eve"})})
    assert [audit.faults for audit in audit_models(MODEL, project, "audit.jsonl")] == [
        (
            "the tag nbmlops.audit.000002 of version 2 holds no line",
            "line 2 is missing",
            "line 2 is not what it was when it was exported",
        )
    ]
    exported.write_text(exported.read_text().replace(line.reason, "other"))
    with pytest.raises(UsageError, match="line 2: its hash is another one: the file was altered"):
        audit_models(MODEL, project, "audit.jsonl")
    exported.write_text("[]")
    with pytest.raises(UsageError, match="line 1: not a line of an exported audit log"):
        audit_models(MODEL, project, "audit.jsonl")


def test_without_a_reason_nothing_is_changed(project: Path) -> None:
    before = told(project)
    with pytest.raises(UsageError, match="a change of what is live needs a reason"):
        promote_model("flights/2", " ", project)
    with pytest.raises(UsageError, match="a change of what is live needs a reason"):
        rollback_model(MODEL, "", project)
    with pytest.raises(UsageError, match="no model 'flihgts' is registered"):
        audit_models("flihgts", project)
    with pytest.raises(UsageError, match="is no model name"):
        rollback_model("flights@champion", "why", project)
    assert (told(project), champion(project)) == (before, "1")
