"""What a person would try after a run."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from nbmlops.app.running.opened import OpenedPipeline
from nbmlops.app.wiring import shown_uri
from nbmlops.pipeline.ir import ParameterType
from nbmlops.pipeline.run_record import RunRecord, RunStatus
from nbmlops.tracking.uri import SQLITE

MAX_COMMANDS = 3


def next_commands(opened: OpenedPipeline, cwd: Path, record: RunRecord) -> tuple[str, ...]:
    """Returns the commands that a person would try next, at most three."""
    return tuple(_next(opened, cwd, record))[:MAX_COMMANDS]


def _next(opened: OpenedPipeline, cwd: Path, record: RunRecord) -> Iterator[str]:
    failed = [step.notebook for step in record.steps if step.error is not None and step.notebook]
    if record.status in {RunStatus.FAILED, RunStatus.INTERRUPTED}:
        yield from (f"jupyter lab {_quoted(notebook)}" for notebook in failed)
        yield opened.run_command(cwd)
        return
    version = record.model_version
    if version is not None and "challenger" in version.aliases:
        yield f"nbmlops promote {version.name}@challenger --reason TEXT"
    numbers = [p for p in opened.pipeline.parameters if p.type in {ParameterType.INT, ParameterType.FLOAT}]
    if numbers:
        yield f"{opened.run_command(cwd)} -p {numbers[0].name}=…"
    yield f"jupyter lab {_quoted(record.folder)}"
    yield look_at_store(opened.uri, record.run_id, cwd)


def look_at_store(uri: str, run_id: str, cwd: Path) -> str:
    """Returns how to look at the run: a server shows it itself, for a database MLflow has to be started."""
    if uri.startswith(("http:", "https:")):
        return f"{shown_uri(uri).rstrip('/')}/#/runs/{run_id} in a browser"
    return f"mlflow ui --backend-store-uri {_quoted(_shown_store(uri, cwd))}"


def _shown_store(uri: str, cwd: Path) -> str:
    path = Path(uri.removeprefix(SQLITE))
    if uri.startswith(SQLITE) and path.is_relative_to(cwd):
        return SQLITE + path.relative_to(cwd).as_posix()
    return shown_uri(uri)


def _quoted(text: str) -> str:
    """Returns the text as one word of a shell."""
    return shlex.quote(text)
