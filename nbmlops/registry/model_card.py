"""The card of a model version, filled from its story and from what its makers wrote; the rest is shown as missing.

Nothing is made up: no text is generated, no metric without a run, no interval that the gate did not compute. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from nbmlops.core.diagnostics import Json
from nbmlops.gate.numerals import show_number
from nbmlops.gate.verdict import HEAD, RuleResult, waiver_text
from nbmlops.registry.read_story import when
from nbmlops.registry.registry import MODEL_DIGEST, staged
from nbmlops.registry.story import RunStory, Story, VersionStory

SCHEMA = "nbmlops/card/1"
MOST_COLUMNS = 60
_USES = frozenset({"intended use", "intended uses", "use", "uses"})
_LIMITS = frozenset({"limits", "limitations", "known limits", "out of scope"})
_HEADING = re.compile(r"\s*#+\s*(.+?)\s*#*\s*\n?")
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#&~$])")


class CardWords(Struct, frozen=True):
    """What people say of a model: in `[card]` of the settings, and in Markdown cells tagged `card`.

    Attributes:
        intended_use: What it is for.
        limits: What it is not for, and what is known to go wrong.
        owner: Who answers for it.
        cells: Texts of the tagged cells.
    """

    intended_use: str = ""
    limits: str = ""
    owner: str = ""
    cells: tuple[str, ...] = ()


class CardTable(Struct, frozen=True):
    """A table of a section; all cells are plain text."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""


class CardSection(Struct, frozen=True):
    """A section of the card.

    Attributes:
        title: Its heading.
        texts: What people wrote, as Markdown.
        tables: What is known.
        missing: Why there is nothing, and what to do about it; "" where there is.
    """

    title: str
    texts: tuple[str, ...] = ()
    tables: tuple[CardTable, ...] = ()
    missing: str = ""


class ModelCard(Struct, frozen=True):
    """The card of one version."""

    title: str
    sections: tuple[CardSection, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """The titles of the sections that nobody filled."""
        return tuple(section.title for section in self.sections if section.missing)


def card_of(story: Story, words: CardWords) -> ModelCard:
    """Returns the card of a version.

    Args:
        story: Of the version.
        words: What people say of it.
    """
    assert story.version is not None
    run, version = story.run, story.version
    sections = [
        _model(version, run),
        *_said(words),
        _section("Training data", _data(run), "no data was logged: `%mlops data NAME` in the notebook"),
        _section("Schema", _schema(run), "no logged input has columns"),
        _section("Parameters", _pairs("parameter", run.facts.params if run else {}), "no parameter was logged"),
        _section("Metrics", _metrics(story), "no metric was logged"),
        _section(
            "Slices and fairness",
            _slices(run),
            "no rule of the gate judges slices: `slice_by` in a `[[gate.rules]]` of nbmlops.toml",
        ),
        _section("Gate", _gate(run), "the rules and their results were not kept"),
        _section("Where it comes from", _origin(run), "its run is not known"),
        _section("History", _history(version), "nothing happened to it"),
    ]
    if story.notes:
        sections.append(CardSection("What could not be read", tuple(map(escaped, story.notes))))
    return ModelCard(f"{version.version.name} version {version.version.version}", tuple(sections))


def _section(title: str, tables: Iterator[CardTable], missing: str) -> CardSection:
    found = tuple(table for table in tables if table.rows)
    return CardSection(title, tables=found, missing="" if found else missing)


def _pairs(name: str, values: Mapping[str, str]) -> Iterator[CardTable]:
    yield CardTable((name, "value"), tuple((key, text) for key, text in values.items() if text))


def _model(version: VersionStory, run: RunStory | None) -> CardSection:
    found = version.version
    facts = {
        "name": found.name,
        "version": found.version,
        "stage": staged(version.stage),
        "aliases": ", ".join(found.aliases),
        "registered": when(found.created),
        "fingerprint of the model": found.tags.get(MODEL_DIGEST, ""),
        "pipeline": run.pipeline if run is not None else "",
    }
    return _section("Model", _pairs("fact", facts), "nothing is known of it")


def _said(words: CardWords) -> Iterator[CardSection]:
    """Yields the sections that people write: intended use and limits always, others where there are some."""
    sections: dict[str, list[str]] = {"Intended use": [], "Limits": []}
    for title, text in (("Intended use", words.intended_use), ("Limits", words.limits), ("Owner", words.owner)):
        if text.strip():
            sections.setdefault(title, []).append(text.strip())
    for cell in words.cells:
        heading = _HEADING.match(cell)
        name = heading[1] if heading is not None else "From the notebook"
        title = "Intended use" if name.lower() in _USES else "Limits" if name.lower() in _LIMITS else name
        text = cell[heading.end() :].strip() if heading is not None else cell.strip()
        if text:
            sections.setdefault(title, []).append(text)
    for title, texts in sections.items():
        key = title.lower().replace(" ", "_")
        missing = f'nobody wrote it: `{key} = "…"` under `[card]` in nbmlops.toml, or a Markdown cell tagged `card`'
        yield CardSection(title, tuple(texts), missing="" if texts else missing)


def _data(run: RunStory | None) -> Iterator[CardTable]:
    rows = tuple(
        (
            record.name,
            record.context,
            record.kind,
            f"{record.rows:,}" if record.rows >= 0 else "",
            record.digest,
            ", ".join(f"{name} {text}" for name, text in record.version.items()),
        )
        for record in (run.data if run is not None else ())
    )
    yield CardTable(("data", "used for", "kind", "rows", "fingerprint", "version"), rows)


def _schema(run: RunStory | None) -> Iterator[CardTable]:
    for record in run.data if run is not None else ():
        columns: Any = record.profile.get("columns", ())
        profiles = {str(one.get("name")): one for one in columns if isinstance(one, Mapping)}
        rows = tuple((name, dtype, *_seen(profiles.get(name, {}))) for name, dtype in record.columns[:MOST_COLUMNS])
        left = len(record.columns) - MOST_COLUMNS
        caption = f"{record.name}{f' (the first {MOST_COLUMNS} of {len(record.columns)} columns)' if left > 0 else ''}"
        yield CardTable(("column", "type", "missing", "least", "greatest", "mean"), rows, caption)


def _seen(profile: Mapping[str, Any]) -> Iterator[str]:
    for fact in ("nulls", "min", "max", "mean"):
        value = profile.get(fact)
        yield show_number(value) if isinstance(value, int | float) else "" if value is None else str(value)


def _metrics(story: Story) -> Iterator[CardTable]:
    version = story.version
    values = version.metrics if version is not None and version.metrics else {}
    if not values and story.run is not None:
        values = dict(story.run.facts.metrics)
    intervals = {
        result.metric.partition(":")[0]: _interval(result, one)
        for result in _results(story.run)
        for one in _estimates(result, "estimates")
        if not one.get("slice") and "low" in one and "high" in one
    }
    rows = tuple((name, show_number(value), intervals.get(name, "")) for name, value in values.items())
    yield CardTable(("metric", "value", "against the baseline, as the gate computed it"), rows)


def _interval(result: RuleResult, one: Mapping[str, Any]) -> str:
    test: Any = result.detail.get("test", {})
    level = f" at {test['confidence']:g}" if isinstance(test, Mapping) and "confidence" in test else ""
    gain = f"gain {show_number(one['gain'], 4)} " if "gain" in one else ""
    return f"{gain}in [{show_number(one['low'], 4)}, {show_number(one['high'], 4)}]{level}, {one.get('rows', '?')} rows"


def _results(run: RunStory | None) -> Sequence[RuleResult]:
    if run is None or run.gate is None or run.gate.verdict is None:
        return ()
    return run.gate.verdict.results


def _estimates(result: RuleResult, key: str) -> Iterator[Mapping[str, Any]]:
    found: Any = result.detail.get(key, ())
    yield from (one for one in found if isinstance(one, Mapping))


def _slices(run: RunStory | None) -> Iterator[CardTable]:
    for result in _results(run):
        found = [*_estimates(result, "estimates"), *_estimates(result, "groups")]
        rows = tuple(
            (
                str(one["slice"]),
                str(one.get("rows", "")),
                show_number(one.get("value")),
                show_number(one.get("baseline")),
            )
            for one in found
            if one.get("slice")
        )
        yield CardTable(("slice", "rows", "value", "baseline"), rows, f"{result.rule}: {result.outcome.value}")


def _gate(run: RunStory | None) -> Iterator[CardTable]:
    results = _results(run)
    if results and run is not None and run.gate is not None:
        yield CardTable(HEAD, tuple(result.cells() for result in results), run.gate.summary)
        waived = tuple((one.rule, waiver_text(one.waiver)) for one in results if one.waiver is not None)
        yield CardTable(("rule", "waiver"), waived, "waivers")
    elif run is not None and run.gate is not None:
        yield CardTable(("gate",), ((run.gate.summary,),))


def _origin(run: RunStory | None) -> Iterator[CardTable]:
    if run is None:
        return
    state = {True: "with changes that are not in it", False: "clean", None: ""}[run.dirty]
    notebook = run.provenance.notebook if run.provenance is not None else ""
    facts = {
        "run": run.facts.run_id,
        "experiment": run.facts.experiment,
        "git commit": " ".join(filter(None, (run.commit, state))),
        "notebook": notebook or (run.source if run.is_notebook else ""),
        "notebook digest": run.notebook_digest,
        "pipeline version": run.pipeline_version,
        "Python": f"{run.python} on {run.platform}" if run.python else "",
        "environment digest": run.environment_digest,
        "reproducible": run.reproducible,
    }
    yield from _pairs("fact", facts)


def _history(version: VersionStory) -> Iterator[CardTable]:
    rows = tuple((one.at, one.what, one.who, one.why) for one in version.transitions)
    yield CardTable(("when", "what", "who", "why"), rows)


def card_markdown(card: ModelCard) -> str:
    """Returns the card as Markdown; facts are escaped, what people wrote as Markdown stands as they wrote it."""
    lines = [f"# {escaped(card.title)}", ""]
    for section in card.sections:
        lines += [f"## {escaped(section.title)}", ""]
        for text in section.texts:
            lines += [text, ""]
        if section.missing:
            lines += [f"*Missing: {section.missing}.*", ""]
        for table in section.tables:
            lines += [f"**{escaped(table.caption)}**", ""] if table.caption else []
            lines += [_md_row(table.head), _md_row(tuple("---" for _ in table.head), plain=True)]
            lines += [*map(_md_row, table.rows), ""]
    return "\n".join(lines).rstrip() + "\n"


def _md_row(cells: Sequence[str], *, plain: bool = False) -> str:
    return f"| {' | '.join(cell if plain else escaped(cell) for cell in cells)} |"


def escaped(text: str) -> str:
    """Returns a text that Markdown shows as it is, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def card_to_json(card: ModelCard) -> dict[str, Json]:
    """Returns the document of `card --format json`."""
    return {
        "schema": SCHEMA,
        "title": card.title,
        "missing": list(card.missing),
        "sections": [
            {
                "title": section.title,
                "texts": list(section.texts),
                "tables": [
                    {"caption": table.caption, "head": list(table.head), "rows": [list(row) for row in table.rows]}
                    for table in section.tables
                ],
                "missing": section.missing,
            }
            for section in card.sections
        ],
        "diagnostics": [],
    }
