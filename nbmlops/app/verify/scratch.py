"""Scratch copies of a project: what a notebook writes while it is verified goes there, never into the project."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from nbmlops.app.project import RUNS_FOLDER, STATE_FOLDER, shown_path
from nbmlops.core.errors import EnvironmentFault, UsageError

LIMIT = 2 << 30
"""Bytes that are copied at most."""

_LEFT_OUT = frozenset({
    ".git", ".venv", "node_modules", "__pycache__", ".ipynb_checkpoints", ".mypy_cache", ".ruff_cache", ".pytest_cache",
})  # fmt: skip
_LEFT_OUT_AT_ROOT = frozenset({STATE_FOLDER, RUNS_FOLDER, "mlflow.db", "mlartifacts", "mlruns"})
_LARGEST_SHOWN = 3


def copy_project(root: Path, target: Path, limit: int = 0) -> None:
    """Copies a project without what tools and runs left in it: version history, environments, stores, runs.

    Args:
        root: The project's root.
        target: The copy's root, which does not exist yet.
        limit: Bytes that are copied at most; 0 for `LIMIT`.

    Raises:
        UsageError: the project is larger than the limit.
        EnvironmentFault: a file cannot be read, or there is no room for the copy.
    """
    files = dict(_files(root))
    total, limit = sum(files.values()), limit or LIMIT
    if total > limit:
        largest = sorted(files, key=lambda path: files[path], reverse=True)[:_LARGEST_SHOWN]
        named = ", ".join(f"{shown_path(path, root)} ({_size(files[path])})" for path in largest)
        raise UsageError(
            f"the project {root.name!r} holds {_size(total)}; verify copies at most {_size(limit)}. Largest: {named}",
            "move large data out of the project and read it by an absolute path, or mark a smaller root for the "
            "notebook with a nbmlops.toml beside it",
        )
    try:
        target.mkdir(parents=True)
        for path in files:
            place = target / path.relative_to(root)
            place.parent.mkdir(parents=True, exist_ok=True)
            _copy(path, place, root)
        for folder in _folders(root):
            (target / folder.relative_to(root)).mkdir(parents=True, exist_ok=True)
        for name in (STATE_FOLDER, RUNS_FOLDER):  # there in every copy, so that listings are the same
            (target / name).mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise EnvironmentFault(
            f"the project cannot be copied: {error.filename or target}: {error.strerror or error}",
            "free disk space, or set TMPDIR to a folder with room",
        ) from error


def _walk(root: Path) -> Iterator[tuple[Path, list[str], list[str]]]:
    for folder, folders, files in os.walk(root):
        here = Path(folder)
        out = _LEFT_OUT | (_LEFT_OUT_AT_ROOT if here == root else frozenset())
        folders[:] = sorted(name for name in folders if name not in out and not (here / name / "pyvenv.cfg").exists())
        links = [name for name in folders if (here / name).is_symlink()]
        yield (
            here,
            [name for name in folders if name not in links],
            [*links, *(f for f in sorted(files) if f not in out)],
        )


def _files(root: Path) -> Iterator[tuple[Path, int]]:
    for folder, _, files in _walk(root):
        for name in files:
            path = folder / name
            if path.is_symlink():
                yield path, 0
            elif path.is_file():  # neither sockets nor pipes
                yield path, path.stat().st_size


def _folders(root: Path) -> Iterator[Path]:
    for folder, folders, _ in _walk(root):
        yield from (folder / name for name in folders)


def _copy(path: Path, place: Path, root: Path) -> None:
    if not path.is_symlink():
        shutil.copy2(path, place)
        return
    goal = (path.parent / path.readlink()).resolve()
    # A link into the project leads into the copy, so that nobody writes through it into the project.
    inside = goal.is_relative_to(root)
    place.symlink_to(Path(os.path.relpath(goal, path.parent.resolve())) if inside else goal)


def _size(number: int) -> str:
    for unit in ("B", "KB", "MB"):
        if number < 1000:
            return f"{number:.0f} {unit}"
        number //= 1000
    return f"{number:.1f} GB"
