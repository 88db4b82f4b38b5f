"""Reading and writing files that other programs rely on: whole or not at all, with a schema number inside."""

from __future__ import annotations

import errno
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from nbmlops.core.errors import EnvironmentFault, UsageError


def write_atomically(path: Path, data: bytes, *, mode: int | None = None, lasting: bool = True) -> None:
    """Writes the file so that a reader, also after a power cut, sees the old content or the new.

    Args:
        path: Where to; missing folders are made.
        data: The whole content.
        mode: Permission bits of the new file; by default what the umask gives.
        lasting: Whether a power cut counts, which makes it wait for the disk; it does not for scratch files.

    Raises:
        EnvironmentFault: the folder is not writable or the disk is full; the old file is untouched.
    """
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.")
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            if lasting:
                os.fsync(stream.fileno())
        Path(temporary).chmod(mode if mode is not None else 0o666 & ~_umask())
        Path(temporary).replace(path)
        if lasting:
            _sync_folder(path.parent)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise EnvironmentFault(
            f"cannot write {path}: {error.strerror or error}",
            "make the folder writable, free disk space, or choose another folder",
        ) from error


def _sync_folder(folder: Path) -> None:
    """Has the names in the folder written to the disk, where that can be asked for.

    Raises:
        OSError: the disk is broken.
    """
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except PermissionError:  # a folder may be written without being readable
        return
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOTSUP, errno.EBADF}:
            raise
    finally:
        os.close(handle)


def append_text(path: Path, text: str) -> None:
    """Adds a text to the end of a file, which is made if it is not there: CI systems collect summaries so.

    Raises:
        EnvironmentFault: the file cannot be written.
    """
    try:
        with path.open("a", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(text)
    except OSError as error:
        raise EnvironmentFault(f"cannot write {path}: {error.strerror or error}", "choose another file") from error


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def read_json_document(path: Path, schema: str) -> dict[str, Any]:
    """Returns the JSON document at `path`, whose `schema` field must equal `schema` ("run/1", "pipeline/1", …).

    Raises:
        UsageError: the file is missing, is not a JSON object, or was made by another version.
    """
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise UsageError(f"{path} does not exist") from error
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{path} cannot be read as JSON: {error}") from error
    check_schema(document, schema, path)
    return dict(document)


def check_schema(document: object, schema: str, path: Path) -> None:
    """Checks that the document is a mapping that says it has this schema.

    Raises:
        UsageError: it is not, or was made by another version of nbmlops.
    """
    found = document.get("schema") if isinstance(document, dict) else None
    if found != schema:
        raise UsageError(
            f"{path} has schema {found!r}, but this version of nbmlops reads {schema!r}",
            "make the file again with this version, or install the version that made it",
        )


def write_json_document(path: Path, document: dict[str, Any]) -> None:
    """Writes a JSON document atomically, indented, keys in the given order.

    Raises:
        EnvironmentFault: the file cannot be written.
    """
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    # Half a surrogate pair (a parameter may hold one) has no UTF-8; the escape that takes its place is JSON's own.
    write_atomically(path, text.encode(errors="backslashreplace"))
