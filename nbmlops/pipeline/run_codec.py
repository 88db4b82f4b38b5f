"""`RunRecord` <-> the plain data of `run.json`, and the same for the log of one step.

The shape is public (docs/reference/schemas/run.json). JSON has no NaN and no infinities: they are written as the texts
"NaN", "Infinity" and "-Infinity"; metrics become numbers again when read, plain values of users stay texts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from nbmlops.core.diagnostics import Json
from nbmlops.core.documents import check_schema
from nbmlops.core.records import BehaviourOutcome, Expectation
from nbmlops.pipeline.fields import Fields
from nbmlops.pipeline.run_record import (
    SCHEMA,
    ArtifactRecord,
    BehaviourRecord,
    CheckFinding,
    CheckRecord,
    DataRecord,
    FitRecord,
    JoinedSteps,
    Lineage,
    LiveValue,
    MetricValue,
    ModelVersionRef,
    PredictionsRecord,
    RunPhase,
    RunRecord,
    RunStatus,
    StepError,
    StepLog,
    StepRecord,
    StepStatus,
)


def run_to_json(record: RunRecord) -> dict[str, Json]:
    """Returns the content of `run.json`: the promised keys first, then our own."""
    version = record.model_version
    return {
        "schema": SCHEMA,
        "status": record.status.value,
        "run_id": record.run_id,
        "steps": [_step_to_json(step) for step in record.steps],
        "parameters": finite(record.parameters),
        "metrics": finite(record.metrics),
        "verdict": None if record.verdict is None else finite(record.verdict),
        "model_version": None if version is None else finite(version),
        "lineage": {
            "run_id": record.lineage.run_id,
            "git_commit": record.lineage.git_commit,
            "data": dict(record.lineage.data),
            "notebook": record.lineage.notebook,
            "pipeline": record.lineage.pipeline,
        },
        "pipeline": record.pipeline,
        "folder": record.folder,
        "joined": [joined_to_json(joined) for joined in record.joined],
        **({} if record.killed_while is None else {"killed_while": record.killed_while.value}),
    }


def run_from_json(document: Mapping[str, object], source: str = "run.json") -> RunRecord:
    """Returns the record that a `run.json` describes; keys it does not know are left alone.

    Args:
        document: The parsed JSON.
        source: Its name for messages.

    Raises:
        UsageError: the document has another schema, or a key is missing or of the wrong type.
    """
    document = dict(document)
    check_schema(document, SCHEMA, Path(source))
    fields = Fields(document, source)
    version, lineage = fields.optional("model_version"), fields.child("lineage")
    return RunRecord(
        status=fields.choice("status", RunStatus),
        run_id=fields.text("run_id"),
        pipeline=fields.text("pipeline", ""),
        steps=tuple(map(_step, fields.children("steps"))),
        parameters=fields.plain("parameters"),
        metrics=fields.numbers("metrics"),
        lineage=Lineage(
            run_id=lineage.text("run_id"),
            git_commit=lineage.text("git_commit"),
            data=lineage.text_map("data"),
            notebook=lineage.text("notebook"),
            pipeline=lineage.text("pipeline"),
        ),
        verdict=fields.plain("verdict") if fields.optional("verdict") else None,
        model_version=_version(version) if version else None,
        folder=fields.text("folder", ""),
        joined=tuple(map(_joined, fields.children("joined"))),
        killed_while=fields.choice("killed_while", RunPhase) if "killed_while" in document else None,
    )


def step_log_to_json(log: StepLog) -> dict[str, Json]:
    """Returns a step's log as plain data that JSON can hold."""
    return {
        "params": finite(log.params),
        "metrics": [finite(metric) for metric in log.metrics],
        "data": [_data_to_json(data) for data in log.data],
        "checks": [finite(check) for check in log.checks],
        # Left out where there are none, so that most logs are what they were.
        **({"predictions": [finite(one) for one in log.predictions]} if log.predictions else {}),
        **({"tests": [finite(one) for one in log.tests]} if log.tests else {}),
        **({"artifacts": [finite(one) for one in log.artifacts]} if log.artifacts else {}),
        **({"fits": [finite(one) for one in log.fits]} if log.fits else {}),
    }


def step_log_from_json(document: object, source: str = "step log") -> StepLog:
    """Returns the log that `step_log_to_json` wrote.

    Raises:
        UsageError: a key is missing or of the wrong type.
    """
    return _log(document if isinstance(document, Fields) else Fields(document, source))


def joined_to_json(joined: JoinedSteps) -> dict[str, Json]:
    """Returns steps that ran in one process, and why, as plain data."""
    return {"steps": list(joined.steps), "values": live_to_json(joined.values)}


def live_to_json(values: Sequence[LiveValue]) -> list[Json]:
    """Returns values that cannot be stored as plain data."""
    return [finite(value) for value in values]


def live_from_json(fields: Fields, key: str) -> tuple[LiveValue, ...]:
    """Returns what `live_to_json` wrote to the key; nothing if there is no such key.

    Raises:
        UsageError: a key is missing or of the wrong type.
    """
    return tuple(LiveValue(v.text("name"), v.text("type"), v.text("reason")) for v in fields.children(key))


def finite(value: object) -> Json:
    """Returns a value as plain data: records as their fields, NaN and infinities as texts, tuples as lists.

    Raises:
        TypeError: the value is neither plain nor a record.
    """
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, Struct):
        return {name: finite(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, Sequence):
        return [finite(item) for item in value]
    raise TypeError(f"a {type(value).__name__} is not a plain value")


def _step_to_json(step: StepRecord) -> dict[str, Json]:
    return {
        "name": step.name,
        "status": step.status.value,
        "seconds": step.seconds,
        "notebook": step.notebook,
        "error": None if step.error is None else finite(step.error),
        "reason": step.reason,
        "key": step.key,
        "log": step_log_to_json(step.log),
        "start": step.start,
        "peak": step.peak,
        "begun": step.begun,
        "early": step.early,
        "files": dict(step.files),
    }


def _step(fields: Fields) -> StepRecord:
    error, log = fields.optional("error"), fields.optional("log")
    return StepRecord(
        name=fields.text("name"),
        status=fields.choice("status", StepStatus),
        seconds=fields.number("seconds"),
        notebook=fields.text("notebook"),
        error=_error(error) if error else None,
        log=_log(log) if log else StepLog(),
        key=fields.text("key", ""),
        reason=fields.text("reason", ""),
        start=fields.text("start", ""),
        peak=fields.integer("peak", 0),
        begun=fields.text("begun", ""),
        early=fields.boolean("early", default=False),
        files=fields.text_map("files"),
    )


def _joined(fields: Fields) -> JoinedSteps:
    return JoinedSteps(fields.texts("steps"), live_from_json(fields, "values"))


def _version(fields: Fields) -> ModelVersionRef:
    return ModelVersionRef(fields.text("name"), fields.text("version"), fields.texts("aliases"))


def _error(fields: Fields) -> StepError:
    return StepError(
        name=fields.text("name"),
        message=fields.text("message"),
        cell=fields.integer("cell", 0),
        line=fields.integer("line", 0),
        traceback=fields.text("traceback", ""),
        hint=fields.text("hint", ""),
    )


def _log(fields: Fields) -> StepLog:
    return StepLog(
        params=fields.plain("params"),
        metrics=_metrics(fields),
        data=tuple(map(_data, fields.children("data"))),
        checks=tuple(
            CheckRecord(
                c.text("data"),
                c.text("schema"),
                c.boolean("passed"),
                c.texts("failures"),
                tuple(map(_finding, c.children("findings"))),
            )
            for c in fields.children("checks")
        ),
        predictions=tuple(
            PredictionsRecord(p.text("name"), p.text("digest"), p.integer("rows"))
            for p in fields.children("predictions")
        ),
        tests=tuple(map(behaviour_from_fields, fields.children("tests"))),
        artifacts=_artifacts(fields),
        fits=tuple(
            FitRecord(f.text("name"), f.text_map("params"), _metrics(f), _artifacts(f)) for f in fields.children("fits")
        ),
    )


def _metrics(fields: Fields) -> tuple[MetricValue, ...]:
    metrics = fields.children("metrics")
    return tuple(MetricValue(m.text("name"), m.number("value"), m.integer("step", 0)) for m in metrics)


def _artifacts(fields: Fields) -> tuple[ArtifactRecord, ...]:
    return tuple(ArtifactRecord(a.text("name"), a.text("digest")) for a in fields.children("artifacts"))


def behaviour_from_fields(fields: Fields) -> BehaviourRecord:
    """Returns the outcome of a behaviour test.

    Raises:
        UsageError: a key is missing or of the wrong type.
    """
    return BehaviourRecord(
        fields.text("name"),
        fields.choice("outcome", BehaviourOutcome),
        fields.text("message"),
        tuple(
            Expectation(
                e.text("kind"),
                e.text("asked"),
                e.integer("rows"),
                e.integer("broken"),
                e.number("allowed"),
                e.texts("examples"),
            )
            for e in fields.children("expectations")
        ),
    )


def _finding(fields: Fields) -> CheckFinding:
    return CheckFinding(
        fields.text("column"),
        fields.text("rule"),
        fields.integer("rows"),
        fields.texts("examples"),
        fields.text("message"),
    )


def _data_to_json(data: DataRecord) -> dict[str, Json]:
    return {
        "name": data.name,
        "digest": data.digest,
        "kind": data.kind,
        "rows": data.rows,
        "columns": [[name, dtype] for name, dtype in data.columns],
        "context": data.context,
        "profile": finite(data.profile),
        "parts": dict(data.parts),
        "version": dict(data.version),
    }


def _data(fields: Fields) -> DataRecord:
    return DataRecord(
        name=fields.text("name"),
        digest=fields.text("digest"),
        kind=fields.text("kind"),
        rows=fields.integer("rows", -1),
        columns=tuple((str(name), str(dtype)) for name, dtype in fields.rows("columns", (str, str))),
        context=fields.text("context", ""),
        profile=fields.plain("profile"),
        parts=fields.text_map("parts"),
        version=fields.text_map("version"),
    )
