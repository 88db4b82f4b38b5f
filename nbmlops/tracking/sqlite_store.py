"""Looking at a SQLite store before MLflow does, which waits 20 seconds for a lock and migrates old files unasked.

Standard library only: nothing here imports MLflow, its migrations are read as files.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from msgspec import Struct

from nbmlops.core.errors import EnvironmentFault, StoreAway

LOCK_SECONDS = 5.0
_LOOK_SECONDS = 0.5
_REVISION = re.compile(r"^(down_)?revision(?:\s*:\s*[^=]+)?\s*=\s*[\"']([0-9a-f]+)[\"']", re.MULTILINE)


def check_sqlite_store(path: Path, lock_seconds: float = LOCK_SECONDS) -> None:
    """Checks that MLflow can use the file, or make it.

    Args:
        path: The database; it need not exist.
        lock_seconds: How long to wait for another program's transaction.

    Raises:
        EnvironmentFault: it is locked, not writable, no MLflow store, or of another MLflow's version.
    """
    if not path.exists():
        _check_folder(path)
        return
    if path.is_dir():
        raise EnvironmentFault(
            f"the tracking store {path} is a folder, but a SQLite file belongs there",
            "move the folder away, or set [tracking] uri in nbmlops.toml to another file",
        )
    with _named(path), closing(sqlite3.connect(path, timeout=lock_seconds, isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        tables = {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        revision = _revision(database, tables)
        is_empty = "experiments" not in tables or not database.execute("SELECT 1 FROM experiments LIMIT 1").fetchone()
        database.execute("ROLLBACK")
    if tables and not revision and "experiments" not in tables and "alembic_version" not in tables:
        raise EnvironmentFault(
            f"{path} is a database of another program: it holds {', '.join(sorted(tables)[:3])}, but nothing of MLflow",
            "set [tracking] uri in nbmlops.toml to another file",
        )
    _check_revision(path, revision, is_empty=is_empty)


class KnownRun(Struct, frozen=True):
    """A run as the file has it: its id, its name, and its tags."""

    run_id: str
    name: str
    tags: Mapping[str, str]


def running_runs(path: Path) -> tuple[KnownRun, ...]:
    """Returns the runs that count as running, the oldest first; () where the file has no such table or cannot be read.

    Args:
        path: The database; it need not exist.
    """
    rows = _rows(
        path,
        "SELECT r.run_uuid, r.name, t.key, t.value FROM runs r LEFT JOIN tags t ON t.run_uuid = r.run_uuid "
        "WHERE r.status = 'RUNNING' AND r.lifecycle_stage = 'active' ORDER BY r.start_time, r.run_uuid",
    )
    found: dict[str, KnownRun] = {}
    for run_id, name, key, value in rows:
        tags = found.setdefault(run_id, KnownRun(run_id, name or "", {})).tags
        found[run_id] = KnownRun(run_id, name or "", {**tags, key: value or ""} if key else tags)
    return tuple(found.values())


def model_tags(path: Path, prefix: str) -> Mapping[str, Mapping[str, str]]:
    """Returns the tags of the registered names that begin so; {} where the file has no such table or cannot be read.

    Args:
        path: The database; it need not exist.
        prefix: How the names begin.
    """
    rows = _rows(
        path,
        "SELECT m.name, t.key, t.value FROM registered_models m LEFT JOIN registered_model_tags t ON t.name = m.name "
        "WHERE substr(m.name, 1, ?) = ? ORDER BY m.name",
        len(prefix),
        prefix,
    )
    found: dict[str, dict[str, str]] = {}
    for name, key, value in rows:
        found.setdefault(name, {}).update({key: value or ""} if key else {})
    return found


def _rows(path: Path, query: str, *arguments: str | int) -> list[Any]:
    address = f"{path.absolute().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(address, timeout=_LOOK_SECONDS, uri=True)) as database:
            return database.execute(query, arguments).fetchall()
    except sqlite3.Error:
        return []


def _check_folder(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentFault(
            f"the tracking store {path} cannot be made: {error.strerror}", "make the folder writable"
        ) from error


@contextmanager
def _named(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        text = str(error)
        if "locked" in text or "busy" in text:
            raise StoreAway(
                f"the tracking store {path} is locked by another program",
                "close what has it open (a database viewer, a hanging run) and try again",
            ) from error
        if "readonly" in text or "unable to open" in text:
            raise EnvironmentFault(
                f"the tracking store {path} cannot be written: {text}", "make the file and its folder writable"
            ) from error
        raise EnvironmentFault(
            f"the tracking store {path} cannot be read: {text}",
            "restore it from a backup, or move it away and start a new one",
        ) from error


def _revision(database: sqlite3.Connection, tables: set[str]) -> str:
    if "alembic_version" not in tables:
        return ""
    row = database.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else ""


def _check_revision(path: Path, revision: str, *, is_empty: bool) -> None:
    known, head = _mlflow_revisions()
    if not head or revision == head:
        return
    if revision and revision not in known:
        raise EnvironmentFault(
            f"the tracking store {path} was made by a newer MLflow: its schema {revision} is not known to this one",
            "install the MLflow that made it, or a later one",
        )
    if is_empty:  # a process died while it made the store: MLflow completes it
        return
    raise EnvironmentFault(
        f"the tracking store {path} was made by an older MLflow: it has schema {revision or 'none'}, not {head}",
        f"keep a copy of the file, then: mlflow db upgrade sqlite:///{path}",
    )


def _mlflow_revisions() -> tuple[frozenset[str], str]:
    """Returns all schema revisions of the installed MLflow and the newest; "" where its files tell no newest."""
    spec = find_spec("mlflow")
    folders = spec.submodule_search_locations if spec is not None else None
    revisions: set[str] = set()
    parents: set[str] = set()
    for folder in folders or ():
        for file in Path(folder, "store", "db_migrations", "versions").glob("*.py"):
            for is_parent, revision in _REVISION.findall(file.read_text(encoding="utf-8")):
                (parents if is_parent else revisions).add(revision)
    heads = revisions - parents
    return frozenset(revisions), heads.pop() if len(heads) == 1 else ""
