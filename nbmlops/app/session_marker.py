"""Which notebook runs are open on this machine, so that the run of a dead kernel can be marked killed later.

Each open run has a file `.nbmlops/sessions/<run id>.json` at the project's root. The kernel holds a lock on it, which
the system lets go when the process ends, however it ends: a file that nobody locks belongs to a dead kernel.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from nbmlops.core.errors import EnvironmentFault

_FOLDER = Path(".nbmlops") / "sessions"


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A run that a kernel has open: its id, and where it is stored."""

    run_id: str
    tracking_uri: str


class SessionMarker:
    """The file of one open run, locked by this process until `remove`."""

    def __init__(self, path: Path, stream: IO[str]) -> None:
        self._path = path
        self._stream = stream

    @classmethod
    def place(cls, root: Path, run: OpenRun) -> SessionMarker:
        """Returns the marker of a run that this process has just opened.

        Raises:
            EnvironmentFault: the project's folder is not writable.
        """
        path = root / _FOLDER / f"{run.run_id}.json"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            stream = path.open("w", encoding="utf-8")
            _lock(stream)
            json.dump(asdict(run), stream)
            stream.flush()
        except OSError as error:
            raise EnvironmentFault(
                f"cannot write {path}: {error.strerror}", "make the project's folder writable"
            ) from error
        return cls(path, stream)

    def remove(self) -> None:
        """Takes the marker away: the run has been ended in the tracking store."""
        self._path.unlink(missing_ok=True)
        self._stream.close()


def abandoned_runs(root: Path) -> Iterator[tuple[OpenRun, Path]]:
    """Yields the runs whose kernels are gone, each with its file, which the caller removes once the run is ended."""
    for path in sorted((root / _FOLDER).glob("*.json")):
        run = _read_unlocked(path)
        if run is not None:
            yield run, path


def _read_unlocked(path: Path) -> OpenRun | None:
    """Returns the run in the file, or None while its kernel lives, and when the file says nothing (disk full)."""
    try:
        with path.open("r+", encoding="utf-8") as stream:
            if not _lock(stream):
                return None
            document = json.load(stream)
            return OpenRun(str(document["run_id"]), str(document["tracking_uri"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None


if sys.platform == "win32":
    import msvcrt

    _LOCKED_BYTE = 1 << 30  # beyond the content: a locked byte cannot be read on Windows

    def _lock(stream: IO[str]) -> bool:
        """Returns whether this process holds the lock now; it never waits."""
        position = stream.tell()
        try:
            os.lseek(stream.fileno(), _LOCKED_BYTE, os.SEEK_SET)
            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        else:
            return True
        finally:
            os.lseek(stream.fileno(), position, os.SEEK_SET)

else:
    import fcntl

    def _lock(stream: IO[str]) -> bool:
        """Returns whether this process holds the lock now; it never waits."""
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
