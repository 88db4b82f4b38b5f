"""Questions that a step asked about which files exist, such as `Path("data").glob("*.csv")`, and their answers.

The files that a step reads are recorded by themselves; a file that was not there yet, next month's, shows only in the
answer to such a question.
"""

from __future__ import annotations

import glob
import os
import stat
import sys
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Any

from msgspec import Struct

from nbmlops.core.digest import digest_json

# Python itself looks into the folders it may import from, the notebook's among them.
_IMPORTERS = ("importlib", "pkgutil", "pkg_resources", "zipimport")
_PASSING = frozenset({".git", ".ipynb_checkpoints", "__pycache__"})
# Formats that libraries read by code of their own, without a word to Python.
_NATIVE = (".parquet", ".feather", ".arrow", ".orc", ".h5", ".hdf5", ".nc")
_OURS = (".gitignore", ".nbmlops", "mlartifacts", "mlflow.db", "runs")


class Question(StrEnum):
    """How a step asked; the forms differ in what they do with hidden files and `**`. KIND: what stands at one path."""

    NAMES = "names"
    GLOB = "glob"
    RECURSIVE_GLOB = "recursive glob"
    PATH_GLOB = "path glob"
    KIND = "kind"


class Listing(Struct, frozen=True, order=True):
    """What was asked: names in `folder` that match `pattern`; a folder below the root is relative to it."""

    question: Question
    folder: str
    pattern: str = ""


def asked(event: str, arguments: tuple[Any, ...]) -> Listing | None:
    """Returns the question behind an audit event, with an absolute folder; None if there is none.

    To be called by the audit hook itself: who asked stands in the frame above it.

    Args:
        event: Name of the event.
        arguments: What it passes.
    """
    if event == "glob.glob/2" and arguments[3] is None:
        pattern, folder = os.fsdecode(arguments[0]), os.fsdecode(arguments[2] or "")
        question = Question.RECURSIVE_GLOB if arguments[1] else Question.GLOB
        return Listing(question, os.path.abspath(folder), pattern)  # noqa: PTH100 - links are kept, and this is fast
    if event in {"pathlib.Path.glob", "pathlib.Path.rglob"}:
        pattern = str(arguments[1]) if event.endswith(".glob") else f"**/{arguments[1]}"
        return Listing(Question.PATH_GLOB, os.path.abspath(arguments[0]), pattern)  # noqa: PTH100 - as above
    if event in {"os.listdir", "os.scandir"} and not isinstance(arguments[0], int):
        if not _is_a_question(sys._getframe(2)):  # noqa: SLF001 - the one way to know who asked
            return None
        return Listing(Question.NAMES, os.path.abspath(os.fsdecode(arguments[0] or ".")))  # noqa: PTH100 - as above
    return None


def _is_a_question(frame: Any) -> bool:
    """Returns whether the code asks for its own sake: not to import, and not as a part of a glob, told before."""
    file, function = frame.f_code.co_filename, frame.f_code.co_name
    if is_importer(file):
        return False
    return function == "iterdir" or not any(part in {"glob.py", "pathlib.py", "pathlib"} for part in Path(file).parts)


def is_importer(file: str) -> bool:
    """Returns whether code of this file looks for modules: what else it meets on the way is not read."""
    return any(importer in file for importer in _IMPORTERS)


def relative(listing: Listing, root: Path) -> Listing:
    """Returns the question with a folder below the root named from there."""
    folder = Path(listing.folder)
    shown = folder.relative_to(root).as_posix() if folder.is_relative_to(root) else listing.folder
    return Listing(listing.question, shown, listing.pattern)


def answer(listing: Listing, root: Path, ignored: Iterable[Path]) -> str:
    """Returns a digest of the paths that are the answer now; what we or Python keep there ourselves is left out.

    Args:
        listing: The question, relative to the root or absolute.
        root: The project's root.
        ignored: Folders that are none of the step's business.
    """
    folder, skipped = root / listing.folder, tuple(ignored)
    if listing.question is Question.KIND:
        path = folder / listing.pattern
        return "" if _passing(path, root) or any(map(path.is_relative_to, skipped)) else _kind(path)
    try:
        found = [Path(os.path.normpath(folder / name)) for name in _names(listing, folder)]
    except (OSError, ValueError, NotImplementedError):  # no such folder, or a pattern that Python refuses
        return ""
    kept = [path for path in found if not _passing(path, root) and not any(map(path.is_relative_to, skipped))]
    return digest_json(sorted(os.path.relpath(path, folder).encode(errors="surrogateescape").hex() for path in kept))


def _kind(path: Path) -> str:
    """Returns what stands at a path: "file", "folder", "other", or "" for nothing."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return ""
    return "file" if stat.S_ISREG(mode) else "folder" if stat.S_ISDIR(mode) else "other"


def found_natively(listing: Listing) -> list[str]:
    """Returns the files of a question's answer, asked with an absolute folder, that libraries read past Python."""
    if listing.question is Question.KIND:
        return []
    try:
        names = [str(name) for name in _names(listing, Path(listing.folder))]
    except (OSError, ValueError, NotImplementedError):
        return []
    paths = [os.path.normpath(Path(listing.folder, name)) for name in names if name.endswith(_NATIVE)]
    return [path for path in paths if _kind(Path(path)) == "file"]


def _names(listing: Listing, folder: Path) -> Iterable[str | Path]:
    match listing.question:
        case Question.NAMES:
            return list(folder.iterdir())
        case Question.PATH_GLOB:
            return list(folder.glob(listing.pattern))
        case Question.GLOB | Question.RECURSIVE_GLOB:
            recursive = listing.question is Question.RECURSIVE_GLOB
            return glob.glob(listing.pattern, root_dir=folder, recursive=recursive)  # noqa: PTH207 - asked as the step did
        case Question.KIND:
            return []


def _passing(path: Path, root: Path) -> bool:
    parts = path.relative_to(root).parts if path.is_relative_to(root) else path.parts
    return not _PASSING.isdisjoint(parts) or (path.is_relative_to(root) and "".join(parts[:1]).startswith(_OURS))
