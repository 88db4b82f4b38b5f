"""The picture of a story: from commit, notebook, data and environment over steps or cells to run, gate and version."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from textwrap import wrap

from nbmlops.app.show.flow_picture import MOST_LINE, MOST_TITLE, Box, FlowPicture
from nbmlops.core.records import DataRecord
from nbmlops.gate.numerals import show_number
from nbmlops.registry.registry import staged
from nbmlops.registry.story import RunStory, Story, Trace, VersionStory

_MOST_DATA = 6
_MOST_TRACES = 9
_MOST_METRICS = 4
_MOST_LATER = 5
_TONES = {
    "executed": "good",
    "done": "good",
    "failed": "bad",
    "interrupted": "warn",
    "FINISHED": "good",
    "FAILED": "bad",
    "KILLED": "bad",
    "RUNNING": "plain",
}


def draw_story(story: Story) -> FlowPicture:
    """Returns the picture of a story; its caption says in words what it shows."""
    columns: list[tuple[str, tuple[Box, ...]]] = []
    arrows: list[tuple[str, str]] = []
    last = ""
    if story.run is not None:
        run = story.run
        sources = tuple(_sources(run))
        columns.append(("MADE FROM", sources))
        traces = tuple(_traces(run))
        if traces:
            columns.append(("CELLS" if run.is_notebook else "STEPS", traces))
        columns.append(("RUN", (_run(run),)))
        arrows += _into_run(run, [box.id for box in sources], [box.id for box in traces])
        last = "run"
        if run.gate is not None:
            columns.append(("GATE", (_gate(run),)))
            arrows.append(("run", "gate"))
            last = "gate"
    versions = [story.version] if story.version is not None else []
    for version in versions:
        boxes = tuple(_version(version))
        columns.append(("MODEL VERSION", boxes))
        arrows += [(last, "version")] if last else []
        arrows += pairwise(box.id for box in boxes)
        if version.later:
            later = tuple(_later(version))
            columns.append(("LATER VERSIONS", later))
            arrows += [("version", box.id) for box in later]
    if not versions and story.made:
        made = tuple(
            Box(f"made{place}", f"{one.name} version {one.version}", (", ".join(one.aliases),) if one.aliases else ())
            for place, one in enumerate(story.made)
        )
        columns.append(("MODEL VERSIONS", made))
        arrows += [(last, box.id) for box in made]
    return FlowPicture(_caption(story), tuple(columns), tuple(arrows))


def _caption(story: Story) -> str:
    parts = [f"lineage of {story.subject}"]
    run = story.run
    if run is not None:
        names = [record.name for record in run.data]
        parts += [f"made from {', '.join(names[:_MOST_DATA])}"] if names else []
        parts += [f"commit {run.commit[:10]}"] if run.commit else []
        parts += [f"by {_count(run)}"] if run.traces else []
    if story.version is not None and story.version.stage:
        parts.append(f"now {staged(story.version.stage)}")
    return "; ".join(parts)


def _count(run: RunStory) -> str:
    word = "cell" if run.is_notebook else "step"
    return f"{len(run.traces)} {word}{'' if len(run.traces) == 1 else 's'}"


def _sources(run: RunStory) -> Iterator[Box]:
    if run.commit:
        state = {True: "with changes that are not in it", False: "clean tree", None: ""}[run.dirty]
        yield Box("commit", f"commit {run.commit[:10]}", (state,) if state else (), "warn" if run.dirty else "good")
    notebook = run.provenance.notebook if run.provenance is not None else run.source if run.is_notebook else ""
    if notebook or run.notebook_digest:
        cells = len(run.provenance.cells) if run.provenance is not None else 0
        lines = [f"{cells} code cells"] if cells else []
        lines += [f"sha256 {run.notebook_digest[:12]}"] if run.notebook_digest else []
        yield Box("notebook", notebook.rpartition("/")[2] or "notebook", tuple(lines), "plain")
    for place, record in enumerate(run.data[:_MOST_DATA]):
        yield Box(f"data{place}", record.name, tuple(_of_data(record)), "plain")
    if len(run.data) > _MOST_DATA:
        yield Box("data-more", f"{len(run.data) - _MOST_DATA} more inputs")
    if run.python:
        packages = f"{len(run.provenance.packages)} packages" if run.provenance is not None else run.platform
        digest = f"sha256 {run.environment_digest[:12]}"
        yield Box("environment", f"Python {run.python}", (packages, digest), "plain")


def _of_data(record: DataRecord) -> Iterator[str]:
    rows = f", {record.rows:,} rows" if record.rows >= 0 else ""
    yield f"{record.kind}{rows}"
    yield record.digest[:16]
    if "dvc_data_hash" in record.version:
        yield f"DVC {record.version['dvc_data_hash'][:24]}"


def _traces(run: RunStory) -> Iterator[Box]:
    shown, names = _shown(run.traces), run.trace_names
    for place, trace in shown:
        title = f"[{trace.count}] {names[place]}".rstrip() if run.is_notebook else trace.name
        lines = [f"{trace.outcome}, {trace.seconds:.1f} s"]
        for word, values in (("used", trace.used), ("made", trace.made)):
            lines += [f"{word} {', '.join(name for name, _ in values)}"] if values else []
        yield Box(f"trace{place}", title, tuple(lines), _TONES.get(trace.outcome, "dim"))
    if len(shown) < len(run.traces):
        yield Box("trace-more", f"{len(run.traces) - len(shown)} more, not shown")


def _shown(traces: Sequence[Trace]) -> list[tuple[int, Trace]]:
    """Returns the steps or cells that are drawn, with their places: of many, those that say most."""
    numbered = list(enumerate(traces))
    if len(numbered) <= _MOST_TRACES:
        return numbered
    telling = [
        (place, trace)
        for place, trace in numbered
        if trace.read or trace.wrote or trace.made or trace.outcome not in {"done", "executed", "cached"}
    ]
    return (telling or numbered)[:_MOST_TRACES]


def _run(run: RunStory) -> Box:
    facts = run.facts
    metrics = [f"{name} {show_number(value, 4)}" for name, value in facts.metrics.items()]
    more = [f"{len(metrics) - _MOST_METRICS} more metrics"] if len(metrics) > _MOST_METRICS else []
    state = facts.state.value
    lines = (facts.run_id[:12], state.lower(), *metrics[:_MOST_METRICS], *more)
    return Box("run", facts.name or facts.run_id[:12], lines, _TONES.get(state, "dim"))


def _gate(run: RunStory) -> Box:
    assert run.gate is not None
    word, _, rest = run.gate.summary.partition(" ")
    lines = wrap(rest.strip("()"), MOST_LINE)
    lines += wrap(f"against {run.gate.verdict.baseline}", MOST_LINE) if run.gate.verdict is not None else []
    said = ("PASS", "good") if run.gate.passed else ("FAIL", "bad")
    return Box("gate", word or said[0], tuple(lines), said[1])


def _version(story: VersionStory) -> Iterator[Box]:
    version = story.version
    aliases = ", ".join(version.aliases)
    lines = [line for line in (staged(story.stage), f"alias {aliases}" if aliases else "") if line]
    tone = {"champion": "good", "challenger": "plain"}.get(story.stage, "dim")
    yield Box("version", f"{version.name} v{version.version}", tuple(lines), tone)
    for place, one in enumerate(story.transitions):
        who = " ".join(part for part in (one.at[:16].replace("T", " "), f"by {one.who}" if one.who else "") if part)
        title, *more = wrap(one.what, MOST_TITLE)
        why = wrap(one.why, MOST_LINE, max_lines=2, placeholder=" …")
        yield Box(f"transition{place}", title, (*more, *([who] if who else ()), *why))


def _later(story: VersionStory) -> Iterator[Box]:
    for place, one in enumerate(story.later[:_MOST_LATER]):
        yield Box(f"later{place}", f"version {one.version}", (one.how,), "plain")
    if len(story.later) > _MOST_LATER:
        yield Box("later-more", f"{len(story.later) - _MOST_LATER} more")


def _into_run(run: RunStory, sources: Sequence[str], traces: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yields the arrows from the sources to what used them, along the steps or cells, and into the run."""
    drawn = set(traces)
    first = traces[0] if traces else "run"
    readers: dict[str, str] = {}
    for place, trace in enumerate(run.traces):
        if f"trace{place}" in drawn:
            # Logged data is known by its name or, of what cells have in variables, by its fingerprint.
            for name in (*trace.read, *(digest for _, digest in (*trace.used, *trace.made) if digest)):
                readers.setdefault(name, f"trace{place}")
    if "commit" in sources and "notebook" in sources:
        yield "commit", "notebook"
    for source in sources:
        if source.startswith("data"):
            record = run.data[int(source[4:])] if source[4:].isdigit() else None
            by_name = readers.get(record.name, readers.get(record.digest, first)) if record is not None else first
            yield source, by_name
        elif source != "commit" or "notebook" not in sources:
            yield source, first
    yield from pairwise(traces)
    if traces:
        yield traces[-1], "run"
