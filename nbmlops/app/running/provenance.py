"""What a run is made from, found out where it runs: cells, packages, and what git does not have yet."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from nbmlops.app.running.opened import OpenedPipeline
from nbmlops.app.session.notebook_upload import tell_notebook
from nbmlops.app.session.place import SessionPlace
from nbmlops.app.session.port import SessionStore
from nbmlops.core.errors import NbmlopsError
from nbmlops.notebook.digests import notebook_digest
from nbmlops.notebook.model import CellKind, Notebook
from nbmlops.notebook.reader import read_notebook
from nbmlops.tracking.cells import CellOutcome, CellRun
from nbmlops.tracking.provenance import (
    CARD,
    PROVENANCE_FILE,
    CodeCell,
    Provenance,
    git_diff,
    installed_packages,
    provenance_to_json,
)


def pipeline_provenance(opened: OpenedPipeline) -> Provenance:
    """Returns what a run of a compiled pipeline is made from; no cells where its notebook was edited since.

    Args:
        opened: The pipeline.
    """
    path = opened.folder / opened.pipeline.notebook
    try:
        notebook = read_notebook(path)
    except (OSError, NbmlopsError):  # the pipeline runs without its notebook
        notebook = None
    fresh = notebook is not None and notebook_digest(notebook) == opened.pipeline.notebook_digest
    return Provenance(
        notebook=Path(os.path.relpath(path, opened.root)).as_posix(),
        cells=_cells_of(notebook, opened) if fresh and notebook is not None else (),
        packages=installed_packages(),
        diff=git_diff(opened.root),
        card=_card_texts(notebook) if fresh and notebook is not None else (),
    )


def _card_texts(notebook: Notebook) -> tuple[str, ...]:
    return tuple(cell.source for cell in notebook.cells if cell.kind is CellKind.MARKDOWN and CARD in cell.tags)


def _cells_of(notebook: Notebook, opened: OpenedPipeline) -> tuple[CodeCell, ...]:
    steps: dict[int, str] = {}
    for step in opened.pipeline.steps:
        steps |= dict.fromkeys(step.cells, step.name)
    return tuple(
        CodeCell(cell.id, cell.number, steps.get(cell.number, ""), cell.source)
        for cell in notebook.cells
        if cell.kind is CellKind.CODE
    )


def tell_session(store: SessionStore, place: SessionPlace, runs: tuple[CellRun, ...], *, last: bool) -> None:
    """Hands the store what a notebook's own run is made from, as far as it has come; at its end the notebook, too."""
    if last and place.notebook:
        tell_notebook(store, place.root / place.notebook, place.config.notebook or "stripped", runs)
    made_from = session_provenance(place.root, place.notebook, runs)
    store.document(PROVENANCE_FILE, provenance_to_json(made_from))


def session_provenance(root: Path, notebook: str, runs: Iterable[CellRun]) -> Provenance:
    """Returns what a notebook's own run is made from: each cell as it ran last, in the order in which they did.

    Args:
        root: The project's root.
        notebook: The notebook relative to it, "" where it is not known.
        runs: The runs of cells, oldest first.
    """
    last: dict[str, CellRun] = {}
    for place, run in enumerate(runs):
        if run.outcome is CellOutcome.REFUSED:
            continue
        key = run.cell or f"#{place}"
        last.pop(key, None)  # it stands where it ran last
        last[key] = run
    cells = tuple(CodeCell(run.cell, number, "", run.source) for number, run in enumerate(last.values(), 1))
    return Provenance(notebook, cells, installed_packages(), git_diff(root), _saved_card(root, notebook))


def _saved_card(root: Path, notebook: str) -> tuple[str, ...]:
    """Returns the texts for the card in a notebook as it was saved last."""
    try:
        return _card_texts(read_notebook(root / notebook)) if notebook else ()
    except (OSError, NbmlopsError):  # it was moved, or is being written
        return ()
