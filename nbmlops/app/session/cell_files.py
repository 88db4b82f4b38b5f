"""Which files a cell read and wrote, from several witnesses, each input with the evidence for it.

Comes in: what Python's audit events told (`nbmlops.runtime.steps.observe`), what inotify told of the folders that are
watched, and the texts in the cell that name files. Goes out: one record for each cell. The deciding is a pure function.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from threading import get_ident

from msgspec import Struct, field

from nbmlops.core.threads import OWN_THREADS
from nbmlops.runtime.steps.observe import Observer
from nbmlops.tracking.inotify import FolderWatch, Opened, folders_below
from nbmlops.tracking.uri import masked

MOST_FOLDERS = 1_000
_MOST_TEXTS = 50
_SLACK_BYTES = 1 << 20
_QUICK_NS = 150_000
"""A cell that takes no longer has not read that much: copying takes 100 µs, and IPython itself some 80."""
_TEXT = re.compile(r"""["']([^"'\n\\{}]{1,300})["']""")
_SCHEME = re.compile(r"\w+://")
_BUCKET = re.compile(r"(?:lakefs|s3|s3a|gs|gcs|az|abfs|abfss|adl|hdfs|r2|oss)://[^/\s]")
_NOT_DATA = (".py", ".pyc", ".pyo", ".so", ".ipynb", ".lock", ".tmp", ".ttf", ".otf", ".afm")
_OPENING = frozenset({"open", "sqlite3.connect"})
_OURS = ("mlflow.db", "nbmlops.toml", "pyproject.toml")
_OUR_FOLDERS = (".nbmlops", "mlartifacts", "mlruns", "runs", "pipelines", "schemas")


Stamp = tuple[int, int]


class Evidence(StrEnum):
    """How it is known that a cell read a file, the strongest first.

    DECLARED: the notebook says so. AUDIT: Python opened it. INOTIFY: somebody opened it while the cell ran, perhaps in
    C++. STEP: a step of a pipeline opened it, or asked if it is there before something opened it in C++. LITERAL: the
    cell names it, and nobody could watch.
    """

    DECLARED = "declared"
    AUDIT = "audit"
    INOTIFY = "inotify"
    STEP = "step"
    LITERAL = "literal"


class CellFiles(Struct, frozen=True):
    """What a cell did with files.

    Attributes:
        read: Path -> evidence, of files that it did not make itself.
        written: Files that it made or changed.
        stamps: Path -> size and time of change when it was read, or soon after.
        unseen: Bytes that the process read while it ran and that no file explains; 0 where all are explained.
    """

    read: Mapping[str, Evidence]
    written: tuple[str, ...] = ()
    stamps: Mapping[str, Stamp | None] = field(default_factory=dict)
    unseen: int = 0


NOTHING = CellFiles({})


def decide(
    audit_read: Collection[str], audit_written: Collection[str], opened: Iterable[Opened], named: Iterable[str]
) -> CellFiles:
    """Returns what a cell read and wrote.

    Args:
        audit_read: Files that Python opened to read before it wrote them, if it did.
        audit_written: Files that Python opened to write.
        opened: What inotify told.
        named: Files that exist, that the cell's texts name, and that nobody watches.
    """
    seen = tuple(opened)
    made = {one.path for one in seen if one.made} | set(audit_written)
    read = dict.fromkeys(named, Evidence.LITERAL)
    read |= dict.fromkeys((one.path for one in seen if one.read), Evidence.INOTIFY)
    read |= dict.fromkeys(audit_read, Evidence.AUDIT)
    written = {one.path for one in seen if one.written} | set(audit_written)
    inputs = (read.keys() - made) | set(audit_read)
    return CellFiles({path: read[path] for path in sorted(inputs)}, tuple(sorted(written)))


class KernelObserver(Observer):
    """Watches which files a kernel opens, through audit events; what our own threads do is left out."""

    def _event(self, event: str, arguments: tuple[object, ...]) -> None:
        if event in _OPENING and get_ident() not in OWN_THREADS:
            super()._event(event, arguments)


class FileCapture:
    """Follows the files of a kernel's cells, from its making on; a process has one at a time.

    Args:
        root: The project's root.
        most_folders: How many folders are watched.
    """

    def __init__(self, root: Path, most_folders: int = MOST_FOLDERS) -> None:
        self._root = str(root)
        self._ours = our_folders(root)
        self._observer = KernelObserver(root, "", [root / name for name in _OUR_FOLDERS])
        self._watch = FolderWatch()
        folders, all_of_them = folders_below(root, most_folders)
        self.complete = self._watch.add(folders) and all_of_them
        self._named: tuple[str, ...] = ()
        self._addresses: tuple[str, ...] = ()
        self._counter = _open_counter()
        self._bytes = self._modules = self._fonts = 0
        self._start = 0
        self._observer.start(looks=False)

    def before(self, source: str) -> None:
        """Begins a cell: what happened before it is forgotten."""
        self._named, self._addresses = _paths_in(source), addresses_in(source)
        if self._named:
            self._watch.add({os.path.dirname(path) for path in self._named})  # noqa: PTH120 - runs at each cell
            self._watch.add(path for path in self._named if os.path.isdir(path))  # noqa: PTH112 - likewise
        self._watch.take()
        self._watch.lost = False  # between cells nobody listens
        self._observer.forget()
        # Between cells threads of ours read, too: what loads the analysis for the panel, and the notebook.
        self._modules, self._fonts, self._bytes = len(sys.modules), _fonts_asked(), self._bytes_read()
        self._start = time.perf_counter_ns()

    def after(self) -> CellFiles:
        """Returns what the cell did, which has just ended."""
        quick = time.perf_counter_ns() - self._start < _QUICK_NS
        observer, watched, opened = self._observer, self._watch.watches, self._watch.take()
        named = self._named or self._addresses
        if quick and not (observer.read or observer.written or opened or named):
            return NOTHING  # counting would take longer than all the rest
        count = self._bytes_read() - self._bytes
        if count < _SLACK_BYTES and not (observer.read or observer.written or opened or named):
            return NOTHING  # nearly all cells; what follows would take longer than the cell
        files = [path for path in self._named if self._is_data(path) and not watched(os.path.dirname(path))]  # noqa: PTH120 - likewise
        found = decide(
            [path for path in observer.read if self._is_data(path) and os.path.exists(path)],  # noqa: PTH110 - likewise
            list(filter(self._is_data, observer.files_written())),
            [one for one in opened if self._is_data(one.path)],
            [*filter(os.path.isfile, files), *self._addresses],
        )
        self.complete = self.complete and not self._watch.lost
        stamps = {path: observer.read.get(path) or stamp(path) for path in found.read if not is_address(path)}
        unseen = 0
        # What imports read is not told of, nor what text in pictures takes: megabytes of fonts, again for each of them.
        quiet = len(sys.modules) == self._modules and _fonts_asked() == self._fonts
        if quiet and self._counter >= 0:
            unseen = count - sum(map(_size, {*found.read, *found.written, *observer.read}))
        return CellFiles(found.read, found.written, stamps, unseen if unseen > _SLACK_BYTES else 0)

    def stop(self) -> None:
        """Ends following."""
        self._observer.stop()
        self._watch.close()
        if self._counter >= 0:
            os.close(self._counter)
        self._counter = -1

    def _is_data(self, path: str) -> bool:
        return is_data(path, self._ours)

    def _bytes_read(self) -> int:
        """Returns how many bytes this process has read, 0 where the system does not count."""
        if self._counter < 0:
            return 0
        return int(os.pread(self._counter, 32, 0).split()[1])


def our_folders(root: Path) -> tuple[str, ...]:
    """Returns how paths begin that are no data of the project's but what nbmlops keeps there."""
    return tuple(f"{root / name}{os.sep}" for name in _OUR_FOLDERS)


def is_data(path: str, ours: tuple[str, ...]) -> bool:
    """Returns whether a file counts as an input when somebody reads it.

    Args:
        path: The file, absolute.
        ours: As `our_folders` gives them.
    """
    name = os.path.basename(path)  # noqa: PTH119 - runs for each file of a cell
    # With a separator behind it, the folder itself counts, too: it is opened to have what is in it written to disk.
    return not (name.startswith((*_OURS, ".")) or f"{path}{os.sep}".startswith(ours) or path.endswith(_NOT_DATA))


def _open_counter() -> int:
    try:
        return os.open("/proc/self/io", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return -1


def _paths_in(source: str) -> tuple[str, ...]:
    """Returns the paths that a cell's texts may name, absolute; whether they exist is not asked."""
    if not ("'" in source or '"' in source):
        return ()
    texts = dict.fromkeys(text for text in _TEXT.findall(source) if "/" in text or "." in text)
    local = [text for text in list(texts)[:_MOST_TEXTS] if not _SCHEME.match(text) and "*" not in text]
    return tuple(os.path.abspath(text) for text in local)  # noqa: PTH100 - links are kept as they are named


def addresses_in(source: str) -> tuple[str, ...]:
    """Returns the addresses in buckets and lakes that a cell's texts name, without what may be secret in them."""
    if "://" not in source:
        return ()
    found = (masked(text).partition("?")[0] for text in _TEXT.findall(source) if is_address(text))
    return tuple(dict.fromkeys(found))[:_MOST_TEXTS]


def is_address(text: str) -> bool:
    """Returns whether a text is an address in a bucket or a lake, and no path."""
    return _BUCKET.match(text) is not None


def stamp(path: str) -> Stamp | None:
    """Returns what tells that a file is still the same, None where it is not there."""
    try:
        found = os.stat(path)  # noqa: PTH116 - runs for each file of a cell
    except OSError:
        return None
    return found.st_size, found.st_ctime_ns


def _size(path: str) -> int:
    found = stamp(path)
    return found[0] if found else 0


def shown_path(path: str, root: Path) -> str:
    """Returns how a file is called: relative to the root where it is below it."""
    own = f"{root}{os.sep}"
    return path.removeprefix(own).replace(os.sep, "/") if path.startswith(own) else path


def _fonts_asked() -> int:
    """Returns how often matplotlib has asked for a font so far."""
    fonts = getattr(sys.modules.get("matplotlib.font_manager"), "_get_font", None)
    count = getattr(fonts, "cache_info", None)
    return int(count().hits) if count is not None else 0
