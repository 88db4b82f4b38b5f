"""What is kept of an executed step, as records and as JSON: what it depended on, what it stored, what it logged."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from nbmlops.core.diagnostics import Json
from nbmlops.pipeline.fields import Fields
from nbmlops.pipeline.run_codec import live_from_json, live_to_json, step_log_from_json, step_log_to_json
from nbmlops.pipeline.run_record import LiveValue, StepLog
from nbmlops.runtime.ambient.ambient import Setting, ref_from_json, ref_to_json, settings_from_json, settings_to_json
from nbmlops.runtime.steps.listings import Listing, Question
from nbmlops.runtime.store.store import ObjectRef
from nbmlops.runtime.store.stored import StoredValue, value_from_json, value_to_json


class KeyParts(Struct, frozen=True):
    """What a step's result depends on as far as it is known before the step runs; texts by name.

    Attributes:
        code: The compiler's digest of everything the step executes.
        edited: Generated files that were edited by hand -> their SHA-256.
        parameters: Parameter name -> its value as JSON text.
        inputs: Input name -> identity of its value.
        environment: "python", "PYTHONHASHSEED", thread settings, … -> their values.
    """

    code: str
    edited: Mapping[str, str]
    parameters: Mapping[str, str]
    inputs: Mapping[str, str]
    environment: Mapping[str, str]


class FileState(Struct, frozen=True):
    """A file as it was: its fingerprint ("" if it was absent), and size and time of change, which save reading it."""

    digest: str
    size: int = -1
    changed_ns: int = 0


class StepOutcome(Struct, frozen=True):
    """What a step did, as the step itself reports it.

    Attributes:
        values: The new entries of the namespace.
        changed_inputs: Inputs it changed in place without handing them over.
        log: What it recorded.
        files: Files it read -> their state; paths below the root are relative to it.
        listings: What it asked about which files exist -> digest of the answer.
        variables: Environment variable that its own code read -> digest of the value, "" if it was not set.
        written: Files it made.
        modules: Top-level modules it used.
        random_before: Digest of the random state it began with.
        random_used: Whether it used a global random generator.
        random: The random state it left, in the store; None as long as nobody used one.
        settings_before: Part of the ambient state that it could see -> identity of what it began with, "" for none.
        settings: The parts that it changed.
        unkeyable: Why its results cannot be reused, or "".
        live: Values of the namespace that it could not store: they live as long as its process.
        warnings: What went wrong beside it, without making it fail.
        altered: Files and folders that it changed otherwise than by writing a file anew.
        peak: Bytes of memory that its process and those it started took at most.
    """

    values: tuple[StoredValue, ...] = ()
    changed_inputs: tuple[str, ...] = ()
    log: StepLog = field(default_factory=StepLog)
    files: Mapping[str, FileState] = field(default_factory=dict)
    listings: Mapping[Listing, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    written: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    random_before: str = ""
    random_used: bool = False
    random: ObjectRef | None = None
    settings_before: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Setting] = field(default_factory=dict)
    unkeyable: str = ""
    live: tuple[LiveValue, ...] = ()
    warnings: tuple[str, ...] = ()
    altered: tuple[str, ...] = ()
    peak: int = 0


class CacheRecord(Struct, frozen=True):
    """An executed step.

    Attributes:
        step: Its name.
        key: Digest of `parts`; "" when it ran outside of a run (plain papermill).
        parts: What it was keyed by.
        outcome: What it did.
        libraries: Distribution -> version of what it used.
        notebook: The executed notebook relative to the root, or "".
        run: Name of the run that executed it.
        seconds: Wall time.
        unit: The first of the steps that it ran in one process with, "" if it ran alone.
    """

    step: str
    key: str
    parts: KeyParts
    outcome: StepOutcome
    libraries: Mapping[str, str] = field(default_factory=dict)
    notebook: str = ""
    run: str = ""
    seconds: float = 0.0
    unit: str = ""


def refs_of(outcome: StepOutcome) -> set[ObjectRef]:
    """Returns where everything is that the step left."""
    refs = {value.ref for value in outcome.values} | {setting.ref for setting in outcome.settings.values()}
    return refs | ({outcome.random} if outcome.random else set())


def record_to_json(record: CacheRecord) -> dict[str, Json]:
    """Returns the record as plain data."""
    parts = record.parts
    return {
        "step": record.step,
        "key": record.key,
        "run": record.run,
        "notebook": record.notebook,
        "seconds": record.seconds,
        "unit": record.unit,
        "code": parts.code,
        "edited": dict(parts.edited),
        "parameters": dict(parts.parameters),
        "inputs": dict(parts.inputs),
        "environment": dict(parts.environment),
        "libraries": dict(record.libraries),
        "outcome": outcome_to_json(record.outcome),
    }


def record_from_json(fields: Fields) -> CacheRecord:
    """Returns the record that `record_to_json` wrote.

    Raises:
        UsageError: a key is missing or of the wrong type.
    """
    return CacheRecord(
        step=fields.text("step"),
        key=fields.text("key"),
        parts=KeyParts(
            code=fields.text("code"),
            edited=fields.text_map("edited"),
            parameters=fields.text_map("parameters"),
            inputs=fields.text_map("inputs"),
            environment=fields.text_map("environment"),
        ),
        outcome=outcome_from_json(fields.child("outcome")),
        libraries=fields.text_map("libraries"),
        notebook=fields.text("notebook"),
        run=fields.text("run"),
        seconds=fields.number("seconds"),
        unit=fields.text("unit", ""),
    )


def outcome_to_json(outcome: StepOutcome) -> dict[str, Json]:
    """Returns the outcome as plain data."""
    return {
        "values": [value_to_json(value) for value in outcome.values],
        "changed_inputs": list(outcome.changed_inputs),
        "log": step_log_to_json(outcome.log),
        "files": [[path, state.digest, state.size, state.changed_ns] for path, state in outcome.files.items()],
        "listings": [[ask.question.value, ask.folder, ask.pattern, found] for ask, found in outcome.listings.items()],
        "variables": dict(outcome.variables),
        "written": list(outcome.written),
        "modules": list(outcome.modules),
        "random_before": outcome.random_before,
        "random_used": outcome.random_used,
        "random": ref_to_json(outcome.random),
        "settings_before": dict(outcome.settings_before),
        "settings": settings_to_json(outcome.settings),
        "unkeyable": outcome.unkeyable,
        "live": live_to_json(outcome.live),
        "warnings": list(outcome.warnings),
        "altered": list(outcome.altered),
        "peak": outcome.peak,
    }


def outcome_from_json(fields: Fields) -> StepOutcome:
    """Returns the outcome that `outcome_to_json` wrote.

    Raises:
        UsageError: a key is missing or of the wrong type.
    """
    return StepOutcome(
        values=tuple(map(value_from_json, fields.children("values"))),
        changed_inputs=fields.texts("changed_inputs"),
        log=step_log_from_json(fields.child("log")),
        files=_files(fields),
        listings=_listings(fields),
        variables=fields.text_map("variables"),
        written=fields.texts("written"),
        modules=fields.texts("modules"),
        random_before=fields.text("random_before"),
        random_used=fields.boolean("random_used"),
        random=ref_from_json(fields, "random"),
        settings_before=fields.text_map("settings_before"),
        settings=settings_from_json(fields.optional("settings")),
        unkeyable=fields.text("unkeyable"),
        live=live_from_json(fields, "live"),
        warnings=fields.texts("warnings"),
        altered=fields.texts("altered"),
        peak=fields.integer("peak"),
    )


def _files(fields: Fields) -> dict[str, FileState]:
    files = {}
    for path, digest, size, changed_ns in fields.rows("files", (str, str, int, int)):
        assert isinstance(size, int)
        assert isinstance(changed_ns, int)
        files[str(path)] = FileState(str(digest), size, changed_ns)
    return files


def _listings(fields: Fields) -> dict[Listing, str]:
    rows = fields.rows("listings", (str, str, str, str))
    known = {question.value: question for question in Question}
    return {
        Listing(known.get(str(q), Question.NAMES), str(folder), str(pattern)): str(a) for q, folder, pattern, a in rows
    }
