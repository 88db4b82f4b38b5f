"""The files and tables of a notebook's run: what its cells read and wrote, made and used, with fingerprints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec.structs import replace

from nbmlops.app.session.cell_files import NOTHING, FileCapture, shown_path
from nbmlops.app.session.cell_values import CellTables
from nbmlops.app.session.input_files import InputFiles
from nbmlops.app.session.place import Kernel, SessionPlace
from nbmlops.app.session.port import SessionStore
from nbmlops.core.records import DataRecord
from nbmlops.pipeline.run_record import StepLog
from nbmlops.tracking.cells import CellRun, CellValues, ValueMade

_MOST_NOTES = 5


class SessionFiles:
    """Follows the files of a kernel's cells; see `RunFiles`.

    Args:
        root: The project's root.
        namespace: The kernel's variables, live.
        tell: Takes each input when it has been fingerprinted; called on a thread.
        tell_values: Takes the tables of each cell, by its number; likewise.
    """

    def __init__(
        self,
        root: Path,
        namespace: Mapping[str, object],
        tell: Callable[[DataRecord], None],
        tell_values: Callable[[int, CellValues], None],
    ) -> None:
        self._root = root.absolute()
        self._capture = FileCapture(self._root)
        self._inputs = InputFiles(self._root, tell)
        self._tell_values = tell_values
        self._values: dict[int, CellValues] = {}
        self._tables = CellTables(namespace, self._take_values)
        self._made: dict[str, ValueMade] = {}
        self._counts: list[int] = []  # of the cells, in the order in which they were noted
        self._unseen: dict[int, int] = {}
        self._busy = False

    def _take_values(self, number: int, values: CellValues) -> None:
        self._values[number] = values
        for name, seen in values.made.items():
            self._made.pop(name, None)
            self._made[name] = ValueMade(self._counts[number], seen)
        self._tell_values(number, values)

    @property
    def values(self) -> dict[int, CellValues]:
        """The tables and arrays of the cells, by how many cells were noted before each."""
        return dict(self._values)

    @property
    def made(self) -> dict[str, ValueMade]:
        """Name -> what was made or changed under it last; the latest one at the end."""
        return dict(self._made)

    def cell_started(self, source: str) -> None:
        """Begins a cell."""
        self._busy = self._inputs.waiting > 0
        self._capture.before(source)

    def code_begins(self) -> None:
        """Notes that code begins to run, whether or not it is a cell of the notebook."""
        self._tables.code_begins()

    def cell_ended(self, run: CellRun, *, alone: bool) -> CellRun:
        """Returns the cell with the files that it read and wrote.

        Args:
            run: The cell.
            alone: Whether no other one runs, which might change what this one has made.
        """
        read, wrote = self._files_of(run.count)
        self._counts.append(run.count)
        if alone:
            self._tables.cell_ended(len(self._counts) - 1, run)
        else:
            self._tables.cell_left()
        return replace(run, read=read, wrote=wrote) if read or wrote else run

    def cell_left(self) -> None:
        """Ends a cell that is not recorded."""
        self._capture.after()
        self._tables.cell_left()

    def _files_of(self, count: int) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
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
        """Returns whether all inputs, and the tables of the cells, were told, after waiting for that."""
        return self._inputs.settle(seconds) and self._tables.settle(seconds)

    @property
    def records(self) -> tuple[DataRecord, ...]:
        """The inputs with their fingerprints."""
        return self._inputs.records

    def notes(self) -> tuple[str, ...]:
        """Returns what the user should know of them."""
        notes = [f"input without fingerprint: {fault}" for fault in self._inputs.faults[:_MOST_NOTES]]
        notes += [f"tables of a cell are not recorded: {fault}" for fault in self._tables.faults[:_MOST_NOTES]]
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
        self._inputs.close()
        self._tables.close()


def follow_files(place: SessionPlace, kernel: Kernel, store: SessionStore, told: Callable[[], None]) -> SessionFiles:
    """Returns what follows the files of a kernel that says when cells start and end.

    Args:
        place: Where its run belongs.
        kernel: The kernel.
        store: Takes the inputs.
        told: Called after each of them, on a thread.
    """

    def fingerprinted(record: DataRecord) -> None:
        store.send(StepLog(data=(record,)))
        told()

    def made(number: int, values: CellValues) -> None:
        store.note_values(number, values)
        told()

    return SessionFiles(place.root, kernel.namespace, fingerprinted, made)


def incomplete(unseen: dict[int, int]) -> str:
    """Returns what to tell of cells that read bytes which no file explains.

    Args:
        unseen: Execution count -> bytes.
    """
    cells = ", ".join(f"[{count}]" for count in unseen)
    return (
        f"inputs may be incomplete: cell {cells} read about {sum(unseen.values()) / 1e6:.0f} MB that no file explains; "
        'declare what it reads with `%mlops data "PATH" --name NAME`'
    )
