"""The JSON documents of the commands about runs and versions: what running, judging, registering and promoting gave."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbmlops.cli.documents import diagnostics_of
from nbmlops.core.diagnostics import Json
from nbmlops.gate.verdict import verdict_to_json
from nbmlops.pipeline.run_codec import run_to_json
from nbmlops.pipeline.run_record import Lineage, ModelVersionRef

if TYPE_CHECKING:
    from nbmlops.app.judging.gate import GateOutcome
    from nbmlops.app.running.outcome import RunOutcome
    from nbmlops.app.sweep.record import SweepOutcome
    from nbmlops.app.versions.promote import PromoteOutcome
    from nbmlops.app.versions.register import RegisterOutcome

GATE_SCHEMA = "nbmlops/gate/1"
REGISTER_SCHEMA = "nbmlops/register/1"
PROMOTE_SCHEMA = "nbmlops/promote/2"


def run_document(outcome: RunOutcome) -> dict[str, Json]:
    """Returns the document of `run --format json`: that of `run.json`, and what only the caller needs."""
    faults = diagnostics_of(outcome.fault) if outcome.fault is not None else ()
    return run_to_json(outcome.record) | {
        "reused": outcome.reused,
        "notes": list(outcome.notes),
        "diagnostics": [fault.to_json() for fault in faults],
    }


def sweep_document(outcome: SweepOutcome) -> dict[str, Json]:
    """Returns the document of `run --format json` of a sweep: that of `sweep.json`, and what only the caller needs."""
    from nbmlops.app.sweep.record import sweep_to_json  # noqa: PLC0415 - most runs are none

    winner = outcome.winner
    faults = diagnostics_of(winner.fault) if winner is not None and winner.fault is not None else ()
    return sweep_to_json(outcome.record, winner) | {
        "status": outcome.status.value,
        "notes": [*outcome.notes, *(winner.notes if winner is not None else ())],
        "diagnostics": [fault.to_json() for fault in faults],
    }


def gate_document(outcome: GateOutcome) -> dict[str, Json]:
    """Returns the document of `gate --format json`."""
    return {
        "schema": GATE_SCHEMA,
        "status": "passed" if outcome.verdict.passed else "gate_rejected",
        "pipeline": outcome.pipeline,
        "run_id": outcome.run_id,
        "verdict": verdict_to_json(outcome.verdict),
    }


def register_document(outcome: RegisterOutcome) -> dict[str, Json]:
    """Returns the document of `register --format json`."""
    return {
        "schema": REGISTER_SCHEMA,
        "status": "registered",
        "pipeline": outcome.pipeline,
        "model_version": _version(outcome.version),
        "lineage": _lineage(outcome.lineage),
    }


def promote_document(outcome: PromoteOutcome) -> dict[str, Json]:
    """Returns the document of `promote --format json`."""
    return {
        "schema": PROMOTE_SCHEMA,
        "status": "promoted" if outcome.changed else "unchanged",
        "stage": outcome.stage,
        "version": _version(outcome.version),
        "former": _version(outcome.former) if outcome.former is not None else None,
        "lineage": _lineage(outcome.lineage),
    }


def _version(version: ModelVersionRef) -> dict[str, Json]:
    return {"name": version.name, "version": version.version, "aliases": list(version.aliases)}


def _lineage(lineage: Lineage) -> dict[str, Json]:
    return {
        "run_id": lineage.run_id,
        "git_commit": lineage.git_commit,
        "data": dict(lineage.data),
        "notebook": lineage.notebook,
        "pipeline": lineage.pipeline,
    }


def empty_run(schema: str, status: str) -> dict[str, Json]:
    """Returns the document of a run that did not come to its first step."""
    return {
        "schema": schema,
        "status": status,
        "run_id": "",
        "steps": [],
        "parameters": {},
        "metrics": {},
        "verdict": None,
        "model_version": None,
        "lineage": _lineage(Lineage()),
    }
