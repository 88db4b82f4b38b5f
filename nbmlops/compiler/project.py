"""Compiled files against the disk: what is new, changed, gone or edited by hand; and writing them, all or none.

`pipeline.yaml` holds the digest of every generated file. A file on disk that has neither that digest nor the new
content was edited by hand, and is overwritten only on request.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from msgspec import Struct

from nbmlops.compiler.program import Compiled
from nbmlops.core.digest import digest_bytes
from nbmlops.core.documents import write_atomically
from nbmlops.core.errors import EnvironmentFault, UsageError
from nbmlops.pipeline.codec import FILE_NAME, pipeline_to_yaml, read_pipeline, recorded_files

LOCK = "requirements.lock"
MOST_NAMED = 10


class Changes(Struct, frozen=True):
    """What compiling does to the disk: paths relative to the repository's root, sorted.

    Attributes:
        new: Files that do not exist yet.
        changed: Files that differ and are as an earlier compilation left them.
        removed: Files of an earlier compilation that are no longer generated.
        hand_edited: Files that differ and that nbmlops did not write as they are.
        unchanged: Files that are right.
    """

    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    hand_edited: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()

    @property
    def up_to_date(self) -> bool:
        """Whether the disk holds exactly what was compiled."""
        return not (self.new or self.changed or self.removed or self.hand_edited)


def plan_changes(root: Path, compiled: Compiled) -> Changes:
    """Returns what writing the files would do.

    Args:
        root: The repository's root.
        compiled: What was compiled.

    Raises:
        EnvironmentFault: a file on disk cannot be read.
    """
    document = root / compiled.out / FILE_NAME
    recorded = _recorded(compiled.out, document)
    groups: dict[str, list[str]] = {name: [] for name in Changes.__struct_fields__}
    for path, content in compiled.files.items():
        groups[_state(root / path, content, recorded.get(path), document)].append(path)
    for path in sorted(recorded.keys() - compiled.files.keys()):
        found = _read(root / path)
        if found is not None:
            groups["removed" if _digest(found) == recorded[path] else "hand_edited"].append(path)
    return Changes(**{name: tuple(sorted(paths)) for name, paths in groups.items()})


def _state(path: Path, content: bytes, recorded: str | None, document: Path) -> str:
    found = _read(path)
    if found is None:
        return "new"
    if found == content:
        return "unchanged"
    if path == document:
        return "changed" if _is_ours(path, found) else "hand_edited"
    # The lock has an owner of its own, `nbmlops lock`, and its text on disk is what was compiled.
    return "changed" if path.name == LOCK or _digest(found) == recorded else "hand_edited"


def _is_ours(document: Path, found: bytes) -> bool:
    """Returns whether the pipeline document is as nbmlops wrote it: writing again what it says gives the same."""
    try:
        return pipeline_to_yaml(read_pipeline(document), recorded_files(document)) == _unix(found)
    except UsageError:  # not readable as a pipeline: somebody changed it, or a later version wrote it
        return False


def _recorded(out: str, document: Path) -> dict[str, str]:
    """Returns path -> digest of what the last compilation wrote; paths that lead elsewhere are left out."""
    try:
        files = recorded_files(document)
    except UsageError:  # no document, or none that can be read: then nothing is known to be ours
        return {}
    found: dict[str, str] = {}
    for path, digest in files.items():
        place = PurePosixPath(os.path.normpath(PurePosixPath(out) / path))
        parts = place.parts
        in_pipeline = out in {"", "."} or place.is_relative_to(out)
        is_workflow = parts[:2] == (".github", "workflows") and len(parts) == 3
        if not place.is_absolute() and ".." not in parts and (in_pipeline or is_workflow):
            found[place.as_posix()] = digest
    return found


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except IsADirectoryError as error:
        raise UsageError(f"{path} is a folder, but a generated file belongs there", "move the folder away") from error
    except OSError as error:
        raise EnvironmentFault(
            f"{path} cannot be read: {error.strerror or error}", "give yourself the right to read it"
        ) from error


def _digest(content: bytes) -> str:
    return digest_bytes(_unix(content))


def _unix(content: bytes) -> bytes:
    # git may have written the line ends of another system.
    return content.replace(b"\r\n", b"\n")


def write(root: Path, compiled: Compiled, force: bool = False) -> Changes:  # the one switch of the command
    """Writes the files so that the disk holds all of them or is as before; returns what was done.

    Args:
        root: The repository's root.
        compiled: What was compiled, without errors.
        force: Overwrite files that were edited by hand.

    Raises:
        UsageError: files were edited by hand or are somebody else's, and `force` is not given; nothing was touched.
        EnvironmentFault: a file cannot be written; what had been written is as before.
    """
    changes = plan_changes(root, compiled)
    if changes.hand_edited and not force:
        raise UsageError(*_in_the_way(root, compiled.out, changes.hand_edited))
    wanted = [*changes.new, *changes.changed, *(path for path in changes.hand_edited if path in compiled.files)]
    gone = [*changes.removed, *(path for path in changes.hand_edited if path not in compiled.files)]
    _check_writable(root, [*wanted, *gone])
    document = f"{compiled.out}/{FILE_NAME}" if compiled.out not in {"", "."} else FILE_NAME
    before = {path: _read(root / path) for path in [*wanted, *gone]}
    try:
        # The document goes last: until it is there, everything on disk is still measured against the old one.
        for path in sorted(wanted, key=lambda path: (path == document, path)):
            write_atomically(root / path, compiled.files[path])
        for path in gone:
            _remove(root / path)
    except BaseException:
        _restore(root, before)
        raise
    return changes


def _in_the_way(root: Path, out: str, paths: Iterable[str]) -> tuple[str, str]:
    """Returns message and hint on files that must not be overwritten: edited ones, and those of somebody else."""
    document = f"{out}/{FILE_NAME}" if out not in {"", "."} else FILE_NAME
    ours = {document, *_recorded(out, root / document)}
    edited = [path for path in paths if path in ours]
    foreign = [path for path in paths if path not in ours]
    messages = [f"edited by hand since they were generated: {_named(edited)}"] if edited else []
    messages += [f"not generated from this notebook: {_named(foreign)}"] if foreign else []
    edits = ["move the edit into the notebook"] if edited else []
    edits += ["choose another folder (-o DIR)"] if foreign else []
    overwrite = "overwrite the files: nbmlops compile NOTEBOOK --force"
    return "; ".join(messages), f"{', '.join(edits)}, or {overwrite}"


def _named(paths: Iterable[str]) -> str:
    names = list(paths)
    rest = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {rest} more" if rest > 0 else "")


def _check_writable(root: Path, paths: Iterable[str]) -> None:
    for folder in sorted({(root / path).parent for path in paths}):
        existing = next(place for place in (folder, *folder.parents) if place.exists())
        if not existing.is_dir():
            raise UsageError(f"{existing} is a file, but a folder belongs there", "move the file away")
        if not os.access(existing, os.W_OK | os.X_OK):
            raise EnvironmentFault(
                f"the folder {existing} is not writable", "make it writable, or choose another: -o DIR"
            )


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise EnvironmentFault(
            f"cannot remove {path}: {error.strerror or error}", "make its folder writable"
        ) from error


def _restore(root: Path, before: Mapping[str, bytes | None]) -> None:
    for path, content in before.items():
        if content is None:
            (root / path).unlink(missing_ok=True)
        elif _read(root / path) != content:
            write_atomically(root / path, content)
