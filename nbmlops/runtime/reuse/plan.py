"""Decides, from facts alone, whether a step's result can be reused, and says why not. No effects here."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import PurePath

from msgspec import Struct, field
from msgspec.structs import asdict

from nbmlops.core.digest import digest_json
from nbmlops.core.errors import UsageError
from nbmlops.pipeline.graph import descendants
from nbmlops.pipeline.ir import Pipeline, Step
from nbmlops.runtime.reuse.records import CacheRecord, KeyParts
from nbmlops.runtime.steps.listings import Listing, Question

KEY_SCHEMA = "nbmlops/step-key/1"
UNCHANGED = "unchanged"
_SHOWN_REASONS = 3


class Grounds(Struct, frozen=True):
    """What a record depends on besides its key, as it is now.

    Attributes:
        files: Digest of each file the record says it read.
        libraries: Versions of the distributions the record says it used; absent ones are not installed.
        random: Digest of the random state the step would begin with.
        missing_files: Files it made that are gone.
        missing_values: Names whose stored values are gone.
        root: The project's root, which paths in reasons are relative to; "" leaves them as they are recorded.
        listings: The answer to each question about which files exist that the record says it asked.
        variables: Digest of each environment variable the record says it read.
        settings: Identity of each part of the ambient state that the record says it could see.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    libraries: Mapping[str, str] = field(default_factory=dict)
    random: str = ""
    missing_files: tuple[str, ...] = ()
    missing_values: tuple[str, ...] = ()
    root: str = ""
    listings: Mapping[Listing, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)


def step_key(step: str, parts: KeyParts) -> str:
    """Returns the key: SHA-256 over the step's name and everything that is known before it runs."""
    return digest_json({"schema": KEY_SCHEMA, "step": step, **asdict(parts)})


def part_changes(now: KeyParts, before: KeyParts) -> tuple[str, ...]:
    """Returns what differs between two keys, as reasons for a person."""
    reasons = ["code changed"] if now.code != before.code else []
    reasons += [f"{path} was edited" for path in _different(now.edited, before.edited)]
    reasons += [f"parameter {name} changed" for name in _different(now.parameters, before.parameters)]
    reasons += [f"input {name} changed" for name in _different(now.inputs, before.inputs)]
    return (*reasons, *_environment_changes(now.environment, before.environment))


def ground_changes(record: CacheRecord, now: Grounds) -> tuple[str, ...]:
    """Returns why the record cannot be reused although its key is the right one; nothing if it can."""
    outcome = record.outcome
    recorded = {path: state.digest for path, state in outcome.files.items()}
    reasons = [f"file changed: {_shown(path, now.root)}" for path in _different(now.files, recorded)]
    asked = [ask for ask in sorted(outcome.listings) if now.listings.get(ask) != outcome.listings[ask]]
    reasons += [_other_answer(ask, outcome.listings[ask], now.listings.get(ask, "")) for ask in asked]
    reasons += [f"the variable {name} changed" for name in _different(now.variables, outcome.variables)]
    reasons += _environment_changes(now.libraries, record.libraries)
    if outcome.random_used and outcome.random_before != now.random:
        reasons.append("the state of the random generators changed")
    reasons += [f"{part} changed" for part in _different(now.settings, outcome.settings_before)]
    reasons += [f"file is gone: {_shown(path, now.root)}" for path in now.missing_files]
    reasons += [f"stored value of {name} is gone" for name in now.missing_values]
    if outcome.unkeyable:
        reasons.append(f"never reused: {outcome.unkeyable}")
    return tuple(reasons)


def why(now: KeyParts, latest: CacheRecord | None, ground: tuple[str, ...]) -> str:
    """Returns why a step runs, as one line.

    Args:
        now: What it is keyed by.
        latest: The latest record of the step.
        ground: Changes of the ground of the nearest record.
    """
    if latest is None:
        return "new"
    reasons = part_changes(now, latest.parts) if latest.key else ()
    reasons = tuple(dict.fromkeys((*reasons, *ground)))
    if not reasons:
        return "new"
    more = len(reasons) - _SHOWN_REASONS
    return "; ".join(reasons[:_SHOWN_REASONS]) + (f"; and {more} more" if more > 0 else "")


class Selection(Struct, frozen=True):
    """Which steps a run is about.

    Attributes:
        steps: Steps to reach, in notebook order.
        forced: Names of those to execute even if they are cached.
    """

    steps: tuple[Step, ...]
    forced: frozenset[str]


def select_only(pipeline: Pipeline, only: Sequence[str], *, force: bool) -> Selection:
    """Returns the steps of a run that executes some steps and no others: those, and all that stand before them.

    Args:
        pipeline: The pipeline.
        only: The steps to execute.
        force: Execute them even if they are cached.

    Raises:
        UsageError: a step is not known.
    """
    _check_known(pipeline, only)
    last = max(number for number, step in enumerate(pipeline.steps) if step.name in only)
    return Selection(pipeline.steps[: last + 1], frozenset(only) if force else frozenset())


def select(pipeline: Pipeline, first: str, last: str, *, force: bool) -> Selection:
    """Returns the steps of a run.

    Args:
        pipeline: The pipeline.
        first: Execute this step and those that need it; "" for none.
        last: Stop after this step; "" for the last one.
        force: Execute every step.

    Raises:
        UsageError: a step is not known, or `last` stands before `first`.
    """
    names = [step.name for step in pipeline.steps]
    _check_known(pipeline, filter(None, (first, last)))
    if first and last and names.index(last) < names.index(first):
        raise UsageError(f"step {last!r} stands before step {first!r}", "name the earlier step first")
    steps = pipeline.steps[: names.index(last) + 1] if last else pipeline.steps
    if force:
        return Selection(steps, frozenset(names))
    return Selection(steps, frozenset({first} | descendants(pipeline, first)) if first else frozenset())


def _check_known(pipeline: Pipeline, wanted: Iterable[str]) -> None:
    names = [step.name for step in pipeline.steps]
    for name in wanted:
        if name not in names:
            near = get_close_matches(name[:200], names, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"its steps are: {', '.join(names)}"
            raise UsageError(f"{name!r:.80} is not a step of the pipeline {pipeline.name!r}", hint)


def _other_answer(ask: Listing, before: str, now: str) -> str:
    path = PurePath(ask.folder, ask.pattern).as_posix()
    if ask.question is not Question.KIND:
        return f"other files match {path}"
    return f"{path} is gone" if not now else f"{path} is a {now} now" if before else f"{path} is there now"


def _different(now: Mapping[str, str], before: Mapping[str, str]) -> Iterator[str]:
    for name in sorted({*now, *before}):
        if now.get(name) != before.get(name):
            yield name


def _shown(path: str, root: str) -> str:
    """Returns a recorded path, which is absolute outside of the project, as seen from the project's root."""
    return PurePath(os.path.relpath(path, root)).as_posix() if root and PurePath(path).is_absolute() else path


def _environment_changes(now: Mapping[str, str], before: Mapping[str, str]) -> list[str]:
    return [
        f"environment changed: {name} {before.get(name, 'absent')} -> {now.get(name, 'absent')}"
        for name in _different(now, before)
    ]
