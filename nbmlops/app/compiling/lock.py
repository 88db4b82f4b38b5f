"""Locking: the `requirements.lock` of a pipeline is made again from what is installed here."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from nbmlops.app.compiling.compile import open_source, resolved_lock
from nbmlops.app.project import LOCK_FILE, PIPELINE_FILE, default_out, find_pipeline, resolve, shown_path
from nbmlops.core.documents import write_atomically
from nbmlops.core.errors import UsageError
from nbmlops.pipeline.codec import read_pipeline


class LockChange(Struct, frozen=True):
    """One distribution whose version changed; "" where it was or is not in the lock."""

    name: str
    before: str
    after: str


class LockOutcome(Struct, frozen=True):
    """What locking did.

    Attributes:
        path: The lock, relative to the caller's folder.
        notebook: The notebook whose imports it resolves, as the caller would name it.
        changes: What became different, by name.
        notes: What the user should know or do.
    """

    path: str
    notebook: str
    changes: tuple[LockChange, ...]
    notes: tuple[str, ...] = ()


def refresh_lock(target: str, cwd: Path) -> LockOutcome:
    """Returns what changed in the lock that was written for a notebook or a compiled pipeline.

    Args:
        target: A notebook, a pipeline's folder, or its name.
        cwd: The folder that relative paths count from.

    Raises:
        UsageError: there is no such notebook or pipeline, or the notebook of the pipeline is gone.
        EnvironmentFault: the lock cannot be written.
    """
    if target.endswith(".ipynb"):
        source = open_source(target, cwd)
        folder = default_out(source.root, source.name)
    else:
        folder = find_pipeline(target, cwd)
        notebook = resolve(folder / read_pipeline(folder / PIPELINE_FILE).notebook)
        if not notebook.is_file():
            raise UsageError(
                f"the notebook of {target} is gone: {shown_path(notebook, cwd)}",
                "compile the notebook from where it is now",
            )
        source = open_source(shown_path(notebook, cwd), cwd)
    text, notes = resolved_lock(source)
    path = folder / LOCK_FILE
    before = path.read_text("utf-8", "replace") if path.is_file() else ""
    if text != before:
        write_atomically(path, text.encode())
    return LockOutcome(shown_path(path, cwd), source.notebook.path, _difference(before, text), notes)


def _difference(before: str, after: str) -> tuple[LockChange, ...]:
    old, new = _versions(before), _versions(after)
    names = sorted({*old, *new}, key=str.lower)
    return tuple(
        LockChange(name, old.get(name, ""), new.get(name, "")) for name in names if old.get(name) != new.get(name)
    )


def _versions(text: str) -> dict[str, str]:
    pairs = (line.partition("==") for line in text.splitlines() if not line.startswith("#"))
    return {name.strip(): version.strip() for name, _, version in pairs if name.strip()}
