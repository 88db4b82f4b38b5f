"""Keeping a version of a file or folder: its bytes go to DVC's cache, a small pointer beside it is committed."""

from __future__ import annotations

import re
from pathlib import Path

from msgspec import Struct

from nbmlops.app.data.dvc_repository import (
    Repository,
    check_addable,
    find_repository,
    is_ignored,
    new_repository,
    pointer_of,
)
from nbmlops.app.project import find_root, shown_path
from nbmlops.core.documents import write_atomically
from nbmlops.core.errors import UsageError
from nbmlops.data.versions.dvc_pointer import Pointer, pointer_text, read_pointer, updated_text
from nbmlops.data.versions.dvc_store import add_to_cache, checked_text

_IMPORT = re.compile(r"(?m)^(deps|cmd):")


class Added(Struct, frozen=True):
    """What became of one path.

    Attributes:
        path: The file or folder, as a person in the current folder writes it.
        pointer: What its pointer says now.
        pointer_file: The pointer's file.
        before: The hash that the pointer had, "" for a new one.
        written: The files that were written and are to be committed.
    """

    path: str
    pointer: Pointer
    pointer_file: str
    before: str
    written: tuple[str, ...]


def add_data(path: Path, cwd: Path, *, init: bool = False, user_config: Path | None = None) -> Added:
    """Returns what was added; nothing is written where pointer and cache say already what the data is.

    Args:
        path: A file or folder.
        cwd: The current folder, from which relative paths count.
        init: Make the project's root a DVC repository if it is in none.
        user_config: The user's own configuration of DVC.

    Raises:
        UsageError: the path cannot be added, or its pointer is broken.
        EnvironmentFault: something cannot be read or written.
    """
    place = cwd / path
    place = place.parent.resolve() / place.name if place.name not in {"", ".."} else place.resolve()
    made: tuple[Path, ...] = ()
    if init and not any((folder / ".dvc").is_dir() for folder in place.parents):
        root = find_root(place.parent)
        made = tuple(root / name for name in new_repository(root))
    repository = find_repository(place, user_config)
    check_addable(place, repository)
    checked_text(place.name)
    file = pointer_of(place)
    old = _text_of(file)
    known = read_pointer(old, shown_path(file, cwd)) if old else None
    if known is not None and (known.path != place.name or _IMPORT.search(old)):
        raise UsageError(
            f"{shown_path(file, cwd)} was not made by adding {place.name}: it has inputs of its own or another path",
            "bring it up to date with dvc (dvc update, dvc repro)",
        )
    pointer = add_to_cache(place, repository.cache, known)
    written = [*made, *_ignore(place, repository)]
    new = updated_text(old, pointer) if old else pointer_text(pointer)
    if new != old:
        write_atomically(file, new.encode())
        written.append(file)
    names = tuple(shown_path(one, cwd) for one in written)
    return Added(shown_path(place, cwd), pointer, shown_path(file, cwd), known.md5 if known else "", names)


def _text_of(file: Path) -> str:
    try:
        return file.read_bytes().decode()
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as error:
        raise UsageError(f"{file.name} is no text, so it is no pointer", "remove it, and add the data again") from error


def _ignore(place: Path, repository: Repository) -> tuple[Path, ...]:
    """Returns the `.gitignore` that got a line for the data, if it needed one."""
    if not repository.in_git or is_ignored(place, repository):
        return ()
    file = place.with_name(".gitignore")
    text = file.read_bytes() if file.exists() else b""
    line = re.sub(r"[\[\]!*#?\\]", r"\\\g<0>", f"/{place.name}")
    prefix = b"" if not text or text.endswith(b"\n") else b"\n"
    write_atomically(file, text + prefix + f"{line}\n".encode())
    return (file,)
