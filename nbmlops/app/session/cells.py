"""Whether the run of a notebook could be had again: the cells that ran, beside the notebook as it is saved."""

from __future__ import annotations

from pathlib import Path
from threading import Lock

from nbmlops.app.session.hidden_state import CellNow, Reproducible, hidden_state
from nbmlops.core.errors import NbmlopsError
from nbmlops.notebook.model import CellKind
from nbmlops.notebook.reader import read_notebook
from nbmlops.tracking.cells import CellRecord

_NS_PER_MS = 1_000_000


class HiddenState:
    """Whether the run of a record could be had again, found out once for each cell that ran and each save.

    Args:
        record: The cells that ran.
    """

    def __init__(self, record: CellRecord) -> None:
        self._record = record
        self._lock = Lock()
        self._known: tuple[object, Reproducible] | None = None

    def answer(self, notebook: Path | None) -> Reproducible:
        """Returns whether a new run from top to bottom would end as this one; from any thread.

        Args:
            notebook: The notebook's file, None where it is not known.
        """
        with self._lock:
            asked = (self._record.added, self._record.deleted, notebook, _saved(notebook))
            if self._known is None or self._known[0] != asked:
                self._known = (asked, reproducible(self._record, notebook))
            return self._known[1]


def _saved(notebook: Path | None) -> int:
    try:
        return notebook.stat().st_mtime_ns if notebook is not None else 0
    except OSError:
        return 0


def reproducible(record: CellRecord, notebook: Path | None) -> Reproducible:
    """Returns whether a new run from top to bottom would end as this one.

    Args:
        record: The cells that ran.
        notebook: The notebook's file, None where it is not known.
    """
    if notebook is None:
        return Reproducible(None, ("it is not known which notebook this is",))
    try:
        saved = notebook.stat().st_mtime_ns // _NS_PER_MS
        cells = read_notebook(notebook).cells
    except OSError as error:
        return Reproducible(None, (f"{notebook.name} cannot be read: {error.strerror}",))
    except NbmlopsError as error:
        return Reproducible(None, (f"{notebook.name} cannot be read: {error.message}",))
    now = [CellNow(cell.id, cell.number, cell.source, cell.tags) for cell in cells if cell.kind is CellKind.CODE]
    try:
        return hidden_state(record.runs, now, saved, record.deleted)
    except Exception as error:  # noqa: BLE001  # a notebook that analysis cannot take must not fail its run
        return Reproducible(None, (f"its cells cannot be analysed: {type(error).__name__}: {error}",))
