"""What is installed, reachable and configured, and what to do about what is not: plain checks that change nothing."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from nbmlops.app.compiling.installed import own_version
from nbmlops.app.config.config import Config, load_config
from nbmlops.app.gitignore import missing_entries
from nbmlops.app.leftovers import killed_runs, leftover_leases, waiting_spools
from nbmlops.app.project import find_root, pipeline_names
from nbmlops.app.wiring import shown_uri, tracking_uri
from nbmlops.core.errors import ExitCode, NbmlopsError
from nbmlops.tracking.sqlite_store import check_sqlite_store
from nbmlops.tracking.uri import sqlite_path

MIN_PYTHON = (3, 11)
MIN_FREE_BYTES = 1_000_000_000
CONNECT_SECONDS = 3.0
MOST_LEFTOVERS = 5
_PANEL = ("anywidget", "ipywidgets", "traitlets")


class CheckStatus(StrEnum):
    """What a check found; a blocker stops commands, a warning asks for a look."""

    OK = "ok"
    WARNING = "warning"
    BLOCKER = "blocker"


class Check(Struct, frozen=True):
    """One thing that was looked at: what was found, and what to do about it ("" when nothing)."""

    name: str
    status: CheckStatus
    found: str
    advice: str = ""


class Diagnosis(Struct, frozen=True):
    """All checks of one project."""

    root: Path
    checks: tuple[Check, ...]

    @property
    def exit_code(self) -> ExitCode:
        """4 when something blocks, else 0."""
        blocked = any(check.status is CheckStatus.BLOCKER for check in self.checks)
        return ExitCode.ENVIRONMENT if blocked else ExitCode.SUCCESS


def examine(start: Path) -> Diagnosis:
    """Returns what is installed, reachable and configured for the project that `start` stands in."""
    root = find_root(start)
    checks = [_own(), _python(), *_packages(), _kernel(), _git(root), _disk(root)]
    try:
        config = load_config(root)
    except NbmlopsError as error:
        checks.append(Check("configuration", CheckStatus.BLOCKER, error.message, error.hint or "correct the file"))
    else:
        checks += [_configuration(config), *_stores(root, config), *_leftovers(root, config)]
    checks += [_ignored(root), _panel()]
    return Diagnosis(root, tuple(checks))


def _own() -> Check:
    return Check("nbmlops", CheckStatus.OK, f"{own_version()} at {Path(__file__).parents[1].as_posix()}")


def _python() -> Check:
    found = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info < MIN_PYTHON:
        return Check(
            "python", CheckStatus.BLOCKER, found, "install Python 3.11 or newer and make the environment again"
        )
    return Check("python", CheckStatus.OK, f"{found} at {sys.executable}")


def _packages() -> Iterator[Check]:
    from packaging.requirements import Requirement  # noqa: PLC0415  # only this check needs it

    try:
        texts = importlib.metadata.requires("nbmlops") or []
    except importlib.metadata.PackageNotFoundError:
        advice = "install it, so that requirements are known: pip install nbmlops"
        yield Check("packages", CheckStatus.WARNING, "nbmlops runs from a folder, it is not installed", advice)
        return
    requirements = [Requirement(text) for text in texts]
    wrong = []
    for requirement in requirements:
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        version = _version(requirement.name)
        if version is None or not requirement.specifier.contains(version, prereleases=True):
            wrong.append((requirement, version))
    for requirement, version in wrong:
        found = f"{requirement.name} {version or 'is missing'}"
        yield Check("packages", CheckStatus.BLOCKER, found, f"pip install '{requirement.name}{requirement.specifier}'")
    if not wrong:
        shown = ", ".join(f"{name} {_version(name)}" for name in ("mlflow", "papermill", "ipython", "pandas"))
        yield Check("packages", CheckStatus.OK, shown)


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _kernel() -> Check:
    version = _version("ipykernel")
    if version is None:
        return Check("kernel", CheckStatus.BLOCKER, "ipykernel is missing", "pip install ipykernel")
    return Check("kernel", CheckStatus.OK, f"ipykernel {version}: steps run in this Python")


def _git(root: Path) -> Check:
    if shutil.which("git") is None:
        return Check("git", CheckStatus.WARNING, "git is missing", "install git, so that runs know their commit")
    if not any((folder / ".git").exists() for folder in (root, *root.parents)):
        return Check(
            "git", CheckStatus.WARNING, "the project is no repository", "git init, so that runs know their commit"
        )
    return Check("git", CheckStatus.OK, "runs record their commit")


def _disk(root: Path) -> Check:
    free = shutil.disk_usage(root).free
    found = f"{free / 1e9:.1f} GB free"
    if not os.access(root, os.W_OK):
        return Check(
            "disk", CheckStatus.BLOCKER, f"{root} is not writable", "make it writable or work in another folder"
        )
    if free < MIN_FREE_BYTES:
        return Check(
            "disk", CheckStatus.WARNING, found, "free some space: rm -r .nbmlops/store makes the next run start anew"
        )
    return Check("disk", CheckStatus.OK, found)


def _configuration(config: Config) -> Check:
    if not config.file:
        advice = "write nbmlops.toml with gate rules before you register a model (docs/how-to/gate.md)"
        return Check("configuration", CheckStatus.WARNING, "no nbmlops.toml: defaults hold, no gate rules", advice)
    names = pipeline_names(config.root)
    rules = {name: len(config.for_pipeline(name).policy.rules) for name in names}
    without = [name for name, count in rules.items() if not count]
    if without or not (names or config.for_pipeline("").policy.rules):
        whose = f"no gate rules for {', '.join(without)}" if without else "no gate rules"
        return Check(
            "configuration",
            CheckStatus.WARNING,
            f"{config.file}: {whose}",
            "add [[gate.rules]]: without one nothing is registered",
        )
    return Check("configuration", CheckStatus.OK, f"{config.file} is valid")


def _uris(root: Path, config: Config) -> list[str]:
    return sorted({tracking_uri(root, config.for_pipeline(name)) for name in pipeline_names(root) or ("",)})


def _leftovers(root: Path, config: Config) -> Iterator[Check]:
    """Yields what killed processes have left behind: one check of each kind where there is nothing."""
    try:
        uris = _uris(root, config)
    except NbmlopsError:  # told of the store
        uris = []
    kinds = (
        ("runs", killed_runs(root, uris), "none was killed"),
        ("spool", waiting_spools(root), "nothing waits to be sent"),
        ("leases", leftover_leases(root, uris), "none was left behind"),
    )
    for name, found, nothing in kinds:
        left = list(found)
        if not left:
            yield Check(name, CheckStatus.OK, nothing)
        for one in left[:MOST_LEFTOVERS]:
            yield Check(name, CheckStatus.WARNING if one.advice else CheckStatus.OK, one.found, one.advice)
        if len(left) > MOST_LEFTOVERS:
            yield Check(name, CheckStatus.WARNING, f"and {len(left) - MOST_LEFTOVERS} more", "the same helps")


def _stores(root: Path, config: Config) -> Iterator[Check]:
    try:
        uris = _uris(root, config)
    except NbmlopsError as error:
        yield Check("tracking store", CheckStatus.BLOCKER, error.message, error.hint)
        return
    for uri in uris:
        kind = urlsplit(uri).scheme
        check: Callable[[str], Check] = (
            _sqlite if kind == "sqlite" else _server if kind in {"http", "https"} else _other
        )
        yield check(uri)


def _sqlite(uri: str) -> Check:
    path = sqlite_path(uri)
    assert path is not None
    if not path.exists():
        return Check("tracking store", CheckStatus.OK, f"{path.name} will be made by the first run")
    try:
        check_sqlite_store(path, CONNECT_SECONDS)
    except NbmlopsError as error:
        return Check("tracking store", CheckStatus.BLOCKER, error.message, error.hint)
    return Check("tracking store", CheckStatus.OK, f"{path.name} is readable and writable")


def _server(uri: str) -> Check:
    parts = urlsplit(uri)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        with socket.create_connection((parts.hostname or "", port), timeout=CONNECT_SECONDS):
            return Check("tracking store", CheckStatus.OK, f"{shown_uri(uri)} answers")
    except OSError as error:
        advice = "start the server, or correct MLFLOW_TRACKING_URI or [tracking] uri"
        return Check("tracking store", CheckStatus.BLOCKER, f"{shown_uri(uri)} cannot be reached: {error}", advice)


def _other(uri: str) -> Check:
    advice = "use sqlite:///PATH or the address of an MLflow server"
    return Check("tracking store", CheckStatus.WARNING, f"{shown_uri(uri)}: not checked", advice)


def _ignored(root: Path) -> Check:
    missing = missing_entries(root)
    if missing:
        return Check(
            "gitignore", CheckStatus.WARNING, f"not ignored: {', '.join(missing)}", "add these lines to .gitignore"
        )
    return Check("gitignore", CheckStatus.OK, "what runs write is ignored")


def _panel() -> Check:
    missing = [name for name in _PANEL if _version(name) is None]
    if missing:
        advice = "for %mlops panel: pip install 'nbmlops[panel]'"
        return Check("panel", CheckStatus.WARNING, f"missing: {', '.join(missing)}", advice)
    return Check("panel", CheckStatus.OK, "%mlops panel can show itself live")
