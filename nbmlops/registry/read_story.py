"""Reading stories from the tracking store and the registry. What cannot be read is told in a note, never left out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any

from msgspec.structs import replace

from nbmlops.core.diagnostics import Json
from nbmlops.core.errors import EnvironmentFault, UsageError
from nbmlops.gate.verdict import Verdict, verdict_digest, verdict_from_json
from nbmlops.pipeline.run_codec import run_from_json
from nbmlops.registry.audit import moved_by_others, read_log
from nbmlops.registry.baseline import metrics_from_tag
from nbmlops.registry.registry import CHALLENGER, CHAMPION, METRICS, STAGE, ModelRegistry, ModelVersion
from nbmlops.registry.story import (
    GateStory,
    RunStory,
    Story,
    Trace,
    VersionStory,
    history_of,
    later_versions,
)
from nbmlops.tracking import lineage as tags_of
from nbmlops.tracking.cells import CELLS_FILE
from nbmlops.tracking.provenance import PROVENANCE_FILE, provenance_from_json
from nbmlops.tracking.tracker import RunFacts, RunQuery, Tracker

VERDICT_FILE = "verdict.json"
RUN_FILE = "run.json"
_SOURCE = "mlflow.source.name"
_PARENT = "mlflow.parentRunId"
_MOST_SHOWN = 5
_WHOLE_ID = 32


def read_story(registry: ModelRegistry, tracker: Tracker, version: ModelVersion) -> Story:
    """Returns the story of a version and of the run that made it.

    Args:
        registry: Where the version is.
        tracker: Where its run is.
        version: The version.

    Raises:
        EnvironmentFault: a store cannot be used.
    """
    others = registry.versions(version.name)
    entry = registry.entry(version.name)
    log = read_log(entry, others)
    moved = [moved_by_others(log, entry, alias) for alias in (CHAMPION, CHALLENGER) if alias in version.aliases]
    notes = tuple(filter(None, moved))
    own = VersionStory(
        version=version,
        stage=version.tags.get(STAGE, ""),
        metrics=metrics_from_tag(version.tags.get(METRICS, "")) or {},
        transitions=history_of(version, others, when(version.created)),
        later=later_versions(version, others),
    )
    run_id = version.tags.get(tags_of.RUN_ID, version.run_id)
    if not run_id:
        return Story(None, own, notes=(*notes, "the version names no run: it was not registered by nbmlops"))
    try:
        facts = tracker.run_facts(run_id)
    except UsageError as error:
        return Story(None, own, notes=(*notes, f"its run cannot be read: {error.message}"))
    story = read_run_story(registry, tracker, facts)
    assert story.run is not None
    notes = (*notes, *story.notes)
    gate = _gate(version.tags, None)
    if gate is None or (story.run.gate is not None and story.run.gate.digest == gate.digest):
        return Story(story.run, own, story.made, notes)
    # What let the version in is told, not what somebody made of its run later.
    run = replace(story.run, gate=gate)
    return Story(run, own, story.made, (*notes, "its run was judged again later; the verdict is the version's own"))


def read_run_story(registry: ModelRegistry, tracker: Tracker, facts: RunFacts) -> Story:
    """Returns the story of a run.

    Args:
        registry: Where the versions are that it made.
        tracker: Where it is.
        facts: The run.

    Raises:
        EnvironmentFault: a store cannot be used.
    """
    documents = _Documents(tracker, facts.run_id)
    tags = facts.tags
    gate = _gate(tags, documents.read(VERDICT_FILE))
    dirty = tags.get(tags_of.GIT_DIRTY)
    run = RunStory(
        facts=facts,
        pipeline=tags.get(tags_of.PIPELINE, ""),
        source=tags.get(_SOURCE, ""),
        commit=tags.get(tags_of.GIT_COMMIT, ""),
        dirty=None if dirty is None else dirty == "true",
        notebook_digest=tags.get(tags_of.NOTEBOOK_DIGEST, ""),
        pipeline_version=tags.get(tags_of.PIPELINE_VERSION, ""),
        python=tags.get(tags_of.PYTHON, ""),
        platform=tags.get(tags_of.PLATFORM, ""),
        environment_digest=tags.get(tags_of.ENVIRONMENT_DIGEST, ""),
        reproducible=tags.get(tags_of.REPRODUCIBLE, ""),
        data=tracker.run_data(facts.run_id),
        checks={
            name.removeprefix(tags_of.CHECK): said for name, said in tags.items() if name.startswith(tags_of.CHECK)
        },
        gate=gate,
        traces=_steps(documents.read(RUN_FILE)) or _cells(documents.read(CELLS_FILE)),
        provenance=provenance_from_json(documents.read(PROVENANCE_FILE)),
        parent=tags.get(_PARENT, ""),
    )
    made = registry.of_runs((facts.run_id,))
    return Story(run, made=made, notes=tuple(documents.notes))


class _Documents:
    """The JSON documents of one run; a place that cannot be read is told once."""

    def __init__(self, tracker: Tracker, run_id: str) -> None:
        self._tracker, self._run_id = tracker, run_id
        self.notes: list[str] = []

    def read(self, name: str) -> Mapping[str, Json] | None:
        """Returns the document, None where there is none or it cannot be read."""
        if self.notes:
            return None
        try:
            return self._tracker.read_document(self._run_id, name)
        except (EnvironmentFault, UsageError) as error:
            self.notes.append(f"the artifacts of the run cannot be read: {error.message}")
            return None


def _gate(tags: Mapping[str, str], document: Mapping[str, Json] | None) -> GateStory | None:
    if tags_of.VERDICT not in tags:
        return None
    verdict: Verdict | None = None
    if document is not None:
        try:
            verdict = verdict_from_json(document)
        except UsageError:  # of another version of nbmlops: the summary is in the tags
            verdict = None
    digest = tags.get(tags_of.VERDICT_DIGEST, "")
    if verdict is not None and verdict_digest(verdict) != digest:
        verdict = None
    return GateStory(tags[tags_of.VERDICT] == "pass", tags.get(tags_of.VERDICT_SUMMARY, ""), digest, verdict)


def _steps(document: Mapping[str, Json] | None) -> tuple[Trace, ...]:
    """Returns what the steps of a pipeline did, by its run document."""
    if document is None:
        return ()
    try:
        record = run_from_json(document, RUN_FILE)
    except UsageError:  # of another version of nbmlops
        return ()
    return tuple(
        Trace(
            step.name,
            0,
            step.status.value,
            step.seconds,
            tuple(dict.fromkeys((*(data.name for data in step.log.data), *step.files))),
        )
        for step in record.steps
    )


def _cells(document: Mapping[str, Any] | None) -> tuple[Trace, ...]:
    """Returns what the cells of a notebook did, by the document of its session."""
    runs = document.get("runs") if document is not None else None
    if not isinstance(runs, list):
        return ()
    return tuple(
        Trace(
            name=str(run.get("cell", "")),
            count=int(run.get("count", 0)),
            outcome=str(run.get("outcome", "")),
            seconds=float(run.get("seconds", 0.0)),
            read=tuple(map(str, run.get("read", ()))),
            wrote=tuple(map(str, run.get("wrote", ()))),
            made=tuple((name, str(seen.get("digest", ""))) for name, seen in dict(run.get("made", {})).items()),
            used=tuple((name, str(digest)) for name, digest in dict(run.get("used", {})).items()),
            source_sha256=str(run.get("source_sha256", "")),
        )
        for run in runs
        if isinstance(run, dict)
    )


def when(milliseconds: int) -> str:
    """Returns a time in milliseconds since 1970 as ISO 8601 in UTC, "" for 0."""
    if not milliseconds:
        return ""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds")


def find_run(tracker: Tracker, text: str) -> RunFacts:
    """Returns the run whose id is, or begins with, a text.

    Args:
        tracker: Where.
        text: At least four hexadecimal digits.

    Raises:
        UsageError: there is no such run, or there are several.
        EnvironmentFault: the store cannot be used.
    """
    if len(text) == _WHOLE_ID:
        found: tuple[RunFacts, ...] = tracker.find_runs(RunQuery(beginning=text, most=1))
    else:
        found = tracker.find_runs(RunQuery(beginning=text, most=_MOST_SHOWN + 1))
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(facts.run_id[: len(text) + 4] for facts in found)
        raise UsageError(f"the ids of several runs begin with {text!r}: {ids}", "give more of its digits")
    known = tracker.find_runs(RunQuery(most=200))
    near = get_close_matches(text, [facts.run_id[: max(len(text), 8)] for facts in known], n=1)
    newest = ", ".join(f"{facts.run_id[:8]} ({facts.name})" for facts in known[:_MOST_SHOWN]) or "none"
    hint = f"did you mean {near[0]!r}?" if near else "list them: nbmlops runs"
    raise UsageError(f"there is no run {text!r}; the newest: {newest}", hint)
