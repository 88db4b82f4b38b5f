"""Fingerprints of the files that cells read, made on a thread, so that no cell waits for them.

A file is read once for each version of it. One that has changed since its cell read it has no fingerprint: what the
cell saw is not there any more, and that is told.
"""

from __future__ import annotations

import hashlib
import os
import re
import site
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from nbmlops.app.session.cell_files import CellFiles, Evidence, Stamp, is_address, stamp
from nbmlops.core.diagnostics import Json
from nbmlops.core.errors import NbmlopsError
from nbmlops.core.records import DataRecord
from nbmlops.core.threads import own_work
from nbmlops.tracking.keys import MAX_KEY

MOST_FILES = 50
"""A cell that reads more files of one folder than this has the folder as its input."""
_ADDRESS = "it is in a bucket, which is not read once more; declare the table with `%mlops data`"
_REFUSED = re.compile(r"[^\w./ :-]")

Tell = Callable[[DataRecord], None]


class InputFiles:
    """The inputs of a run, as its cells were seen to read them.

    Args:
        root: The project's root.
        tell: Takes each fingerprinted input; called on the thread.
    """

    def __init__(self, root: Path, tell: Tell) -> None:
        self._root = root
        self._tell = tell
        self._changed = threading.Condition()
        self._waiting: deque[tuple[str, Evidence, Stamp | None]] = deque()
        self._known: dict[str, Stamp | None] = {}
        self._records: dict[str, DataRecord] = {}
        self._faults: dict[str, str] = {}
        self._worker: threading.Thread | None = None
        self._closed = False

    def add(self, files: CellFiles) -> None:
        """Takes what a cell read; files that were taken before and have not changed are not read again."""
        addresses = [path for path in files.read if is_address(path)]
        self._faults |= dict.fromkeys(addresses, _ADDRESS)
        fresh = [
            (path, evidence, files.stamps.get(path))
            for path, evidence in grouped({p: e for p, e in files.read.items() if p not in addresses}).items()
            if path not in self._known or self._known[path] != files.stamps.get(path)
        ]
        if not fresh:
            return
        with self._changed:
            self._known |= {path: seen for path, _, seen in fresh}
            self._waiting.extend(fresh)
            self._changed.notify_all()
            if self._worker is None:
                self._worker = threading.Thread(target=self._work, name="nbmlops-inputs", daemon=True)
                self._worker.start()

    @property
    def records(self) -> tuple[DataRecord, ...]:
        """The inputs that have fingerprints, by name."""
        return tuple(self._records[name] for name in sorted(self._records))

    @property
    def faults(self) -> tuple[str, ...]:
        """Why other inputs have none."""
        return tuple(f"{name}: {fault}" for name, fault in sorted(self._faults.items()))

    @property
    def waiting(self) -> int:
        """How many files are still to be read."""
        return len(self._waiting)

    def settle(self, seconds: float) -> bool:
        """Returns whether all inputs are done, after waiting for that."""
        end = time.monotonic() + seconds
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting, max(0.0, end - time.monotonic()))

    def close(self) -> None:
        """Ends the thread when it has told what was taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _work(self) -> None:
        with own_work():
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._closed or bool(self._waiting))
                    if not self._waiting:
                        return
                    path, evidence, seen = self._waiting[0]
                try:
                    self._take(path, evidence, seen)
                except Exception as error:  # noqa: BLE001 - whoever waits for a thread that has ended waits in vain
                    self._faults[input_name(path, self._root)] = f"{type(error).__name__}: {error}"
                with self._changed:
                    self._waiting.popleft()
                    self._changed.notify_all()

    def _take(self, path: str, evidence: Evidence, seen: Stamp | None) -> None:
        # They load what computes digests and asks git.
        from nbmlops.data.fingerprints.files import fingerprint_file  # noqa: PLC0415  # on the thread: no cell waits for it
        from nbmlops.data.versions.versions import version_of  # noqa: PLC0415  # likewise

        name = input_name(path, self._root)
        self._faults.pop(name, None)
        try:
            digest = fingerprint_file(path)
        except NbmlopsError as error:
            self._faults[name] = error.message
            return
        if seen is not None and seen != stamp(path):
            self._faults[name] = "it changed after a cell had read it, so what was read has no fingerprint"
            return
        kind = "folder" if os.path.isdir(path) else "file"  # noqa: PTH112 - a text
        facts: dict[str, Json] = {"evidence": evidence.value, "bytes": seen[0] if seen else 0}
        record = DataRecord(name, digest, kind, profile=facts, version=version_of(Path(path)))
        self._records[name] = record
        self._tell(record)


def grouped(read: Mapping[str, Evidence]) -> dict[str, Evidence]:
    """Returns the inputs with a folder in place of its files where they are many."""
    counts = Counter(os.path.dirname(path) for path in read)  # noqa: PTH120 - texts
    many = {folder for folder, count in counts.items() if count > MOST_FILES}
    found: dict[str, Evidence] = {}
    for path, evidence in read.items():
        folder = os.path.dirname(path)  # noqa: PTH120 - texts
        found[folder if folder in many else path] = evidence
    return found


@cache
def _libraries() -> tuple[str, ...]:
    folders = (*site.getsitepackages(), site.getusersitepackages())
    return tuple(f"{folder}{os.sep}" for folder in folders)


def input_name(path: str, root: Path) -> str:
    """Returns the name to log a file under: its path as MLflow takes it, made distinct where that loses something.

    Below the project it is the path from there, in an installed library "package:" and the path within, which does not
    differ from machine to machine.
    """
    # Libraries first: an environment often stands below the project.
    homes = {**dict.fromkeys(_libraries(), "package:"), f"{root}{os.sep}": "", "": "file:"}
    home = next(home for home in homes if path.startswith(home))
    text = (homes[home] + path.removeprefix(home)).replace(os.sep, "/")
    name = _REFUSED.sub("_", text)
    if name == text and len(name) <= MAX_KEY:
        return name
    mark = f" {hashlib.sha256(text.encode('utf-8', 'surrogateescape')).hexdigest()[:8]}"
    return f"{name[: MAX_KEY - len(mark)]}{mark}"
