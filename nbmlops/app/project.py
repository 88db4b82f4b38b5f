"""Where a project begins and where its parts stand: root, pipeline folders, state. Every use case starts here."""

from __future__ import annotations

import errno
import re
from pathlib import Path

from nbmlops.core.errors import UsageError

PIPELINES = "pipelines"
PIPELINE_FILE = "pipeline.yaml"
CONFIG_FILE = "nbmlops.toml"
LOCK_FILE = "requirements.lock"
STATE_FOLDER = ".nbmlops"
SPOOLS = Path(STATE_FOLDER, "spool")
"""Where notebooks' runs keep what their store does not have yet, below the project's root."""
RUNS_FOLDER = "runs"
VERDICT_FILE = "verdict.json"

_PYPROJECT_TABLE = re.compile(r"^\s*\[\[?\s*tool\s*\.\s*nbmlops\b", re.MULTILINE)

_LOOP = "its symbolic links lead in a circle"
_CHECK_LINKS = "check the name and its symbolic links"


def find_root(start: Path) -> Path:
    """Returns the project's root, absolute: the nearest folder above `start` that marks one, else the nearest sensible.

    `nbmlops.toml`, a `pyproject.toml` with `[tool.nbmlops]` and `.git` mark a root. Without any of them it is the
    parent of the `pipelines` folder that `start` stands in, else the folder of `start` (or `start` itself, a folder).

    Args:
        start: A notebook, a pipeline folder, or any folder; it need not exist.

    Raises:
        UsageError: the path cannot be resolved, because its symbolic links form a loop.
    """
    place = resolve(start)
    folder = place if place.is_dir() else place.parent
    for candidate in (folder, *folder.parents):
        if _marks_root(candidate):
            return candidate
    for candidate in (folder, *folder.parents):
        if candidate.name == PIPELINES:
            return candidate.parent
    return folder


def resolve(path: Path) -> Path:
    """Returns the path made absolute, symbolic links followed.

    Raises:
        UsageError: the links form a loop, or the path holds a character that no path may hold.
    """
    try:
        resolved = path.resolve()
    except (RuntimeError, OSError, ValueError) as error:
        reason = _LOOP if isinstance(error, RuntimeError) else str(error)
        raise UsageError(f"{str(path)!r} is not a usable path: {reason}", _CHECK_LINKS) from error
    try:
        path.stat()
    except OSError as error:
        if error.errno == errno.ELOOP:  # since Python 3.13 resolving does not notice
            raise UsageError(f"{str(path)!r} is not a usable path: {_LOOP}", _CHECK_LINKS) from error
    return resolved


def _marks_root(folder: Path) -> bool:
    if (folder / CONFIG_FILE).is_file() or (folder / ".git").exists():
        return True
    pyproject = folder / "pyproject.toml"
    try:
        return pyproject.is_file() and bool(_PYPROJECT_TABLE.search(pyproject.read_text("utf-8", "replace")))
    except OSError:  # an unreadable pyproject.toml of somebody else does not mark our root
        return False


def default_out(root: Path, name: str) -> Path:
    """Returns the folder that a notebook's pipeline is compiled into unless the user says otherwise."""
    return root / PIPELINES / name


def find_pipeline(text: str, start: Path) -> Path:
    """Returns the folder of a compiled pipeline that the user named by path or by name, absolute.

    Args:
        text: A folder with a `pipeline.yaml`, that file itself, or the name of a folder under `pipelines/`.
        start: The folder that relative paths count from.

    Raises:
        UsageError: there is no such pipeline; the hint says how to make one or which exist.
    """
    direct = resolve(start / text)
    if direct.name == PIPELINE_FILE and direct.is_file():
        return direct.parent
    if (direct / PIPELINE_FILE).is_file():
        return direct
    folder = find_root(start) / PIPELINES
    named = folder / text
    if "/" not in text and (named / PIPELINE_FILE).is_file():
        return named
    if direct.suffix == ".ipynb":
        raise UsageError(
            f"{text} is a notebook, not a compiled pipeline",
            f"compile it first: nbmlops compile {text}; then run the folder that it writes",
        )
    raise UsageError(f"{text} is not a compiled pipeline: it holds no {PIPELINE_FILE}", _pipelines_hint(folder))


def _pipelines_hint(folder: Path) -> str:
    known = pipeline_names(folder.parent)
    if known:
        return f"pipelines of this project: {', '.join(known)}"
    return "make one: nbmlops compile NOTEBOOK.ipynb"


def pipeline_names(root: Path) -> tuple[str, ...]:
    """Returns the names of the compiled pipelines in the project's default place, sorted."""
    return tuple(sorted(path.parent.name for path in (root / PIPELINES).glob(f"*/{PIPELINE_FILE}")))


def shown_path(path: Path, base: Path) -> str:
    """Returns the path as a person standing in `base` would write it, with `/`."""
    for parent, dots in ((base, ""), (base.parent, "../"), (base.parent.parent, "../../")):
        if path.is_relative_to(parent):
            return dots + path.relative_to(parent).as_posix()
    return path.as_posix()
