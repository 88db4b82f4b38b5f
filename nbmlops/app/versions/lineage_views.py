"""How a story, and what was made from data or a commit, show themselves: sentences, tables and the picture."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from nbmlops.app.show.cards import Card, Table
from nbmlops.app.show.views import View, verdict_table
from nbmlops.app.versions.lineage import Made
from nbmlops.app.versions.lineage_picture import draw_story
from nbmlops.gate.numerals import show_number
from nbmlops.registry.read_story import when
from nbmlops.registry.registry import ModelVersion, staged
from nbmlops.registry.story import RunStory, Story, Trace, VersionStory

MOST_ROWS = 60


class LineageView(View, Struct, frozen=True):
    """The story of a run or a model version."""

    story: Story

    def card(self) -> Card:
        """Returns the story: what it is now, its history, where it comes from, and the picture."""
        story = self.story
        title = story.subject
        if story.version is not None:
            version = story.version
            said = [staged(version.stage)] if version.stage else []
            aliases = [alias for alias in version.version.aliases if alias != version.stage]
            said += [f"alias {', '.join(aliases)}"] if aliases else []
            title = f"{title}: {', '.join(said)}" if said else title
        tables = tuple(table for table in _tables(story) if table.rows)
        return Card("LINEAGE", title, tables, tuple(_notes(story)), (draw_story(story),))


def _tables(story: Story) -> Iterator[Table]:
    if story.version is not None:
        yield _history(story.version)
    if story.run is not None:
        yield from _run_tables(story.run)
    if story.version is not None:
        rows = tuple((one.version, one.how) for one in story.version.later)
        yield Table("later versions", ("version", "how"), rows)
    else:
        yield Table("versions that it made", ("version", "aliases"), tuple(map(_version_row, story.made)))


def _history(version: VersionStory) -> Table:
    rows = tuple((shown_time(one.at), one.what, one.who, one.why) for one in version.transitions)
    return Table("history", ("when", "what", "who", "why"), rows)


def _run_tables(run: RunStory) -> Iterator[Table]:
    yield Table("where it comes from", ("fact", "value"), tuple((name, text) for name, text in _facts(run) if text))
    data = tuple(
        (
            record.name,
            record.kind,
            f"{record.rows:,}" if record.rows >= 0 else "",
            record.digest,
            ", ".join(f"{name} {text}" for name, text in record.version.items()),
        )
        for record in run.data
    )
    yield Table("data", ("name", "kind", "rows", "fingerprint", "version"), data)
    named = zip(run.trace_names, run.traces[:MOST_ROWS], strict=False)
    traces = tuple(_trace_row(name, trace, cell=run.is_notebook) for name, trace in named)
    head = ("outcome", "seconds", "read", "used", "made", "wrote")
    if run.is_notebook:
        yield Table("cells, in the order of running", ("run", "cell", *head), traces)
    else:
        yield Table("steps", ("step", *head[:3]), traces)
    yield Table("parameters", ("name", "value"), tuple(run.facts.params.items())[:MOST_ROWS])
    metrics = tuple((name, show_number(value)) for name, value in run.facts.metrics.items())
    yield Table("metrics", ("name", "value"), metrics[:MOST_ROWS])
    yield Table("schema checks", ("schema", "outcome"), tuple(run.checks.items()))
    if run.gate is not None and run.gate.verdict is not None:
        yield verdict_table(f"gate: {run.gate.summary}, against {run.gate.verdict.baseline}", run.gate.verdict)


def _facts(run: RunStory) -> Iterator[tuple[str, str]]:
    facts, provenance = run.facts, run.provenance
    yield "run", f"{facts.run_id} ({facts.name})" if facts.name else facts.run_id
    yield "experiment", facts.experiment
    ended = f" to {shown_time(when(facts.ended))}" if facts.ended else ""
    yield "time", f"{shown_time(when(facts.started))}{ended}, {facts.state.value.lower()}"
    yield "part of run", run.parent
    yield "git commit", _commit(run)
    yield ("notebook" if run.is_notebook else "pipeline"), run.source
    yield "pipeline version", run.pipeline_version
    if provenance is not None:
        yield "cells", f"{len(provenance.cells)} code cells of {provenance.notebook}" if provenance.cells else ""
    yield "notebook digest", run.notebook_digest
    packages = f", {len(provenance.packages)} packages" if provenance is not None else ""
    yield "environment", f"Python {run.python} on {run.platform}{packages}" if run.python else ""
    yield "environment digest", run.environment_digest
    yield "reproducible", run.reproducible
    if run.gate is not None and run.gate.verdict is None:
        yield "gate", run.gate.summary


def _commit(run: RunStory) -> str:
    if not run.commit:
        return "none: the project was not in git"
    if not run.dirty:
        return run.commit + (", clean" if run.dirty is False else "")
    diff = run.provenance.diff if run.provenance is not None else None
    if diff is None or not diff.sha256:
        return f"{run.commit}, with changes that are not in it"
    size = f"{diff.text.count(chr(10))} lines, kept with the run" if diff.text else "too long to be kept"
    return f"{run.commit}, with changes that are not in it (diff sha256 {diff.sha256[:12]}, {size})"


def _trace_row(name: str, trace: Trace, *, cell: bool) -> tuple[str, ...]:
    state = trace.outcome, f"{trace.seconds:.1f}"
    read = ", ".join(trace.read)
    if not cell:
        return name, *state, read
    used, made = (", ".join(name for name, _ in values) for values in (trace.used, trace.made))
    return f"[{trace.count}]", name, *state, read, used, made, ", ".join(trace.wrote)


def _version_row(version: ModelVersion) -> tuple[str, str]:
    return f"{version.name} version {version.version}", ", ".join(version.aliases)


def _notes(story: Story) -> Iterator[str]:
    yield from story.notes
    run = story.run
    if run is None:
        return
    if len(run.traces) > MOST_ROWS:
        yield f"{len(run.traces) - MOST_ROWS} more {'cells' if run.is_notebook else 'steps'} are not shown"
    if not run.data:
        yield "no data was logged: `%mlops data NAME` in the notebook logs it"
    if run.provenance is None:
        yield "the cells' sources and the packages were not kept: the run is of an earlier version of nbmlops"


def shown_time(text: str) -> str:
    """Returns a time in ISO 8601 as people read it, in UTC."""
    return f"{text[:16].replace('T', ' ')} UTC" if text else ""


class MadeView(View, Struct, frozen=True):
    """The runs and versions that were made from some data or a commit."""

    made: Made

    def card(self) -> Card:
        """Returns one row for each run."""
        made = self.made
        count = len(made.runs)
        versions = sum(len(run.versions) for run in made.runs)
        rows = tuple(
            (
                shown_time(when(one.facts.started)),
                one.facts.run_id[:12],
                one.facts.name,
                one.facts.experiment,
                one.facts.state.value.lower(),
                ", ".join(
                    f"{version.name}/{version.version}" + "".join(f" @{alias}" for alias in version.aliases)
                    for version in one.versions
                ),
            )
            for one in made.runs[:MOST_ROWS]
        )
        runs = f"{count} run{'' if count == 1 else 's'}"
        title = f"{runs} and {versions} model version{'' if versions == 1 else 's'} were made from {made.source}"
        more = (f"{count - MOST_ROWS} older runs are not shown",) if count > MOST_ROWS else ()
        table = Table("runs", ("started", "run", "name", "experiment", "state", "versions"), rows)
        return Card("MADE", title, (table,), (*more, "the story of one: nbmlops lineage RUN, or MODEL/VERSION"))
