"""Files and folders into DVC's cache: hashed in one pass with little memory, there as a whole or not at all.

A file is cloned (where the file system can) or copied under another name first and moved to its place when its bytes
are on the disk, so a crash leaves no half of one; what a killed process left is removed a day later.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct

from nbmlops.core.errors import EnvironmentFault, UsageError
from nbmlops.data.versions.dvc_pointer import Pointer

_CHUNK_BYTES = 1 << 20
_MODE = 0o444
_FICLONE = 0x40049409
_STAGED = ".nbmlops-"
_DAY = 24 * 3600
_MANY = 50
_UNREADABLE = re.compile("[\x00-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]")


class Staged(Struct, frozen=True):
    """A file that was hashed: where a copy of it waits for its place in the cache; None where the cache has it."""

    md5: str
    size: int
    copy: Path | None


def object_path(cache: Path, md5: str) -> Path:
    """Returns where the cache keeps what has this hash."""
    return cache / "files" / "md5" / md5[:2] / md5[2:]


def add_to_cache(path: Path, cache: Path, known: Pointer | None = None) -> Pointer:
    """Returns the pointer to a file or folder, after the cache holds it.

    Args:
        path: What to add; links to files count as the files.
        cache: The cache's folder.
        known: What an existing pointer says: what has its hash is read, but not copied again.

    Raises:
        UsageError: it is neither file nor folder, or a folder holds what DVC would not take.
        EnvironmentFault: it cannot be read, changes while it is read, or the cache cannot be written.
    """
    try:
        cache.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(cache)
        if path.is_dir():
            return _add_folder(path, cache, _listed(known, cache))
        staged = _staged(path, cache, known.md5 if known else "")
        _move_in((staged,), cache)
        return Pointer(path.name, staged.md5, staged.size, executable=bool(path.stat().st_mode & stat.S_IXUSR))
    except OSError as error:
        raise EnvironmentFault(
            f"cannot add {path}: {error.filename or ''} {error.strerror or error}".replace("  ", " "),
            "make it readable, make the cache writable, or free disk space",
        ) from error


def _add_folder(folder: Path, cache: Path, known: Mapping[str, str]) -> Pointer:
    names = sorted(_relative_names(folder))
    staged: list[Staged] = []
    try:
        for name in names:
            staged.append(_staged(folder / name, cache, known.get(name, "")))  # noqa: PERF401  # what is staged is removed on a fault
        listing = [{"md5": one.md5, "relpath": name} for name, one in zip(names, staged, strict=True)]
        data = json.dumps(listing, sort_keys=True).encode()
        _move_in(staged, cache)
    finally:
        for one in staged:
            if one.copy is not None:
                one.copy.unlink(missing_ok=True)
    md5 = hashlib.md5(data, usedforsecurity=False).hexdigest() + ".dir"
    if not object_path(cache, md5).exists():
        with _stage_file(cache) as (stream, copy):
            stream.write(data)
            _finish(stream)
            _move_in((Staged(md5, len(data), copy),), cache)
    return Pointer(folder.name, md5, sum(one.size for one in staged), len(names))


def _listed(known: Pointer | None, cache: Path) -> dict[str, str]:
    """Returns name -> hash of the files that a folder had when it was added last; {} where the cache does not know."""
    if known is None or not known.md5.endswith(".dir"):
        return {}
    try:
        listing = json.loads(object_path(cache, known.md5).read_bytes())
        return {entry["relpath"]: entry["md5"] for entry in listing}
    except (OSError, ValueError, KeyError, TypeError):  # it only saves work
        return {}


def _relative_names(folder: Path) -> Iterator[str]:
    """Yields the names of the files below a folder as DVC lists them: links to folders are not followed.

    Raises:
        UsageError: something is neither file nor folder, is DVC's own, or has a name that is no text.
    """
    for parent, folders, files in os.walk(folder, onerror=_refuse):
        here = Path(parent)
        folders[:] = [name for name in folders if name not in {".dvc", ".git", ".hg"}]
        for name in files:
            path = here / name
            relative = path.relative_to(folder).as_posix()
            if name == ".git" and not path.is_dir():
                continue
            if name.endswith(".dvc") or name in {"dvc.yaml", ".dvcignore"}:
                raise UsageError(
                    f"{path} is a file of DVC's, which a folder that is added cannot hold",
                    f"add what it points to separately, or move it out of {folder}",
                )
            if not path.is_file():
                what = "is a link to nothing" if path.is_symlink() else "is neither a file nor a folder"
                raise UsageError(f"{path} {what}, so it has no content to add", "remove it or move it elsewhere")
            checked_text(relative)
            yield relative


def checked_text(name: str) -> str:
    """Returns a name that a pointer or a listing can hold.

    Raises:
        UsageError: it is no UTF-8, or holds characters that stand for no character or end lines.
    """
    bad = _UNREADABLE.search(name)
    if bad:
        raise UsageError(f"the name {name!r} holds {bad[0]!r}, which other systems cannot read", "rename it")
    return name


def _staged(path: Path, cache: Path, known: str) -> Staged:
    """Returns the file's hash and, where the cache does not have it, its copy.

    Raises:
        UsageError: it is no file.
        EnvironmentFault: it changes while it is read.
    """
    if not path.is_file():
        raise UsageError(f"{path} is neither a file nor a folder", "save what it delivers to a file first")
    if known and object_path(cache, known).exists():
        with path.open("rb", buffering=0) as source:
            md5, size = _read(source, None, path)
        if md5 == known:
            return Staged(md5, size, None)
    with _stage_file(cache) as (stream, copy), path.open("rb", buffering=0) as source:
        if _clone(source, stream):
            with copy.open("rb", buffering=0) as cloned:
                md5, size = _read(cloned, None, copy)
        else:
            md5, size = _read(source, stream, path)
        if _in_cache(cache, md5, size):
            return Staged(md5, size, None)
        _finish(stream, sync=size > _CHUNK_BYTES)
        kept = copy.rename(copy.with_suffix(".whole"))
    return Staged(md5, size, kept)


def _read(source: Any, target: Any, path: Path) -> tuple[str, int]:
    """Returns hash and size of what is read, after writing it to the target.

    Raises:
        EnvironmentFault: the file changed meanwhile.
    """
    hasher, size = _md5(), 0
    before = os.fstat(source.fileno())
    while chunk := source.read(_CHUNK_BYTES):
        hasher.update(chunk)
        size += len(chunk)
        if target is not None:
            target.write(chunk)
    after = os.fstat(source.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or size != after.st_size:
        raise EnvironmentFault(f"{path} changed while it was being read", "wait until it is complete")
    return hasher.hexdigest(), size


def _clone(source: Any, target: Any) -> bool:
    """Returns whether the file system made the target share the source's blocks, as DVC asks first, too."""
    try:
        import fcntl  # noqa: PLC0415  # not on Windows

        fcntl.ioctl(target.fileno(), _FICLONE, source.fileno())
    except (ImportError, OSError):
        return False
    return True


@contextmanager
def _stage_file(cache: Path) -> Iterator[tuple[Any, Path]]:
    """Gives a new file beside the cache's objects, which is gone at the end unless it was renamed."""
    handle, name = tempfile.mkstemp(dir=cache, prefix=_STAGED)
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream, Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _finish(stream: Any, *, sync: bool = True) -> None:
    stream.flush()
    os.fchmod(stream.fileno(), _MODE)
    if sync:
        os.fsync(stream.fileno())


def _move_in(files: Sequence[Staged], cache: Path) -> None:
    """Moves copies to their places, after their bytes are on the disk."""
    waiting = [(one, one.copy) for one in files if one.copy is not None]
    small = [copy for one, copy in waiting if one.size <= _CHUNK_BYTES]
    if len(small) > _MANY:
        os.sync()  # one by one, thousands of small files take minutes
    else:
        for copy in small:
            _sync(copy)
    for one, copy in waiting:
        place = object_path(cache, one.md5)
        place.parent.mkdir(parents=True, exist_ok=True)
        copy.replace(place)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _in_cache(cache: Path, md5: str, size: int) -> bool:
    place = object_path(cache, md5)
    return place.is_file() and place.stat().st_size == size


def _remove_leftovers(cache: Path) -> None:
    for path in cache.glob(f"{_STAGED}*"):
        if time.time() - path.stat().st_mtime > _DAY:
            path.unlink(missing_ok=True)


def _md5() -> Any:
    return hashlib.md5(usedforsecurity=False)


def _refuse(error: OSError) -> None:
    raise error
