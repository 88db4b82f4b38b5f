"""The JSON documents of commands that run nothing, and the one of a command that stops before it has any result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nbmlops.core.diagnostics import Diagnostic, Json, Severity, SourceSpan
from nbmlops.core.errors import ConfigError, ExitCode, NbmlopsError, NotebookError

if TYPE_CHECKING:  # a command that runs need not load the compiler, nor the other way round
    from nbmlops.app.compiling.compile import CompileOutcome
    from nbmlops.app.compiling.inspect import Inspection
    from nbmlops.app.compiling.lock import LockOutcome
    from nbmlops.app.doctor import Diagnosis
    from nbmlops.pipeline.ir import Parameter, Pipeline, Step

COMPILE_SCHEMA = "nbmlops/compile/1"
INSPECT_SCHEMA = "nbmlops/inspect/1"
TAG_SCHEMA = "nbmlops/tag/1"
EXPLAIN_SCHEMA = "nbmlops/explain/1"
LOCK_SCHEMA = "nbmlops/lock/1"
DOCTOR_SCHEMA = "nbmlops/doctor/1"

# Faults that stop a command are told as diagnostics too, so that programs read one shape.
_CODES = {
    ExitCode.STEP_FAILED: "NB901",
    ExitCode.USAGE: "NB902",
    ExitCode.GATE_REJECTED: "NB903",
    ExitCode.ENVIRONMENT: "NB904",
    ExitCode.COMPARISON_FAILED: "NB905",
    ExitCode.CONFLICT: "NB906",
    ExitCode.INTERRUPTED: "NB907",
    ExitCode.TERMINATED: "NB907",
}
CONFIG_CODE = "NB910"
INTERNAL_CODE = "NB999"


def diagnostics_of(error: NbmlopsError) -> tuple[Diagnostic, ...]:
    """Returns the fault that stopped a command as diagnostics."""
    if isinstance(error, NotebookError) and error.diagnostics:
        return error.diagnostics
    code = CONFIG_CODE if isinstance(error, ConfigError) else _CODES.get(error.exit_code, INTERNAL_CODE)
    return (Diagnostic(code, Severity.ERROR, error.message, SourceSpan(""), error.hint),)


def compile_document(outcome: CompileOutcome) -> dict[str, Json]:
    """Returns the document of `compile --format json`."""
    changes = outcome.changes
    document = _compiled(outcome.name, outcome.out, outcome.compiled.shown, outcome.compiled.diagnostics)
    document["files"] = sorted(outcome.compiled.files)
    document["status"] = outcome.status.value
    document["changes"] = {
        "new": list(changes.new) if changes else [],
        "changed": list(changes.changed) if changes else [],
        "removed": list(changes.removed) if changes else [],
        "hand_edited": list(changes.hand_edited) if changes else [],
    }
    document["notes"] = list(outcome.notes)
    return document


def inspect_document(inspection: Inspection) -> dict[str, Json]:
    """Returns the document of `inspect --format json`: that of compiling, without files, with each step's dataflow."""
    source, compiled = inspection.source, inspection.compiled
    document = _compiled(source.name, inspection.out, compiled.shown, compiled.diagnostics)
    document |= {"schema": INSPECT_SCHEMA, "notebook": source.notebook.path, "title": source.notebook.title}
    document["suppressed"] = [diagnostic.to_json() for diagnostic in compiled.suppressed]
    document["dataflow"] = [
        {"from": value.step, "to": step.name, "name": value.name}
        for step in (compiled.pipeline.steps if compiled.pipeline else ())
        for value in step.inputs
    ]
    return document


def lock_document(outcome: LockOutcome) -> dict[str, Json]:
    """Returns the document of `lock --format json`."""
    return {
        "schema": LOCK_SCHEMA,
        "status": "changed" if outcome.changes else "unchanged",
        "path": outcome.path,
        "notebook": outcome.notebook,
        "changes": [{"name": c.name, "before": c.before, "after": c.after} for c in outcome.changes],
        "notes": list(outcome.notes),
    }


def doctor_document(diagnosis: Diagnosis) -> dict[str, Json]:
    """Returns the document of `doctor --format json`."""
    return {
        "schema": DOCTOR_SCHEMA,
        "status": "blocked" if diagnosis.exit_code else "ok",
        "checks": [
            {"name": check.name, "status": check.status.value, "found": check.found, "advice": check.advice}
            for check in diagnosis.checks
        ],
    }


def fault_document(schema: str, error: NbmlopsError) -> dict[str, Json]:
    """Returns the document of a command that stopped with this error: its promised keys, empty, and the diagnostics."""
    diagnostics: list[Json] = [diagnostic.to_json() for diagnostic in diagnostics_of(error)]
    if schema in {COMPILE_SCHEMA, INSPECT_SCHEMA}:
        document = _compiled("", "", None, ())
        return document | {"schema": schema, "diagnostics": diagnostics}
    if schema == TAG_SCHEMA:
        empty: dict[str, Json] = {"notebook": "", "source": "", "steps": [], "tags": [], "left_out": [], "cells": []}
        return {"schema": schema, "status": "failed"} | empty | {"diagnostics": diagnostics}
    if schema == EXPLAIN_SCHEMA:
        return {"schema": schema, "pipeline": "", "steps": [], "diagnostics": diagnostics}
    if schema.startswith("nbmlops/run/"):
        interrupted = error.exit_code in {ExitCode.INTERRUPTED, ExitCode.TERMINATED}
        from nbmlops.cli.run_documents import empty_run  # noqa: PLC0415  # compiling does not load it

        return empty_run(schema, "interrupted" if interrupted else "failed") | {"diagnostics": diagnostics}
    if schema.startswith("nbmlops/verify/"):
        from nbmlops.app.verify.report import Status, Verification, verification_to_json  # noqa: PLC0415  # loads the runtime

        return verification_to_json(Verification("", Status.FAILED)) | {"schema": schema, "diagnostics": diagnostics}
    return {"schema": schema, "status": "failed", "diagnostics": diagnostics}


def _compiled(name: str, out: str, pipeline: Pipeline | None, diagnostics: Sequence[Diagnostic]) -> dict[str, Json]:
    return {
        "schema": COMPILE_SCHEMA,
        "pipeline": name,
        "out": out,
        "files": [],
        "steps": [_step(step) for step in pipeline.steps] if pipeline else [],
        "parameters": [_parameter(parameter) for parameter in pipeline.parameters] if pipeline else [],
        "diagnostics": [diagnostic.to_json() for diagnostic in diagnostics],
    }


def _step(step: Step) -> dict[str, Json]:
    return {
        "name": step.name,
        "mode": step.mode.value,
        "reason": step.reason,
        "cells": list(step.cells),
        "inputs": [value.name for value in step.inputs],
        "outputs": list(step.outputs),
        "after": list(step.after),
        "parameters": list(step.parameters),
    }


def _parameter(parameter: Parameter) -> dict[str, Json]:
    return {"name": parameter.name, "type": parameter.type.value, "default": parameter.default}
