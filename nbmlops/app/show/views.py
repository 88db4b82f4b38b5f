"""What the Python API hands back: records that show themselves in a notebook, equal from notebook and step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

from msgspec import Struct, field

from nbmlops.app.show.cards import Card, Table, render_html, render_text
from nbmlops.core.diagnostics import Json
from nbmlops.core.records import ArtifactRecord, BehaviourRecord, CheckRecord, DataRecord, PredictionsRecord
from nbmlops.gate.numerals import show_number
from nbmlops.gate.verdict import HEAD, Verdict
from nbmlops.pipeline.run_record import ModelVersionRef

_LINE = 100  # characters of a value in the small table of a status
MOST_SHOWN = 200
"""Characters of a parameter's value that a result shows."""
NO_RUN_HINT = "put `%mlops track` in the first cell and run it (in Python: nbmlops.track())"


def _plural(count: int) -> str:
    return "" if count == 1 else "s"


class View:
    """A result that shows itself; `card` is what there is to say."""

    __slots__ = ()

    def card(self) -> Card:
        """Returns the content, from which text and HTML are made.

        Raises:
            NotImplementedError: the class does not say what it shows.
        """
        raise NotImplementedError

    def __repr__(self) -> str:
        return render_text(self.card())

    def _repr_html_(self) -> str:
        return render_html(self.card())


_PARTS = {"any_order": "rows in any order"}


_EVIDENCE = {"audit": "opened", "inotify": "opened", "step": "opened", "literal": "named"}


def evidence(record: DataRecord) -> str:
    """Returns how it is known that the run read this input: "declared", "audit", …; see `cell_files.Evidence`."""
    return str(record.profile.get("evidence", "declared"))


def known_as(record: DataRecord) -> str:
    """Returns the same in a word for people: the notebook declares it, somebody opened it, or a cell names it."""
    return _EVIDENCE.get(evidence(record), evidence(record))


class DataView(View, Struct, frozen=True):
    """A frame or file that was fingerprinted."""

    record: DataRecord

    @property
    def digest(self) -> str:
        """The full fingerprint, 32 hex digits."""
        return self.record.digest

    def card(self) -> Card:
        """Returns name, size and fingerprint in one line, and the parts that tell what kind of change a change is."""
        record = self.record
        facts = [record.kind]
        if record.rows >= 0:
            facts.append(f"{record.rows:,} row{_plural(record.rows)}")
        if record.columns:
            facts.append(f"{len(record.columns)} column{_plural(len(record.columns))}")
        facts.append(f"fingerprint {record.digest}")
        if record.context:
            facts.append(f"context {record.context}")
        parts = tuple((_PARTS.get(part, part), digest) for part, digest in record.parts.items())
        known = (
            Table("parts of the fingerprint", ("part", "digest"), parts),
            Table("version", ("what", "which"), tuple(record.version.items())),
        )
        return Card("DATA", f"{record.name}: {', '.join(facts)}", tuple(table for table in known if table.rows))


class PredictionsView(View, Struct, frozen=True):
    """Predictions on held-out rows that were logged; `facts` were measured with them."""

    record: PredictionsRecord
    columns: tuple[str, ...] = ()
    facts: Mapping[str, float] = field(default_factory=dict)

    def card(self) -> Card:
        """Returns name and size in one line, what slices can be made by, and what was measured."""
        record = self.record
        notes = [f"slices can be made by: {', '.join(self.columns)}"] if self.columns else []
        facts = tuple((name, show_number(value)) for name, value in self.facts.items())
        tables = (Table("measured", ("fact", "value"), facts),) if facts else ()
        title = f"{record.name}: {record.rows:,} row{_plural(record.rows)}"
        return Card("PREDICTIONS", title, tables, tuple(notes))


class CheckView(View, Struct, frozen=True):
    """A schema check; `written` names the schema file when this check made it, or widened the rules in `widened`."""

    record: CheckRecord
    written: str = ""
    widened: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the data keeps the schema."""
        return self.record.passed

    def card(self) -> Card:
        """Returns the outcome and, when a schema was inferred, what to do with it."""
        record = self.record
        if self.written and self.widened:
            return Card(
                "WIDENED",
                f"schema {record.schema} lets {record.data} pass now",
                notes=(*self.widened, f"these rules were widened in {self.written}: review and commit it"),
            )
        if self.written:
            return Card(
                "NEW",
                f"schema {record.schema} inferred from {record.data}",
                notes=(f"written to {self.written}: review and commit it; from now on this line checks against it",),
            )
        if record.passed:
            return Card("PASS", f"{record.data} keeps schema {record.schema}")
        return Card("FAIL", f"{record.data} breaks schema {record.schema}", notes=record.failures)


def shown_value(value: Json) -> str:
    """Returns a parameter's value as Python writes it; of a long one its beginning, and how long it is."""
    if isinstance(value, str) and len(value) > MOST_SHOWN:  # all of it would be copied several times
        return f"{value[:MOST_SHOWN]!r}… ({len(value):,} characters)"
    text = repr(value)
    return text if len(text) <= 2 * MOST_SHOWN else f"{text[:MOST_SHOWN]}… ({len(text):,} characters)"


class ParamView(View, Struct, frozen=True):
    """A parameter that was logged."""

    name: str
    value: Json

    def card(self) -> Card:
        """Returns name and value."""
        return Card("PARAM", f"{self.name} = {shown_value(self.value)}")


class MetricView(View, Struct, frozen=True):
    """A metric that was logged."""

    name: str
    value: float
    step: int = 0

    def card(self) -> Card:
        """Returns name and value, and the step where it is not the first."""
        step = f" (step {self.step})" if self.step else ""
        return Card("METRIC", f"{self.name} = {self.value:.6g}{step}")


class FigureView(View, Struct, frozen=True):
    """A figure that was logged, with its size in bytes."""

    record: ArtifactRecord
    size: int

    def card(self) -> Card:
        """Returns what it is called among the run's artifacts, and its size."""
        return Card("FIGURE", f"{self.record.name} ({self.size / 1000:,.1f} kB)")


class SessionStatus(StrEnum):
    """Where the notebook's run stands."""

    NONE = "none"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    FAILED = "failed"


class VerdictView(View, Struct, frozen=True):
    """The gate's answer on this run."""

    verdict: Verdict

    @property
    def passed(self) -> bool:
        """Whether the model may be registered."""
        return self.verdict.passed

    def card(self) -> Card:
        """Returns the summary, one row for each rule, and what to do when nothing could be judged."""
        state, _, rest = self.verdict.summary().partition(" ")
        rules = verdict_table("gate", self.verdict)
        return Card(state, f"gate {rest}", (rules,) if rules.rows else (), tuple(self.verdict.hint.splitlines()))


def verdict_table(caption: str, verdict: Verdict) -> Table:
    """Returns the rules of a verdict with what they saw."""
    return Table(caption, HEAD, tuple(result.cells() for result in verdict.results))


class StatusView(View, Struct, frozen=True):
    """The notebook's run at one moment: what is recorded, where it goes, and what nbmlops could not find out.

    Attributes:
        status: Whether there is a run, and how it ended.
        run_id: MLflow's run id, or "".
        run_name: Its name, or "".
        experiment: MLflow's experiment, or "".
        tracking_uri: Where it is stored, without credentials, or "".
        notebook: The notebook relative to the project's root, or "" when it is not known.
        git_commit: Commit, with the suffix "-dirty" when the tree had changes, or "".
        reproducible: Whether a new run from top to bottom would end as this one, and why not, or "".
        parameters: Logged parameters.
        metrics: Logged metrics, the last value of each.
        data: Fingerprinted data.
        figures: Names of figures and other files.
        checks: Schema checks.
        verdict: The gate's answer, or None before the gate.
        preview: What the gate would say now, or None where that is not known.
        model_version: The version that this run registered.
        notes: What the user should know or do.
        tests: Behaviour tests.
    """

    status: SessionStatus = SessionStatus.NONE
    run_id: str = ""
    run_name: str = ""
    experiment: str = ""
    tracking_uri: str = ""
    notebook: str = ""
    git_commit: str = ""
    reproducible: str = ""
    parameters: Mapping[str, Json] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    data: tuple[DataRecord, ...] = ()
    figures: tuple[str, ...] = ()
    checks: tuple[CheckRecord, ...] = ()
    verdict: Verdict | None = None
    preview: Verdict | None = None
    model_version: ModelVersionRef | None = None
    notes: tuple[str, ...] = ()
    tests: tuple[BehaviourRecord, ...] = ()

    def card(self) -> Card:
        """Returns the run in one line, and one small table: where it goes, what is recorded, how it stands.

        The panel shows all of it.
        """
        if self.status is SessionStatus.NONE:
            return Card("NO-RUN", "nothing is tracked in this session", notes=(f"to start: {NO_RUN_HINT}",))
        state = "RUN" if self.status is SessionStatus.RUNNING else self.status.value.upper()
        known = self.run_id or "has no id before the store answers"
        rows = tuple((name, value) for name, value in self._facts() if value)
        return Card(state, f"{self.run_name} ({known})", (Table("run", ("fact", "value"), rows),), self.notes)

    def _facts(self) -> Iterator[tuple[str, str]]:
        yield "stored in", f"{self.experiment}, {self.tracking_uri}"
        yield "notebook", self.notebook or "unknown"
        commit, _, dirty = self.git_commit.partition("-")
        yield "git commit", f"{commit}{', with changes that are not in it' if dirty else ''}" if commit else "unknown"
        yield "parameters", _some(f"{name} = {shown_value(value)}" for name, value in self.parameters.items())
        yield "metrics", _some(f"{name} = {value:.6g}" for name, value in self.metrics.items())
        yield "data", _some(f"{one.name} ({known_as(one)}, {one.digest[:8]})" for one in self.data)
        yield "figures", _some(self.figures)
        failed = [f"{one.data} against {one.schema}" for one in self.checks if not one.passed]
        yield "checks", f"FAIL: {_some(failed)}" if failed else f"{len(self.checks)} passed" if self.checks else ""
        bad = [f"{one.name} ({one.outcome.value})" for one in self.tests if not one.passed]
        yield "behaviour tests", f"FAIL: {_some(bad)}" if bad else f"{len(self.tests)} passed" if self.tests else ""
        if self.verdict is not None:
            yield "gate", self.verdict.summary()
        else:
            yield "gate", f"not judged yet; now: {self.preview.summary()}" if self.preview else "not judged yet"
        yield "reproducible", self.reproducible
        version = self.model_version
        yield "registered", " ".join([version.name, "version", version.version, *version.aliases]) if version else ""


def _some(texts: Iterable[str]) -> str:
    """Returns as many of the texts as one line has room for, and how many more there are."""
    listed = list(texts)
    shown: list[str] = []
    for text in listed:
        if shown and len(", ".join([*shown, text])) > _LINE:
            return f"{', '.join(shown)} and {len(listed) - len(shown)} more"
        shown.append(text if len(text) <= _LINE else f"{text[: _LINE - 1]}…")
    return ", ".join(shown)


class VersionView(View, Struct, frozen=True):
    """A model version that was registered from this run."""

    version: ModelVersionRef

    def card(self) -> Card:
        """Returns name, number and aliases."""
        version = self.version
        aliases = f" as {', '.join(version.aliases)}" if version.aliases else ""
        return Card("REGISTERED", f"{version.name} version {version.version}{aliases}")
