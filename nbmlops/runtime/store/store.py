"""The content-addressed store: bytes go in, a reference comes out; nothing is loaded before its digest is checked.

An object's address is the BLAKE3 of its stored bytes. Values are known by their fingerprint (see
`nbmlops.data.fingerprints`), which the references in the step records carry beside the address: equal values may be
stored as different bytes, but an address that is found always holds exactly the bytes that were written.
"""

from __future__ import annotations

import errno
import io
import mmap
import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO

from blake3 import blake3
from msgspec import Struct

from nbmlops.core.errors import EnvironmentFault, NbmlopsError
from nbmlops.runtime.store.read_once import private_memory, read_once

FOLDER_MODE = 0o700
QUARANTINE = "quarantine"
"""The folder of the store where damaged objects are put aside."""
UNFINISHED = ".new-"
"""How the files begin that a writer has not finished; they outlive one that was killed."""
_PIECE = 32 << 20  # so much is copied before the disk is told to begin with it; less at once made busy disks slower
_LARGE = 8 << 20  # from here on it pays to reserve a file in one go, and to give memory back while it is read
_READ_AT_ONCE = 1 << 20  # it stays in the processor's cache until it is digested


class ObjectRef(Struct, frozen=True):
    """Where the bytes of a value are: their BLAKE3 (64 hex digits) and their number."""

    digest: str
    size: int


class DamagedObject(NbmlopsError):
    """An object of the store is gone or its bytes changed; it has been put aside and counts as missing."""

    def __init__(self, ref: ObjectRef, what: str) -> None:
        super().__init__(
            f"the stored object {ref.digest[:12]}… {what}",
            "run the pipeline again: the step that made it runs again",
        )
        self.ref = ref


class Store:
    """Objects under one folder, readable by their owner only.

    Args:
        folder: Where the objects are; made on the first write.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._verified: dict[ObjectRef, tuple[int, ...]] = {}

    def put(self, parts: Iterable[bytes | memoryview]) -> ObjectRef:
        """Returns the reference of the bytes, which are on disk, whole, when this returns.

        Raises:
            EnvironmentFault: the folder is not writable or the disk is full; nothing half-written stays.
        """
        views = [memoryview(part).cast("B") for part in parts]
        ref, temporary = _ref_of(views), ""
        if self._renew(ref):
            return ref
        try:
            make_private(self.folder)
            handle, temporary = tempfile.mkstemp(dir=self.folder, prefix=UNFINISHED)
            with os.fdopen(handle, "wb", buffering=0) as stream:
                _write_all(stream.fileno(), views, ref.size)
                os.fsync(stream.fileno())
            make_private(self.path(ref).parent)
            Path(temporary).replace(self.path(ref))
        except OSError as error:
            if temporary:
                Path(temporary).unlink(missing_ok=True)
            raise EnvironmentFault(
                f"cannot write to the store {self.folder}: {error.strerror or error}",
                "make the folder writable or free disk space",
            ) from error
        return ref

    def adopt(self, ref: ObjectRef, fill: Callable[[Path], None]) -> bool:
        """Returns whether a file holds the bytes of the reference; then it is in the store, where nothing is otherwise.

        Args:
            ref: The reference.
            fill: Writes the file, which comes from somebody else; its errors are passed on.

        Raises:
            EnvironmentFault: the folder is not writable or the disk is full.
        """
        temporary = ""
        try:
            make_private(self.folder)
            handle, temporary = tempfile.mkstemp(dir=self.folder, prefix=UNFINISHED)
            os.close(handle)
            fill(Path(temporary))
            with Path(temporary).open("rb") as stream:
                os.fsync(stream.fileno())
            found = blake3(max_threads=blake3.AUTO).update_mmap(temporary).hexdigest()
            if (found, Path(temporary).stat().st_size) != (ref.digest, ref.size):
                return False
            make_private(self.path(ref).parent)
            Path(temporary).chmod(0o600)
            Path(temporary).replace(self.path(ref))
        except OSError as error:
            raise EnvironmentFault(
                f"cannot write to the store {self.folder}: {error.strerror or error}",
                "make the folder writable or free disk space",
            ) from error
        finally:
            if temporary:
                Path(temporary).unlink(missing_ok=True)
        return True

    def has(self, ref: ObjectRef) -> bool:
        """Returns whether a file of the right size is there; its content is checked when it is read."""
        try:
            return self.path(ref).stat().st_size == ref.size and self.path(ref).is_file()
        except OSError:
            return False

    def _renew(self, ref: ObjectRef) -> bool:
        """Returns whether the object is there; now it is a young one, which garbage collection leaves alone."""
        try:
            os.utime(self.path(ref))
        except OSError:
            return False
        return self.has(ref)

    def read(self, ref: ObjectRef) -> bytes:
        """Returns the bytes, checked: for everything that could run code when loaded.

        Raises:
            DamagedObject: they are missing or not those that were written.
        """
        try:
            data = self.path(ref).read_bytes()
        except OSError as error:
            raise self._damaged(ref, "is missing or unreadable") from error
        self._check(ref, data)
        return data

    def open_private(self, ref: ObjectRef) -> memoryview:
        """Returns a writable view whose changes stay in this process, checked; pages are read as they are needed.

        Raises:
            DamagedObject: the bytes are missing or not those that were written.
        """
        if ref.size == 0:
            return memoryview(bytearray(self.read(ref)))
        try:
            with self.path(ref).open("rb") as stream:
                view = memoryview(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_COPY))
        except (OSError, ValueError) as error:
            raise self._damaged(ref, "is missing, empty or unreadable") from error
        self._check(ref, view)
        return view

    def open_once(self, ref: ObjectRef) -> BinaryIO:
        """Returns a file of the bytes, checked, as `read` does; reading it gives its memory back.

        Raises:
            DamagedObject: they are missing or not those that were written.
        """
        if ref.size <= _LARGE:
            return io.BytesIO(self.read(ref))
        memory = private_memory(ref.size + 1)  # one more: the file may have grown
        whole = memoryview(memory)
        self._read_checked(ref, lambda position: whole[position : position + _READ_AT_ONCE])
        return read_once(memory, ref.size)

    def verify(self, ref: ObjectRef) -> None:
        """Checks the object without loading it; once, as long as nobody touches its file.

        Raises:
            DamagedObject: its bytes are missing or not those that were written.
        """
        stamp = self._stamp(ref)
        if stamp and self._verified.get(ref) == stamp:
            return
        piece = memoryview(bytearray(min(ref.size + 1, _READ_AT_ONCE)))
        # Read, not mapped: who only checks, such as the runner, needs no more memory than for one piece.
        self._read_checked(ref, lambda _: piece)
        self._verified[ref] = stamp

    def _stamp(self, ref: ObjectRef) -> tuple[int, ...]:
        """Returns what changes whenever the object's file is written to or replaced; nothing if it is not there."""
        try:
            found = self.path(ref).stat()
        except OSError:
            return ()
        return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns

    def _read_checked(self, ref: ObjectRef, place: Callable[[int], memoryview]) -> None:
        """Reads the object into the places for the bytes from a position on, and checks it."""
        hasher, size = blake3(), 0
        try:
            with self.path(ref).open("rb", buffering=0) as stream:
                while count := stream.readinto(piece := place(size)):
                    hasher.update(piece[:count])
                    size += count
        except OSError as error:
            raise self._damaged(ref, "is missing or unreadable") from error
        if (hasher.hexdigest(), size) != (ref.digest, ref.size):
            raise self._damaged(ref, "was changed after it was written")

    def _check(self, ref: ObjectRef, data: bytes | memoryview) -> None:
        if len(data) != ref.size or blake3(data, max_threads=_threads()).hexdigest() != ref.digest:
            raise self._damaged(ref, "was changed after it was written")

    def _damaged(self, ref: ObjectRef, what: str) -> DamagedObject:
        try:
            if os.path.lexists(self.path(ref)):
                make_private(self.folder / QUARANTINE)
                self.path(ref).replace(self.folder / QUARANTINE / f"{ref.digest}.{os.getpid()}")
        except FileNotFoundError:
            pass  # another run has put it aside at the same time
        except OSError as error:
            raise EnvironmentFault(
                f"cannot put the damaged object {self.path(ref)} aside: {error.strerror or error}",
                "make the store writable, or remove the object",
            ) from error
        return DamagedObject(ref, what)

    def path(self, ref: ObjectRef) -> Path:
        """Returns where the object is, if it is there; who reads it has to check it."""
        return self.folder / ref.digest[:2] / ref.digest[2:]


def make_private(folder: Path) -> None:
    """Makes the folder and its missing parents, readable by their owner only.

    Raises:
        OSError: it cannot be made.
    """
    # Path.mkdir(parents=True) gives parents the umask's mode; each new level must be private.
    for level in reversed([path for path in (folder, *folder.parents) if not path.exists()]):
        level.mkdir(mode=FOLDER_MODE, exist_ok=True)


def _ref_of(views: Iterable[memoryview]) -> ObjectRef:
    hasher, size = blake3(max_threads=_threads()), 0
    for view in views:
        hasher.update(view)
        size += len(view)
    return ObjectRef(hasher.hexdigest(), size)


def _threads() -> int:
    """Returns how many threads digest: where all cores are busy, waiting for the others takes longer than it saves."""
    return blake3.AUTO if os.getloadavg()[0] < (os.cpu_count() or 1) else 1


def _write_all(handle: int, views: Iterable[memoryview], size: int) -> None:
    """Writes the parts, `size` bytes in all; the disk begins with the first ones while the next ones are copied."""
    if size > _LARGE:
        _reserve(handle, size)
    position = begun = 0
    for view in views:
        done = 0
        while done < len(view):
            done += os.write(handle, view[done : done + _PIECE])
            if position + done - begun >= _PIECE:
                _begin_writing(handle, begun, position + done - begun)
                begun = position + done
        position += len(view)


def _reserve(handle: int, size: int) -> None:
    """Reserves the blocks of the file in one go, which costs less than growing it.

    Raises:
        OSError: the disk is full.
    """
    if hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(handle, 0, size)
        except OSError as error:
            if error.errno not in {errno.EINVAL, errno.EOPNOTSUPP}:
                raise


def _begin_writing(handle: int, begin: int, size: int) -> None:
    """Has the disk begin with these bytes. They stay in memory: what is not on the disk yet is not dropped."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(handle, begin, size, os.POSIX_FADV_DONTNEED)
