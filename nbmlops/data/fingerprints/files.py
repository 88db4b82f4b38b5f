"""Fingerprints of files and folders: every byte is read, in a stream, and nothing but names and bytes counts."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Literal

import blake3
import xxhash

from nbmlops.core.errors import EnvironmentFault, UsageError

_CHUNK_BYTES = 1 << 20

Algorithm = Literal["xxh3", "blake3"]


def fingerprint_file(path: str | os.PathLike[str], algorithm: Algorithm = "xxh3") -> str:
    """Returns the digest of a file's bytes, or of all names and files below a folder.

    Args:
        path: A regular file, or a folder. Modes and times do not count; links to files count as the files.
        algorithm: "xxh3" (identity, 32 hex digits, what `xxhsum -H2` prints) or "blake3" (64 hex digits, where somebody
            might want two files to look equal).

    Raises:
        UsageError: there is no such file, or it is neither file nor folder.
        EnvironmentFault: it cannot be read, or changes while it is being read.
    """
    place = Path(path)
    try:
        if place.is_dir():
            return _digest_folder(place, algorithm)
        if not place.exists():
            raise UsageError(f"{place} does not exist", "check the path: it counts from the notebook's folder")
        return _digest_file(place, algorithm)
    except OSError as error:
        raise EnvironmentFault(
            f"cannot read {error.filename or place}: {error.strerror or error}", "make it readable"
        ) from error


def _digest_file(path: Path, algorithm: Algorithm) -> str:
    if not path.is_file():
        raise UsageError(f"{path} is neither a file nor a folder", "save what it delivers to a file first")
    hasher = xxhash.xxh3_128() if algorithm == "xxh3" else blake3.blake3()
    with path.open("rb", buffering=0) as stream:
        before = os.fstat(stream.fileno())
        # One buffer for all of it; mapping the file would be faster, but kills the process if somebody cuts it short.
        buffer = memoryview(bytearray(min(_CHUNK_BYTES, before.st_size + 1)))
        while count := stream.readinto(buffer):
            hasher.update(buffer[:count])
        after = os.fstat(stream.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise EnvironmentFault(f"{path} changed while it was being read", "wait until it is complete")
    return hasher.hexdigest()


def _digest_folder(folder: Path, algorithm: Algorithm) -> str:
    listing = json.dumps(_entries(folder, algorithm), separators=(",", ":")).encode()
    return xxhash.xxh3_128_hexdigest(listing) if algorithm == "xxh3" else blake3.blake3(listing).hexdigest()


def _entries(folder: Path, algorithm: Algorithm) -> list[tuple[str, str, str]]:
    """Returns (kind, relative name, content) of everything below a folder, sorted by name."""
    entries = []
    for parent, folders, files in os.walk(folder, onerror=_refuse):
        here = Path(parent)
        for name in folders:
            below = here / name
            # A link to a folder may lead back up: where it points is its content.
            kind, content = ("link", str(below.readlink())) if below.is_symlink() else ("folder", "")
            entries.append((kind, below.relative_to(folder).as_posix(), content))
        for name in files:
            below = here / name
            entries.append(("file", below.relative_to(folder).as_posix(), _digest_file(below, algorithm)))
    return sorted(entries, key=lambda entry: entry[1])


def _refuse(error: OSError) -> None:
    raise error
