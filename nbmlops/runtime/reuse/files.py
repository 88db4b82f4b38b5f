"""Files as inputs of steps: their states as recorded, and whether they are still the same."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

from nbmlops.core.digest import digest_bytes
from nbmlops.core.errors import EnvironmentFault, UsageError
from nbmlops.data.fingerprints.files import fingerprint_file
from nbmlops.runtime.reuse.records import FileState

_RACY_NS = 2_000_000_000
UNREADABLE = "unreadable"
"""Digest of a file that cannot be read, or that changed while it was in use: never equal to one that can."""


def shown(path: Path, root: Path) -> str:
    """Returns how records name a file: relative to the root where it is below it, with `/`, else absolute."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


CODE = "code:"
"""How the digest of a module begins that was only imported: comments, blank lines and line breaks do not count."""


def file_state(path: Path, now_ns: int) -> FileState:
    """Returns the state of a file; an absent one has the digest "".

    A file that changed within the last two seconds may change again within one tick of its clock: its time is not
    kept, so that the next look reads it again. The time of change (ctime) is what counts: copying, unpacking and
    `touch` set the time of modification to anything.

    Args:
        path: The file.
        now_ns: The time, in nanoseconds since the epoch.
    """
    return _state(path, now_ns, fingerprint_file)


def code_state(path: Path, now_ns: int) -> FileState:
    """Returns the state of a module's source that was imported and not read as a text: its digest is that of its code.

    Args:
        path: The file.
        now_ns: The time, in nanoseconds since the epoch.
    """
    return _state(path, now_ns, _code_digest)


def _state(path: Path, now_ns: int, digest_of: Callable[[Path], str]) -> FileState:
    try:
        found = path.stat()
    except OSError:
        return FileState("")
    recent = now_ns - found.st_ctime_ns < _RACY_NS
    try:
        digest = digest_of(path)
    except (EnvironmentFault, UsageError, OSError):
        return FileState(UNREADABLE)
    return FileState(digest, found.st_size, 0 if recent or path.is_dir() else found.st_ctime_ns)


def current_digest(path: Path, recorded: FileState) -> str:
    """Returns the digest of the file as it is now; it is read only if size or time differ from the record."""
    try:
        found = path.stat()
    except OSError:
        return ""
    if recorded.changed_ns and (found.st_size, found.st_ctime_ns) == (recorded.size, recorded.changed_ns):
        return recorded.digest
    return (code_state if recorded.digest.startswith(CODE) else file_state)(path, 0).digest


def data_files(states: Mapping[str, FileState]) -> dict[str, str]:
    """Returns path -> fingerprint of the files that were read and have one: modules that were imported have none."""
    return {
        path: state.digest
        for path, state in states.items()
        if state.digest not in {"", UNREADABLE} and not state.digest.startswith(CODE)
    }


def _code_digest(path: Path) -> str:
    source = path.read_bytes()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            source = ast.dump(ast.parse(source)).encode(errors="surrogatepass")
    except (SyntaxError, ValueError, RecursionError):
        pass  # not Python: any change counts
    return f"{CODE}{digest_bytes(source)}"
