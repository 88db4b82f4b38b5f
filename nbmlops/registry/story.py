"""The whole story of a run or a model version as plain records: from data and cells to run, version and transitions.

`nbmlops.registry.read_story` fills them from the stores; everything here is pure. Texts, JSON and the picture are made
from these records and from nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct, field

from nbmlops.core.digest import digest_bytes
from nbmlops.core.records import DataRecord
from nbmlops.gate.verdict import Verdict
from nbmlops.registry.audit import Action, AuditLine, read_log, waived_words
from nbmlops.registry.registry import (
    CHALLENGER,
    CHAMPION,
    FORMER_CHAMPION,
    PROMOTED_AT,
    PROMOTED_BY,
    PROMOTED_WHY,
    STAGE,
    SUPERSEDED,
    ModelVersion,
    staged,
)
from nbmlops.tracking.lineage import VERDICT_BASELINE
from nbmlops.tracking.provenance import Provenance
from nbmlops.tracking.tracker import RunFacts

"""The stages under their other name."""
_MOST_NAME = 60  # characters


def first_line(source: str) -> str:
    """Returns the first line of a cell that says something, without the mark of a comment; cut to size."""
    lines = (line.strip().lstrip("# ") for line in source.splitlines())
    line = next(filter(None, lines), "")
    return line if len(line) <= _MOST_NAME else f"{line[: _MOST_NAME - 1]}…"


class Trace(Struct, frozen=True):
    """What one step of a pipeline, or one cell of a notebook's own run, did.

    Attributes:
        name: The step's name, or the cell's id; "" where a cell has none.
        count: The execution count of a cell, 0 for steps.
        outcome: How it ended.
        seconds: How long it took.
        read: What it read: names of logged data, and files.
        wrote: Files that it made or changed.
        made: (name, fingerprint) of tables and arrays that it made or changed; fingerprint "" where there is none.
        used: (name, fingerprint) of those that it used, as they were before.
        source_sha256: Digest of a cell's source, or "".
    """

    name: str
    count: int
    outcome: str
    seconds: float
    read: tuple[str, ...] = ()
    wrote: tuple[str, ...] = ()
    made: tuple[tuple[str, str], ...] = ()
    used: tuple[tuple[str, str], ...] = ()
    source_sha256: str = ""


class GateStory(Struct, frozen=True):
    """What the gate said of a run.

    Attributes:
        passed: Its answer.
        summary: The same in one line.
        digest: Of the verdict's canonical body.
        verdict: The verdict rule by rule, None where it is not kept.
    """

    passed: bool
    summary: str
    digest: str
    verdict: Verdict | None = None


class RunStory(Struct, frozen=True):
    """Where a run comes from and what it did.

    Attributes:
        facts: The run as the tracking store has it.
        pipeline: Name of its pipeline or notebook.
        source: The notebook, or the folder of the compiled pipeline.
        commit: The commit it started from, "" where there was none.
        dirty: Whether tracked files differed from it; None where that is not known.
        notebook_digest: SHA-256 over what compiling reads of the notebook.
        pipeline_version: SHA-256 of the compiled pipeline, "" for a notebook's own run.
        python: Version of Python.
        platform: Operating system and machine.
        environment_digest: SHA-256 over Python, platform and the versions that count.
        reproducible: Whether a new run from top to bottom would end as this one, and why not, or "".
        data: Its inputs.
        checks: Schema -> "pass" or "fail".
        gate: What the gate said, None before it.
        traces: Steps or cells in the order of running.
        provenance: Cells, packages and git diff, None where they were not kept.
        parent: The run that it is a part of, as a point of a sweep is, or "".
    """

    facts: RunFacts
    pipeline: str = ""
    source: str = ""
    commit: str = ""
    dirty: bool | None = None
    notebook_digest: str = ""
    pipeline_version: str = ""
    python: str = ""
    platform: str = ""
    environment_digest: str = ""
    reproducible: str = ""
    data: tuple[DataRecord, ...] = ()
    checks: Mapping[str, str] = field(default_factory=dict)
    gate: GateStory | None = None
    traces: tuple[Trace, ...] = ()
    provenance: Provenance | None = None
    parent: str = ""

    @property
    def is_notebook(self) -> bool:
        """Whether it is a notebook's own run, not one of a compiled pipeline."""
        return self.source.endswith(".ipynb")

    @property
    def trace_names(self) -> tuple[str, ...]:
        """What people call the traces: a step by its name, a cell by its first line, else by the start of its id."""
        if not self.is_notebook:
            return tuple(trace.name for trace in self.traces)
        cells = self.provenance.cells if self.provenance is not None else ()
        # By digest: what ran earlier under the same id may have been another text.
        lines: dict[str, str] = {
            digest_bytes(cell.source.encode("utf-8", "backslashreplace")): first_line(cell.source) for cell in cells
        }
        return tuple(lines.get(trace.source_sha256) or trace.name[:8] for trace in self.traces)


class HistoryLine(Struct, frozen=True):
    """One change of what a version is.

    Attributes:
        at: When (ISO 8601, UTC), "" where it is not known.
        what: What happened, as a phrase: "registered", "became champion (Production)".
        who: Who did it, or "".
        why: The reason given, or "".
    """

    at: str
    what: str
    who: str = ""
    why: str = ""


class LaterVersion(Struct, frozen=True):
    """A later version that has to do with this one, and how: "took over from it as champion"."""

    version: str
    how: str


class VersionStory(Struct, frozen=True):
    """What a model version is and became.

    Attributes:
        version: The version as the registry has it.
        stage: "champion", "challenger", "archived", "superseded", or "".
        metrics: Those that it was registered with.
        transitions: Oldest first.
        later: Later versions that took over from it or were judged against it.
    """

    version: ModelVersion
    stage: str
    metrics: Mapping[str, float]
    transitions: tuple[HistoryLine, ...]
    later: tuple[LaterVersion, ...] = ()


class Story(Struct, frozen=True):
    """The story of a run, or of a version and its run.

    Attributes:
        run: The run, None where a version names none or it is gone.
        version: The version, None for the story of a run.
        made: Versions of any model that the run made.
        notes: What could not be read, as sentences.
    """

    run: RunStory | None
    version: VersionStory | None = None
    made: tuple[ModelVersion, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        """What it is the story of."""
        if self.version is not None:
            return f"{self.version.version.name} version {self.version.version.version}"
        assert self.run is not None
        facts = self.run.facts
        return f"run {facts.name or facts.run_id[:8]}"


def history_of(version: ModelVersion, others: Sequence[ModelVersion], created: str) -> tuple[HistoryLine, ...]:
    """Returns what became of a version, oldest first: by the audit log, or by tags where the log has no line of it.

    Args:
        version: The version.
        others: All versions of the model.
        created: When it was registered (ISO 8601, UTC), or "".
    """
    lines = [line for line in read_log(None, others).lines if _concerns(line, version.version)]
    told = tuple(
        HistoryLine(line.when, what, line.who, line.reason) for line in lines for what in _what(line, version.version)
    )
    registered = any(line.action is Action.REGISTER for line in lines)
    if registered:
        return told
    return (HistoryLine(created, "registered"), *(told or _by_tags(version, others, created)))


def _concerns(line: AuditLine, number: str) -> bool:
    return number == line.version or number in {*line.aliases.values(), *line.before.values()}


def _what(line: AuditLine, number: str) -> Iterator[str]:
    """Yields what a line of the log means for one version."""
    if line.action is Action.REGISTER and line.version == number:
        yield f"registered{f', waived: {waived_words(line)}' if line.waived else ''}"
    if line.action is Action.ABANDON:
        yield "a promotion of it was given up" if line.version == number else "a promotion in its place was given up"
        return
    back = line.action is Action.ROLLBACK
    for alias, now in line.aliases.items():
        before = line.before.get(alias, "")
        if now == number and before != number:
            over = f", taking over from version {before}" if before else ""
            yield f"became {staged(alias)}{' again' if back else ''}{over}"
        elif before == number and now != number and number not in line.aliases.values():
            after = f": version {now} {'is it again' if back else 'took over'}" if now else ""
            yield f"{'rolled back' if back and now else 'no longer'} {staged(alias)}{after}"
    if line.action is Action.ARCHIVE and line.version == number:
        yield "archived"


def _by_tags(version: ModelVersion, others: Sequence[ModelVersion], created: str) -> tuple[HistoryLine, ...]:
    """Returns the same of versions from before there was a log."""
    tags = version.tags
    found: list[HistoryLine] = []
    if PROMOTED_AT in tags:
        former = tags.get(FORMER_CHAMPION, "")
        over = f", taking over from version {former}" if former else ""
        what = f"became {staged(CHAMPION)}{over}"
        found.append(HistoryLine(tags[PROMOTED_AT], what, tags.get(PROMOTED_BY, ""), tags.get(PROMOTED_WHY, "")))
    elif tags.get(STAGE) in {CHALLENGER, SUPERSEDED}:
        found.append(HistoryLine(created, f"became {staged(CHALLENGER)}"))
    for other in others:
        if other.tags.get(FORMER_CHAMPION) == version.version and other.version != version.version:
            who, when = other.tags.get(PROMOTED_BY, ""), other.tags.get(PROMOTED_AT, "")
            found.append(HistoryLine(when, f"archived: version {other.version} became champion", who))
    if tags.get(STAGE) == SUPERSEDED:
        found.append(HistoryLine("", "superseded as challenger by a later version"))
    # What has no time happened last; of equal times the order above is that of events.
    return tuple(sorted(found, key=lambda one: one.at or "9"))


def later_versions(version: ModelVersion, others: Sequence[ModelVersion]) -> tuple[LaterVersion, ...]:
    """Returns the versions that came out of this one, oldest first: those that took over, those judged against it.

    Args:
        version: The version.
        others: All versions of its model, newest first.
    """
    found = []
    judged = f"{version.name} version {version.version}"  # as the gate's baselines are called
    for other in reversed(others):
        if int(other.version) <= int(version.version):
            continue
        if other.tags.get(FORMER_CHAMPION) == version.version:
            found.append(LaterVersion(other.version, "took over from it as champion"))
        elif other.tags.get(VERDICT_BASELINE) == judged:
            found.append(LaterVersion(other.version, "was judged against it"))
    return tuple(found)
