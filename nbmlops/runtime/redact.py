"""What a run of a pipeline writes, without secrets: its parameters, what steps logged, errors, executed notebooks.

Values that steps hand over are not touched: they are what the pipeline computes with.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from nbmlops.core.diagnostics import Json
from nbmlops.core.digest import digest_json
from nbmlops.core.secret_names import Holds, holds
from nbmlops.core.secret_values import may_hold_secrets
from nbmlops.pipeline.run_record import MetricValue, StepError, StepLog

if TYPE_CHECKING:
    from nbmlops.tracking.redaction import Redactor

_KEY_LENGTH = 16
"""A shorter name of a metric is no key of a service."""


def shown_parameters(parameters: Mapping[str, Json]) -> Mapping[str, Json]:
    """Returns the parameters as documents and displays have them; the same ones if none is a secret."""
    if not may_hold_secrets(parameters, os.environ):
        return parameters  # most runs: nothing is loaded for them
    from nbmlops.tracking.redacted import redact_params  # noqa: PLC0415 - see above

    return redact_params(parameters, _redactor())


def shown_text(text: str) -> str:
    """Returns a message without secrets."""
    if not may_hold_secrets({"": text}, os.environ):
        return text
    return _redactor().text(text, "a message")


def keyed_text(name: str, value: Json, text: str) -> str:
    """Returns the text that stands for a parameter's value in the records of steps: of a secret, its digest.

    Args:
        name: The parameter.
        value: Its value.
        text: The value as text.
    """
    parameter = {name: value}
    return text if shown_parameters(parameter) == parameter else f"sha256:{digest_json(text)}"


def redacted_log(log: StepLog) -> StepLog:
    """Returns what a step logged, without secrets."""
    texts = (log.params, log.data, log.checks, log.predictions, log.tests, log.artifacts, log.fits)
    if not any(texts) and all(map(_is_short, log.metrics)):
        return log
    from nbmlops.tracking.redacted import redact_log  # noqa: PLC0415 - as above

    return redact_log(log, _redactor())


def _is_short(metric: MetricValue) -> bool:
    return len(metric.name) < _KEY_LENGTH


def redacted_error(error: StepError | None, package: Path) -> StepError | None:
    """Returns why a step failed, without secrets.

    Args:
        error: As it was told.
        package: The generated package: what its code calls a password is known.
    """
    if error is None:
        return None
    redactor, where = _learned(package), "the error of a step"
    message, traceback = redactor.text(error.message, where), redactor.text(error.traceback, where)
    return replace(error, message=message, traceback=traceback, hint=redactor.text(error.hint, where))


def redacted_report(report: Mapping[str, Json], package: Path) -> Mapping[str, Json]:
    """Returns what a step's process tells of its error, without secrets; arguments as for `redacted_error`."""
    found = _learned(package).document(dict(report), "the error of a step")
    assert isinstance(found, Mapping)
    return found


def new_secrets(before: Mapping[str, str]) -> dict[str, str]:
    """Returns the variables of this process that hold secrets or addresses and were others before.

    Args:
        before: All variables, as they were.
    """
    changed = {name: value for name, value in os.environ.items() if before.get(name) != value}
    return {name: value for name, value in changed.items() if holds(name) is not Holds.NOTHING or "://" in value}


def know_variables(variables: Mapping[str, str]) -> None:
    """Takes variables that another process has for secrets."""
    if variables:
        _redactor().know_variables(variables)


def redacted_notebook(notebook: Mapping[str, Any], name: str, package: Path) -> dict[str, Any]:
    """Returns an executed notebook without secrets.

    Args:
        notebook: As JSON has it.
        name: What it is called.
        package: As for `redacted_error`.
    """
    from nbmlops.tracking.notebook_redaction import redact_notebook  # noqa: PLC0415 - as above

    return redact_notebook(notebook, name, _learned(package))


def _redactor() -> Redactor:
    from nbmlops.tracking.redaction import process_redactor  # noqa: PLC0415 - as above

    return process_redactor()


def _learned(package: Path) -> Redactor:
    """Returns the redactor once it knows what the generated code calls a password."""
    for path in sorted(package.glob("*.py")):
        _learn(path, path.stat().st_mtime_ns)
    return _redactor()


@functools.lru_cache(4096)
def _learn(path: Path, _changed: int) -> None:
    """Reads a file once, and again when it was written anew: a kernel may compile and run several times."""
    _redactor().learn(path.read_text("utf-8", "replace"))
