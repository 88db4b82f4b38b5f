"""What the runner tells a step's process, and what that tells back: two small JSON files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from nbmlops.core.diagnostics import Json
from nbmlops.core.documents import check_schema, write_atomically
from nbmlops.core.errors import UsageError
from nbmlops.pipeline.fields import Fields
from nbmlops.pipeline.run_codec import step_log_from_json, step_log_to_json
from nbmlops.pipeline.run_record import StepLog
from nbmlops.runtime.ambient.ambient import (
    AmbientState,
    ref_from_json,
    ref_to_json,
    settings_from_json,
    settings_to_json,
)
from nbmlops.runtime.reuse.records import StepOutcome, outcome_from_json, outcome_to_json
from nbmlops.runtime.store.stored import StoredValue, value_from_json, value_to_json

ENVIRONMENT_VARIABLE = "NBMLOPS_STEP_CONTEXT"
CONTEXT_SCHEMA = "nbmlops/step-context/1"
SECRETS_FILE = "secrets.json"
REPORT_SCHEMA = "nbmlops/step-report/1"


class StepContext(Struct, frozen=True):
    """What a step is given.

    Attributes:
        step: Its name.
        folder: The pipeline's folder.
        values: The namespace when it begins.
        ambient: The random state and the settings to begin with.
        report: Where its process writes what it did; None outside of a run.
        joined: Steps that this process has run already, in order: their values that cannot be stored live there.
    """

    step: str
    folder: Path
    values: Mapping[str, StoredValue]
    ambient: AmbientState
    report: Path | None
    joined: tuple[str, ...] = ()

    @property
    def secrets(self) -> Path | None:
        """Where its process writes which of its new variables hold secrets, so that the runner takes them out."""
        return None if self.report is None else self.report.with_name(SECRETS_FILE)


class Remains(Struct, frozen=True):
    """The files that a step had written, and those that it had changed otherwise, when it failed."""

    written: tuple[str, ...]
    altered: tuple[str, ...]


class StepReport(Struct, frozen=True):
    """What a step's process tells: its outcome, or else its log and its error (as `report_exception` wrote it).

    `remains` is what it left behind when it failed, None where that is not known.
    """

    outcome: StepOutcome | None
    log: StepLog
    error: Fields | None
    remains: Remains | None = None


def write_context(path: Path, context: StepContext) -> None:
    """Writes the context for `read_context` in the step's process.

    Raises:
        EnvironmentFault: the file cannot be written.
    """
    document: dict[str, Json] = {
        "schema": CONTEXT_SCHEMA,
        "step": context.step,
        "folder": str(context.folder),
        "values": [value_to_json(value) for value in context.values.values()],
        "random": ref_to_json(context.ambient.random),
        "settings": settings_to_json(context.ambient.settings),
        "report": str(context.report),
        "joined": list(context.joined),
    }
    _write(path, document)


def read_context(path: Path) -> StepContext:
    """Returns the context that the runner wrote.

    Raises:
        UsageError: the file is missing or broken.
    """
    fields = _read(path, CONTEXT_SCHEMA)
    values = map(value_from_json, fields.children("values"))
    return StepContext(
        step=fields.text("step"),
        folder=Path(fields.text("folder")),
        values={value.name: value for value in values},
        ambient=AmbientState(ref_from_json(fields, "random"), settings_from_json(fields.optional("settings"))),
        report=Path(fields.text("report")),
        joined=fields.texts("joined"),
    )


def write_outcome(path: Path, outcome: StepOutcome) -> None:
    """Writes what a step did.

    Raises:
        EnvironmentFault: the file cannot be written.
    """
    _write(path, {"schema": REPORT_SCHEMA, "outcome": outcome_to_json(outcome)})


def write_failure(path: Path, log: StepLog, error: Mapping[str, Json], remains: Remains | None) -> None:
    """Writes what a step recorded before it failed, why it failed, and what it left behind.

    Raises:
        EnvironmentFault: the file cannot be written.
    """
    left = {"written": list(remains.written), "altered": list(remains.altered)} if remains else None
    _write(path, {"schema": REPORT_SCHEMA, "log": step_log_to_json(log), "error": error, "remains": left})


def read_report(path: Path) -> StepReport:
    """Returns what the step's process told; nothing at all if it did not come to that.

    Raises:
        UsageError: the file is broken.
    """
    if not path.exists():
        return StepReport(None, StepLog(), None)
    fields = _read(path, REPORT_SCHEMA)
    outcome, log, remains = fields.optional("outcome"), fields.optional("log"), fields.optional("remains")
    return StepReport(
        outcome_from_json(outcome) if outcome else None,
        step_log_from_json(log) if log else StepLog(),
        fields.optional("error"),
        Remains(remains.texts("written"), remains.texts("altered")) if remains else None,
    )


def write_secrets(path: Path, variables: Mapping[str, str]) -> None:
    """Writes variables that hold secrets, for the runner alone, which removes them with the process.

    Raises:
        EnvironmentFault: the file cannot be written.
    """
    _write(path, dict(variables))


def read_secrets(path: Path) -> dict[str, str]:
    """Returns the variables that `write_secrets` wrote, none if it wrote none."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return {str(name): str(value) for name, value in found.items()}


def _write(path: Path, document: Mapping[str, Json]) -> None:
    # ASCII: texts of users may hold lone surrogates, which UTF-8 cannot say.
    text = json.dumps(document, ensure_ascii=True, allow_nan=False)
    write_atomically(path, text.encode(), mode=0o600, lasting=False)  # nobody reads it after this run


def _read(path: Path, schema: str) -> Fields:
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read as JSON: {error}") from error
    check_schema(document, schema, path)
    return Fields(document, str(path))
