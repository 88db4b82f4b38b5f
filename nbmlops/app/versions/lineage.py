"""Where a run or a model version comes from, and what was made from some data or a commit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from msgspec import Struct

from nbmlops.app.config.config import load_config
from nbmlops.app.data.diff import project_versions
from nbmlops.app.project import find_root, pipeline_names
from nbmlops.app.versions.promote import parse_model, store_of
from nbmlops.app.wiring import Opener, Readable, open_existing, tracking_uri
from nbmlops.core.errors import UsageError
from nbmlops.core.git import ask_git
from nbmlops.registry.promote import find_version
from nbmlops.registry.read_story import find_run, read_run_story, read_story
from nbmlops.registry.registry import CHAMPION, ModelRegistry, ModelVersion
from nbmlops.registry.story import Story
from nbmlops.tracking.lineage import GIT_COMMIT
from nbmlops.tracking.tracker import RunFacts, RunQuery, Tracker

_RUN = re.compile(r"[0-9a-f]{4,32}")
_HEX = re.compile(r"[0-9a-f]{4,64}")
_MOST_SHOWN = 5
_LOOKED_THROUGH = 300
DVC_HASH = "dvc_data_hash"


class MadeRun(Struct, frozen=True):
    """A run, and the versions that it made."""

    facts: RunFacts
    versions: tuple[ModelVersion, ...]


class Made(Struct, frozen=True):
    """What was made from some data or a commit.

    Attributes:
        source: From what, in words: "data flights (…)", "commit 1a2b3c4".
        digests: The fingerprints or the commit that were looked for.
        runs: The runs, newest first, with their versions.
    """

    source: str
    digests: tuple[str, ...]
    runs: tuple[MadeRun, ...]


def lineage_of(text: str, cwd: Path, opener: Opener = open_existing) -> Story:
    """Returns the story of a model version or of a run.

    Args:
        text: `MODEL` (its champion, else its newest version), `MODEL@alias`, `MODEL/version`, or a run's id or the
            beginning of one; "" for the only model of the project.
        cwd: A folder of the project.
        opener: Opens the stores.

    Raises:
        UsageError: there is no such model, version, alias or run; the message has the nearest names.
        ConfigError: the configuration is malformed.
        EnvironmentFault: a store cannot be used.
    """
    root = find_root(cwd)
    name, selector = parse_model(text, "") if text else ("", "")
    stores = opener(root, store_of(root, name, cwd))
    if not text:
        name = _only_model(stores.registry)
    if not selector and _RUN.fullmatch(name) and name not in stores.registry.names():
        return read_run_story(stores.registry, stores.tracker, find_run(stores.tracker, name))
    version = find_version(stores.registry, name, selector or _standard(stores.registry, name))
    return read_story(stores.registry, stores.tracker, version)


def _standard(registry: ModelRegistry, name: str) -> str:
    """Returns the selector of the version that is live, else of the newest one."""
    if registry.aliased(name, CHAMPION) is not None:
        return CHAMPION
    versions = registry.versions(name)
    return versions[0].version if versions else CHAMPION


def _only_model(registry: ModelRegistry) -> str:
    names = registry.names()
    if len(names) == 1:
        return names[0]
    if not names:
        raise UsageError("no model is registered yet", "name a run: nbmlops runs lists them")
    raise UsageError("several models are registered", f"name one of them: {', '.join(names[:10])}")


def made_from_data(text: str, cwd: Path, opener: Opener = open_existing) -> Made:
    """Returns the runs and versions that were made from some data.

    Args:
        text: A fingerprint or its beginning, a DVC hash, a file, or a logged name (`NAME`, `NAME~1`, `RUN:NAME`).
        cwd: The folder that paths count from, in the project.
        opener: Opens the stores.

    Raises:
        UsageError: there is no such data, or no run was made from it; the message has the nearest names.
        ConfigError: the configuration is malformed.
        EnvironmentFault: a file or a store cannot be read.
    """
    stores = _project_stores(cwd, opener)
    path = cwd / text
    if path.exists():
        return _made(stores, f"data {text}", _digests_of(path), f"no run has read {text} as it is now")
    if _HEX.fullmatch(text):
        find = stores.tracker.find_runs
        runs = find(RunQuery(data=text)) or find(RunQuery(tags={DVC_HASH: text}))
        if runs:
            return Made(f"data {text}", (text,), _with_versions(stores, runs))
        raise UsageError(*_unknown_data(stores.tracker, text))
    try:
        digest = project_versions(cwd).find(text).digest
    except UsageError as error:
        raise UsageError(*_unknown_data(stores.tracker, text)) from error
    return _made(stores, f"data {text}", (digest,), f"no run has read {text}")


def _digests_of(path: Path) -> tuple[str, ...]:
    """Returns the fingerprints that a run may have logged of a file: of its bytes, and of the frame in it."""
    from nbmlops.data.describe import describe  # noqa: PLC0415  # most questions are about no file
    from nbmlops.data.reading import read_frame  # noqa: PLC0415  # likewise

    frame = read_frame(path) if path.is_file() else None
    values = (path,) if frame is None else (path, frame)
    return tuple(describe(value, "data").digest for value in values)


def _made(stores: Readable, source: str, digests: Sequence[str], nothing: str) -> Made:
    found = {run.run_id: run for digest in digests for run in stores.tracker.find_runs(RunQuery(data=digest))}
    if not found:
        raise UsageError(f"{nothing} (fingerprint {digests[0]})", f"logged data: {_data_names(stores.tracker)}")
    newest = sorted(found.values(), key=lambda run: -run.started)
    return Made(source, tuple(digests), _with_versions(stores, newest))


def _with_versions(stores: Readable, runs: Sequence[RunFacts]) -> tuple[MadeRun, ...]:
    versions = stores.registry.of_runs([run.run_id for run in runs])
    return tuple(MadeRun(run, tuple(one for one in versions if one.run_id == run.run_id)) for run in runs)


def _unknown_data(tracker: Tracker, text: str) -> tuple[str, str]:
    """Returns what to say of data that no run knows, and what may be meant."""
    runs = tracker.find_runs(RunQuery(most=_LOOKED_THROUGH))
    logged = {name: digest for run in runs for name, digest in run.data.items()}
    near = get_close_matches(text, [*logged, *(digest[: len(text)] for digest in logged.values())], n=1)
    shown = ", ".join(f"{name} ({digest[:8]})" for name, digest in list(logged.items())[:_MOST_SHOWN]) or "none"
    hint = f"did you mean {near[0]!r}?" if near else "give a fingerprint, a file, or the name that data was logged as"
    return f"no run was made from data {text!r}; logged data: {shown}", hint


def _data_names(tracker: Tracker) -> str:
    names = {name for run in tracker.find_runs(RunQuery(most=_LOOKED_THROUGH)) for name in run.data}
    return ", ".join(sorted(names)[:_MOST_SHOWN]) or "none"


def made_from_commit(text: str, cwd: Path, opener: Opener = open_existing) -> Made:
    """Returns the runs and versions that were made from a commit.

    Args:
        text: A commit's id or its beginning, or what git knows it as: a branch, a tag, `HEAD~1`.
        cwd: A folder of the project.
        opener: Opens the stores.

    Raises:
        UsageError: git knows no such commit, or no run was made from it; the message has the newest commits of runs.
        ConfigError: the configuration is malformed.
        EnvironmentFault: a store cannot be read.
    """
    stores = _project_stores(cwd, opener)
    commit = text.lower()
    runs = stores.tracker.find_runs(RunQuery(commit=commit)) if _HEX.fullmatch(commit) else ()
    if not runs:
        known = ask_git(find_root(cwd), "rev-parse", "--verify", "--quiet", "--end-of-options", f"{text}^{{commit}}")
        commit = (known or "").strip()
        runs = stores.tracker.find_runs(RunQuery(commit=commit)) if commit else ()
    if runs:
        return Made(f"commit {runs[0].tags[GIT_COMMIT]}", (runs[0].tags[GIT_COMMIT],), _with_versions(stores, runs))
    newest = stores.tracker.find_runs(RunQuery(most=_LOOKED_THROUGH))
    commits = list(dict.fromkeys(run.tags[GIT_COMMIT][:10] for run in newest if GIT_COMMIT in run.tags))
    near = get_close_matches(text, [one[: max(len(text), 4)] for one in commits], n=1)
    shown = f"commits that runs were made from: {', '.join(commits[:_MOST_SHOWN]) or 'none'}"
    unknown = f"git knows no commit {text!r}, and no run names it"
    raise UsageError(
        f"no run was made from commit {commit[:10]}" if commit else unknown,
        f"did you mean {near[0]!r}?" if near else shown,
    )


def _project_stores(cwd: Path, opener: Opener) -> Readable:
    root = find_root(cwd)
    config = load_config(root)
    names = pipeline_names(root)
    # With one pipeline its store is meant, else that of the project.
    settings = config.for_pipeline(names[0] if len(names) == 1 else "")
    return opener(root, tracking_uri(root, settings))
