"""The files of a notebook's run: what its cells read and wrote, and the fingerprints of its inputs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from nbmlops.app.cell_files import NOTHING, FileCapture, shown_path
from nbmlops.app.input_files import InputFiles
from nbmlops.core.records import DataRecord

_MOST_NOTES = 5


class SessionFiles:
    """Follows the files of a kernel's cells; see `RunFiles`.

    Args:
        root: The project's root.
        tell: Takes each input when it has been fingerprinted; called on a thread.
    """

    def __init__(self, root: Path, tell: Callable[[DataRecord], None]) -> None:
        self._root = root.absolute()
        self._capture = FileCapture(self._root)
        self._inputs = InputFiles(self._root, tell)
        self._unseen: dict[int, int] = {}
        self._busy = False

    def cell_started(self, source: str) -> None:
        """Begins a cell."""
        self._busy = self._inputs.waiting > 0
        self._capture.before(source)

    def cell_ended(self, count: int) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
        """Returns what the cell of this execution count read, as (path, evidence), and wrote."""
        files = self._capture.after()
        busy, self._busy = self._busy or self._inputs.waiting > 0, False
        if files is NOTHING:
            return (), ()
        self._inputs.add(files)
        if files.unseen and not busy:  # our own thread reads files, too
            self._unseen[count] = files.unseen
        read = tuple((shown_path(path, self._root), evidence.value) for path, evidence in files.read.items())
        return read, tuple(shown_path(path, self._root) for path in files.written)

    def settle(self, seconds: float) -> bool:
        """Returns whether all inputs have been fingerprinted, after waiting for that."""
        return self._inputs.settle(seconds)

    @property
    def records(self) -> tuple[DataRecord, ...]:
        """The inputs with their fingerprints."""
        return self._inputs.records

    def notes(self) -> tuple[str, ...]:
        """Returns what the user should know of them."""
        notes = [f"input without fingerprint: {fault}" for fault in self._inputs.faults[:_MOST_NOTES]]
        if self._inputs.waiting:
            notes.append(f"{self._inputs.waiting} inputs are being fingerprinted")
        if self._unseen:
            notes.append(incomplete(dict(self._unseen)))
        if not self._capture.complete:
            notes.append(
                "not everything in the project's folders could be watched: what libraries read there by code outside "
                "of Python may be missing among the inputs"
            )
        return tuple(notes)

    def stop(self) -> None:
        """Ends following."""
        self._capture.stop()


def incomplete(unseen: dict[int, int]) -> str:
    """Returns what to tell of cells that read bytes which no file explains.

    Args:
        unseen: Execution count -> bytes.
    """
    cells = ", ".join(f"[{count}]" for count in unseen)
    return (
        f"inputs may be incomplete: cell {cells} read about {sum(unseen.values()) / 1e6:.0f} MB that no file explains; "
        "declare what it reads with `%mlops data PATH`"
    )
