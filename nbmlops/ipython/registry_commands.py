"""`%mlops promote`, `%mlops rollback` and `%mlops audit`: the use cases of the command line, shown in the notebook."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from nbmlops.app.show.cards import Card, Table
from nbmlops.app.show.views import View
from nbmlops.app.versions.audit import ModelAudit, audit_models
from nbmlops.app.versions.promote import PromoteOutcome, promote_model, rollback_model
from nbmlops.core.errors import UsageError
from nbmlops.notebook.mlops_lines import Options
from nbmlops.registry.audit import TABLE_HEAD, table_row
from nbmlops.registry.registry import CHAMPION

_COMMANDS = frozenset({"show", "verify", "export"})


class PromoteView(View, Struct, frozen=True):
    """What a version has become."""

    outcome: PromoteOutcome

    def card(self) -> Card:
        """Returns what it is now, and which version was that before."""
        outcome = self.outcome
        version = outcome.version
        if not outcome.changed:
            title = f"{version.name} version {version.version} was {outcome.stage} already"
            return Card("UNCHANGED", title)
        former = outcome.former
        fate = "archived" if outcome.stage == CHAMPION else "superseded"
        notes = (f"{fate}: version {former.version}, the {outcome.stage} until now",) if former else ()
        return Card(outcome.stage.upper(), f"{version.name} version {version.version}", notes=notes)


class AuditView(View, Struct, frozen=True):
    """What was done to models, and whether the log of it is whole."""

    audits: tuple[ModelAudit, ...]

    def card(self) -> Card:
        """Returns a table for each model, and what is wrong with its log."""
        tables = tuple(
            Table(audit.model, TABLE_HEAD, tuple(table_row(line) for line in audit.lines)) for audit in self.audits
        )
        faults = tuple(f"{audit.model}: {fault}" for audit in self.audits for fault in audit.faults)
        notes = tuple(f"{audit.model}: {note}" for audit in self.audits for note in audit.notes)
        pending = tuple(f"{audit.model}: being changed by {audit.pending}" for audit in self.audits if audit.pending)
        if not self.audits:
            return Card("AUDIT", "no model is registered")
        names = ", ".join(audit.model for audit in self.audits)
        return Card("BROKEN" if faults else "INTACT", f"audit log of {names}", tables, (*faults, *notes, *pending))


def promote(options: Options) -> PromoteView:
    """Returns what the version of a `%mlops promote` line has become; raises what `promote_model` raises."""
    expected = str(options["expect"]) if "expect" in options else None
    to = str(options.get("to", CHAMPION))
    model, reason = str(options["model"]), str(options["reason"])
    return PromoteView(promote_model(model, reason, Path.cwd(), to=to, expected=expected))


def rollback(options: Options) -> PromoteView:
    """Returns which version is champion again; raises what `rollback_model` raises."""
    model, reason = str(options["model"]), str(options["reason"])
    return PromoteView(rollback_model(model, reason, Path.cwd(), to=str(options.get("to", ""))))


def audit(options: Options) -> AuditView:
    """Returns the audit log of a model, or of all; raises what `audit_models` raises.

    Raises:
        UsageError: what stands there is a command of the command line, and no model.
    """
    model = str(options.get("model", ""))
    if model.partition(" ")[0] in _COMMANDS:
        raise UsageError(
            f"%mlops audit shows the log and says whether it is whole; {model!r} is no model",
            "write `%mlops audit MODEL --against FILE`; to write a file: !nbmlops audit export > audit.jsonl",
        )
    return AuditView(audit_models(model, Path.cwd(), str(options.get("against", ""))))
