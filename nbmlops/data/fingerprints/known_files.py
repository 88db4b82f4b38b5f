"""Fingerprints of large files that were found before, so that a file that did not change is not read again.

A file counts as unchanged if size, inode, and times of change (to the nanosecond, of content and of status, which no
program can set) are what they were. A file that had changed just before it was read is not remembered: what changes
it once more within the clock's tick would not be seen.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from nbmlops.core.documents import read_json_document, write_json_document
from nbmlops.core.errors import EnvironmentFault, UsageError
from nbmlops.data.fingerprints.files import fingerprint_file

SCHEMA = "nbmlops/known-files/1"
LEAST_BYTES = 1 << 24
"""Reading a smaller file takes no longer than looking it up."""
_MOST = 1000
_SETTLED_NS = 2 * 10**9


class KnownFiles:
    """The fingerprints that a project remembers.

    Args:
        path: Where they are kept; a file that cannot be read or written costs time only.
        now: The clock, in nanoseconds since 1970.
    """

    def __init__(self, path: Path, now: Callable[[], int] = time.time_ns) -> None:
        self._path, self._now = path, now

    def digest(self, path: Path) -> str:
        """Returns the fingerprint of a file or folder, read only if it is not known.

        Raises:
            UsageError: there is no such file, or it is neither file nor folder.
            EnvironmentFault: it cannot be read, or changes while it is being read.
        """
        if not path.is_file() or path.stat().st_size < LEAST_BYTES:
            return fingerprint_file(path)
        started, state, name = self._now(), _state(path), str(path.resolve())
        known = self._known()
        if known.get(name, [])[:-1] == state:
            return str(known[name][-1])
        digest = fingerprint_file(path)
        if state == _state(path) and started - max(state[1], state[2]) > _SETTLED_NS:
            self._remember({**{other: known[other] for other in known if other != name}, name: [*state, digest]})
        return digest

    def _known(self) -> dict[str, list[int | str]]:
        try:
            files = read_json_document(self._path, SCHEMA).get("files", {})
        except UsageError:  # absent, or of another version
            return {}
        return {name: entry for name, entry in files.items() if isinstance(entry, list) and len(entry) == 5}

    def _remember(self, known: dict[str, list[int | str]]) -> None:
        latest = dict(list(known.items())[-_MOST:])
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_json_document(self._path, {"schema": SCHEMA, "files": latest})
        except (OSError, EnvironmentFault):  # a project that cannot be written to: the file is read again
            return


def _state(path: Path) -> list[int]:
    found = path.stat()
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]
