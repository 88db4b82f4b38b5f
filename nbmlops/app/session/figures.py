"""Figures that the cells of a notebook show, kept with its run where that is asked for.

IPython formats whatever a cell shows, be it displayed or its last expression; what comes out is looked at there. Files
are written when the cell has ended, which takes a hundredth of the time of drawing; the store gets them through the
spool.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from nbmlops.app.figures import FOLDER, shown_figures
from nbmlops.core.digest import digest_bytes
from nbmlops.core.errors import EnvironmentFault
from nbmlops.core.records import ArtifactRecord
from nbmlops.tracking.artifacts import MOST_BYTES, keep_artifact

MOST = 200
"""How many figures a run keeps."""
_DIGITS = 8


class Shows(Protocol):
    """What takes figures."""

    is_mine: bool

    @property
    def root(self) -> Path:
        """The project's root."""

    @property
    def is_resumed(self) -> bool:
        """Whether another kernel had the run before, whose prompts had the same numbers."""

    @property
    def busy(self) -> bool:
        """Whether a cell runs."""

    def artifact(self, record: ArtifactRecord) -> None:
        """Records a figure."""


class ShownFigures:
    """Keeps figures from `start` to `stop`, each content once.

    Args:
        shell: IPython's.
        taker: What takes them.
    """

    def __init__(self, shell: Any, taker: Shows) -> None:
        self._shell, self._taker = shell, taker
        self._known: set[str] = set()
        self._shown: list[tuple[bytes, str]] = []
        self._left_out = 0
        self._fault = ""

    def start(self) -> None:
        """Begins to look."""
        formatter = self._shell.display_formatter
        usual = formatter.format

        def format(obj: object, *arguments: Any, **named: Any) -> Any:  # noqa: A001 - IPython's name
            result = usual(obj, *arguments, **named)
            try:
                self._see(result[0])
            except Exception as error:  # noqa: BLE001  # what a cell shows must not depend on bookkeeping
                self._fault = f"{type(error).__name__}: {error}"
            return result

        formatter.format = format

    def cell_started(self) -> None:
        """Begins a cell: what one has shown that is none of the notebook's is forgotten."""
        self._shown.clear()

    def cell_ended(self, count: int) -> None:
        """Keeps what a cell has shown, under its number in the prompt; the same figure again is not kept again.

        A resumed run has that number twice: what it shows now has its digest in the name, and takes nobody's place.
        """
        try:
            for number, (data, suffix) in enumerate(self._shown, start=1):
                end = f"-{digest_bytes(data)[:_DIGITS]}{suffix}" if self._taker.is_resumed else suffix
                record = keep_artifact(self._taker.root, f"{FOLDER}/cell-{count}-{number}{end}", data)
                if record.digest not in self._known:
                    self._known.add(record.digest)
                    self._taker.artifact(record)
        except EnvironmentFault as error:
            self._fault = error.message
        self._shown.clear()

    def stop(self) -> None:
        """Ends it."""
        vars(self._shell.display_formatter).pop("format", None)

    def notes(self) -> tuple[str, ...]:
        """Returns what the user should know of it."""
        notes = [f"figures are not kept: {self._fault}"] if self._fault else []
        if self._left_out:
            plural = "" if self._left_out == 1 else "s"
            most = f"a run keeps {MOST}, of {MOST_BYTES // 2**20} MiB at most"
            notes.append(f"{self._left_out} shown figure{plural} left out: {most}")
        return tuple(notes)

    def _see(self, bundle: Any) -> None:
        shown = shown_figures(bundle) if isinstance(bundle, dict) and self._taker.busy and self._taker.is_mine else None
        if shown is None:
            return
        data, _ = shown
        if len(data) > MOST_BYTES or len(self._known) + len(self._shown) >= MOST:
            self._left_out += 1
        else:
            self._shown.append(shown)
