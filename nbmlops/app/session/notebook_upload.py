"""What of a notebook is kept with its run: all of it, what it says without what it showed, or nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from nbmlops.pipeline.run_codec import finite
from nbmlops.tracking.cells import CellRun

if TYPE_CHECKING:
    from nbmlops.app.session.port import SessionStore
    from nbmlops.tracking.tracker import Tracker

Keep = Literal["whole", "stripped", "no"]
FOLDER = "notebooks"
TAG = "nbmlops.notebook"
_NS_PER_MS = 1_000_000
_MOST_BYTES = 32_000_000
_EXECUTION = ("execution", "ExecuteTime", "papermill", "widgets")


def stripped(notebook: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a notebook without outputs, numbers of execution and times; sources, Markdown and tags stay."""
    return {**_without_times(notebook), "cells": [_stripped_cell(cell) for cell in notebook.get("cells", [])]}


def _stripped_cell(cell: Mapping[str, Any]) -> dict[str, Any]:
    code: dict[str, Any] = {"outputs": [], "execution_count": None} if cell.get("cell_type") == "code" else {}
    return {**_without_times(cell), **code}


def _without_times(part: Mapping[str, Any]) -> dict[str, Any]:
    metadata = part.get("metadata", {})
    return {**part, "metadata": {key: value for key, value in metadata.items() if key not in _EXECUTION}}


def tell_notebook(store: SessionStore, path: Path, keep: Keep, runs: Iterable[CellRun]) -> None:
    """Hands the store the notebook as it is saved, without secrets, and a tag that says what that is.

    What a front end has not saved is not in the file: the tag tells of cells that ran later. Which cells ran, from
    what source, does not depend on the file; that is in the run's record of cells.

    Args:
        store: Of the run.
        path: The notebook's file.
        keep: What of it; the settings say.
        runs: The runs of cells.
    """
    if keep == "no":
        return
    try:
        saved = path.stat().st_mtime_ns // _NS_PER_MS
        notebook = json.loads(path.read_bytes()) if path.stat().st_size <= _MOST_BYTES else None
    except (OSError, ValueError, RecursionError):
        return  # whether the notebook can be read is told by `reproducible`
    if not isinstance(notebook, dict) or not _is_notebook(notebook):
        store.tag({TAG: f"not kept: {path.name} is larger than {_MOST_BYTES // 1_000_000} MB, or no notebook"})
        return
    from nbmlops.tracking.notebook_redaction import redact_notebook  # noqa: PLC0415  # only the end of a run needs it
    from nbmlops.tracking.redaction import process_redactor  # noqa: PLC0415  # likewise

    kept = notebook if keep == "whole" else stripped(notebook)
    document = finite(redact_notebook(kept, path.name, process_redactor()))
    assert isinstance(document, Mapping)
    store.document(f"{FOLDER}/{path.name}", document)
    store.tag({TAG: _told(keep, saved, sum(run.started > saved for run in runs))})


def _is_notebook(document: Mapping[str, Any]) -> bool:
    """Returns whether a document is built like a notebook of format 4; anything may be in a file."""
    cells, metadata = document.get("cells"), document.get("metadata", {})
    return isinstance(cells, list) and isinstance(metadata, dict) and all(map(_is_cell, cells))


def _is_cell(cell: Any) -> bool:
    if not isinstance(cell, dict) or not isinstance(cell.get("metadata", {}), dict):
        return False
    outputs = cell.get("outputs", [])
    return isinstance(outputs, list) and all(map(_is_output, outputs))


def _is_output(output: Any) -> bool:
    if not isinstance(output, dict):
        return False
    return isinstance(output.get("data", {}), dict) and isinstance(output.get("traceback", []), list)


def _told(keep: Keep, saved: int, later: int) -> str:
    when = datetime.fromtimestamp(saved / 1000, UTC).isoformat(timespec="seconds")
    more = f"; {later} cell{'' if later == 1 else 's'} ran after that" if later else ""
    return f"{keep}, as saved {when}{more}"


def keep_step(tracker: Tracker, run_id: str, path: Path, keep: Keep) -> None:
    """Adds an executed step notebook, which holds no secrets, to the artifacts of a pipeline's run.

    Args:
        tracker: The store.
        run_id: The run.
        path: The notebook.
        keep: What of it.

    Raises:
        EnvironmentFault: the store cannot be used.
    """
    if keep == "whole":
        tracker.log_artifacts(run_id, path, FOLDER)
    elif keep == "stripped":
        document = finite(stripped(json.loads(path.read_bytes())))
        assert isinstance(document, Mapping)
        tracker.log_document(run_id, f"{FOLDER}/{path.name}", document)
