"""Records on their way out, without secrets: what a step or cell logged, tags, entries of a spool."""

from __future__ import annotations

from collections.abc import Mapping

from nbmlops.core.diagnostics import Json
from nbmlops.core.known_secrets import MARK
from nbmlops.pipeline.run_codec import finite, step_log_from_json, step_log_to_json
from nbmlops.pipeline.run_record import StepLog
from nbmlops.tracking.redaction import Redactor
from nbmlops.tracking.secret_formats import may_have_form

_FIXED = frozenset({"kind", "at", "key", "experiment", "uri", "source", "process", "state"})
"""What says in an entry of a spool where its run is to be found again: nothing that a user wrote but names."""
_NAMES = {
    **dict.fromkeys(("metrics", "data", "predictions", "tests", "fits"), ("name",)),
    "checks": ("data", "schema"),
}
"""Parts of what was logged -> the keys whose values a store knows them by."""


def redact_log(log: StepLog, redactor: Redactor) -> StepLog:
    """Returns what was logged without secrets: the same record if there are none."""
    document = step_log_to_json(log)
    redacted = redact_log_document(document, redactor)
    return log if redacted is document else step_log_from_json(redacted)


def redact_log_document(document: Mapping[str, Json], redactor: Redactor) -> Mapping[str, Json]:
    """Returns the document of what was logged without secrets: the same one if there are none."""
    params = document["params"]
    assert isinstance(params, Mapping)
    redacted = redact_params(params, redactor)
    rest = redactor.document({key: value for key, value in document.items() if key != "params"}, "what the run logged")
    assert isinstance(rest, Mapping)
    found = {"params": redacted, **rest}
    return (
        document
        if found == document
        else {**found, **{key: _renamed(found[key], key) for key in _NAMES if key in found}}
    )


def _renamed(records: Json, kind: str) -> Json:
    assert isinstance(records, list)
    plain = [record for record in records if isinstance(record, Mapping)]
    return [{**record, **{key: _storable(str(record[key])) for key in _NAMES[kind]}} for record in plain]


def _storable(name: str) -> str:
    """Returns a name as stores take it: one with brackets would be refused, with all that was logged beside it."""
    return name.replace(MARK, MARK.strip("[]"))


def redact_params(params: Mapping[str, Json], redactor: Redactor) -> Mapping[str, Json]:
    """Returns parameters without secrets: the same ones if there are none."""
    redacted = {
        redact_name(name, redactor, "a parameter"): redactor.value(name, finite(value), f"parameter {name}")
        for name, value in params.items()
    }
    return params if redacted == params else redacted


def redact_tags(tags: Mapping[str, str], redactor: Redactor) -> dict[str, str]:
    """Returns tags without secrets."""
    return {name: redactor.text(value, f"tag {name}") for name, value in tags.items()}


def redact_name(name: str, redactor: Redactor, kind: str) -> str:
    """Returns a name that the user gave without secrets, as stores take it.

    Args:
        name: The name.
        redactor: Takes secrets out.
        kind: What has the name, with an article: "a metric".
    """
    return _storable(redactor.text(name, f"the name of {kind}"))


def redact_entry(entry: Mapping[str, Json], redactor: Redactor) -> Mapping[str, Json]:
    """Returns an entry of a spool without secrets: the same one if there are none."""
    if _holds_no_text(entry):
        return entry
    redacted = {key: value if key in _FIXED else _redact(key, value, redactor) for key, value in entry.items()}
    return entry if redacted == entry else redacted


def _holds_no_text(entry: Mapping[str, Json]) -> bool:
    """Returns whether nothing in an entry was written by a user but names of metrics: most cells make such entries."""
    run, log = entry.get("run"), entry.get("log")
    if isinstance(run, Mapping) and entry["kind"] == "cell":
        return not any(run.get(key) for key in ("read", "wrote", "made", "used"))
    if not isinstance(log, Mapping) or any(log.get(key) for key in log.keys() - {"metrics"}):
        return False
    metrics = log["metrics"]
    assert isinstance(metrics, list)
    return not any(may_have_form(str(metric["name"])) for metric in metrics if isinstance(metric, Mapping))


def _redact(key: str, value: Json, redactor: Redactor) -> Json:
    if key == "log" and isinstance(value, Mapping) and "params" in value:
        return dict(redact_log_document(value, redactor))
    if key == "tags" and isinstance(value, Mapping):  # their names are ours, or of inputs, which are without secrets
        return dict(redact_tags({name: str(text) for name, text in value.items()}, redactor))
    where = {"run": "files of a cell", "tags": "tags of the run", "name": "name of the run"}.get(key, key)
    return redactor.document(value, where)
