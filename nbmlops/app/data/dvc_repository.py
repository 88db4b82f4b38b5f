"""Where a DVC repository begins, where its cache is, and what stands against adding a path to it."""

from __future__ import annotations

import configparser
import os
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from nbmlops.core.documents import write_atomically
from nbmlops.core.errors import UsageError
from nbmlops.core.git import ask_git

FOLDER = ".dvc"
SUFFIX = ".dvc"
_NEW_FILES = {
    ".dvc/config": "",
    ".dvc/.gitignore": "/config.local\n/tmp\n/cache\n",
    ".dvcignore": (
        "# Add patterns of files dvc should ignore, which could improve\n"
        "# the performance. Learn more at\n"
        "# https://dvc.org/doc/user-guide/dvcignore\n"
    ),
}


class Repository(Struct, frozen=True):
    """A DVC repository: its root, its cache, and whether git is to ignore what it adds."""

    root: Path
    cache: Path
    in_git: bool


def find_repository(path: Path, user_config: Path | None = None) -> Repository:
    """Returns the DVC repository that a path stands in.

    Args:
        path: An absolute path.
        user_config: The user's own `dvc/config`, which counts less than the repository's.

    Raises:
        UsageError: there is none above the path.
    """
    root = next((folder for folder in path.parents if (folder / FOLDER).is_dir()), None)
    if root is None:
        raise UsageError(
            f"{path} is in no DVC repository: no folder above it holds {FOLDER}/",
            "make one in the project's root: nbmlops data add --init PATH, or dvc init",
        )
    settings = configparser.ConfigParser(strict=False, interpolation=None, allow_no_value=True)
    cache = root / FOLDER / "cache"
    files = (user_config, root / FOLDER / "config", root / FOLDER / "config.local")
    for file in files:
        if file is not None and file.is_file():
            cache = _cache_of(file, settings) or cache
    no_git = settings.get("core", "no_scm", fallback="false").strip().lower() == "true"
    in_git = not no_git and ask_git(root, "rev-parse", "--is-inside-work-tree") is not None
    return Repository(root, cache, in_git)


def _cache_of(file: Path, settings: configparser.ConfigParser) -> Path | None:
    """Returns the cache's folder that a configuration file names, relative to the file, or None.

    Raises:
        UsageError: the file is broken, or names a cache elsewhere than on this machine.
    """
    settings.remove_section("cache")
    try:
        settings.read_string("\n".join(line.strip() for line in file.read_text("utf-8").splitlines()), str(file))
    except (configparser.Error, UnicodeDecodeError) as error:
        raise UsageError(f"{file} is no configuration of DVC: {str(error).splitlines()[0]}", "correct it") from error
    named = (settings.get("cache", "dir", fallback="") or "").strip().strip("\"'")
    if "://" in named:
        raise UsageError(f"{file}: the cache is at {named}, which only dvc can write", "use dvc add")
    return Path(os.path.normpath(file.parent / Path(named).expanduser())) if named else None


def new_repository(root: Path) -> tuple[str, ...]:
    """Returns the files that make a folder a DVC repository, after writing those that are not there.

    Raises:
        EnvironmentFault: they cannot be written.
    """
    written = tuple(name for name in _NEW_FILES if not (root / name).exists())
    for name in written:
        write_atomically(root / name, _NEW_FILES[name].encode())
    return written


def check_addable(path: Path, repository: Repository) -> None:
    """Checks what `dvc add` checks before it hashes anything.

    Args:
        path: The file or folder, absolute, links in its parents followed.
        repository: Where it is added.

    Raises:
        UsageError: it cannot be added; the message says why, the hint what to do.
    """
    shown = path.relative_to(repository.root).as_posix()
    if not path.exists():
        raise UsageError(f"{shown} does not exist", "check the path: it counts from the current folder")
    if path.suffix == SUFFIX or FOLDER in path.relative_to(repository.root).parts:
        raise UsageError(f"{shown} belongs to DVC itself", "add the data, not what describes it")
    if path.is_symlink() and path.is_dir():
        raise UsageError(f"{shown} is a link to a folder", "add the folder that it leads to")
    _check_overlap(path, repository, shown)
    _check_patterns(path, repository, shown)
    if repository.in_git:
        _check_git(path, repository, shown)


def _check_overlap(path: Path, repository: Repository, shown: str) -> None:
    for folder in path.parents:
        if folder == repository.root:
            break
        if pointer_of(folder).is_file():
            owner = folder.relative_to(repository.root).as_posix()
            raise UsageError(f"{shown} is in {owner}, which DVC has as a whole", f"add that: nbmlops data add {owner}")


def _check_patterns(path: Path, repository: Repository, shown: str) -> None:
    """Refuses folders where a `.dvcignore` has rules: which files they leave out only dvc itself should say.

    Raises:
        UsageError: there are such rules.
    """
    if not path.is_dir():
        return
    above = [path, *path.parents]
    for folder in above[: above.index(repository.root) + 1]:
        file = folder / ".dvcignore"
        if file.is_file() and any(_rules(file)):
            raise UsageError(
                f"{file.relative_to(repository.root).as_posix()} has rules, which may leave out files of {shown}",
                f"use dvc itself for this folder: dvc add {shown}",
            )


def _rules(file: Path) -> Iterator[str]:
    lines = file.read_text("utf-8", "replace").splitlines()
    return (line for line in lines if line.strip() and not line.startswith("#"))


def _check_git(path: Path, repository: Repository, shown: str) -> None:
    if ask_git(repository.root, "ls-files", "--error-unmatch", "--", f":(literal){path}") is not None:
        raise UsageError(
            f"{shown} is tracked by git already, and can belong to one of the two only",
            f"git rm -r --cached {shown!r} && git commit -m 'Stop tracking {shown}'",
        )
    if is_ignored(pointer_of(path), repository):
        raise UsageError(
            f"git ignores {shown}{SUFFIX}, which is to be committed",
            "narrow the pattern in .gitignore that covers it (see: git check-ignore -v)",
        )


def is_ignored(path: Path, repository: Repository) -> bool:
    """Returns whether git ignores a path."""
    return ask_git(repository.root, "check-ignore", "--quiet", "--", str(path)) is not None


def pointer_of(path: Path) -> Path:
    """Returns where the pointer of a file or folder stands."""
    return path.with_name(path.name + SUFFIX)
