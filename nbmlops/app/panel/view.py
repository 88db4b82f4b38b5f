"""From the state of a notebook's run to its panel: one pure function. Nothing is asked, computed or waited for here."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from nbmlops.app.panel.model import Action, Cell, Notice, PanelView, Progress, Section, Tone, visible
from nbmlops.app.session.surroundings import Surroundings
from nbmlops.app.show.sparks import Spark
from nbmlops.app.show.views import NO_RUN_HINT, SessionStatus, StatusView, known_as
from nbmlops.core.records import CheckRecord, DataRecord
from nbmlops.gate.baseline import Champion, describe_baseline
from nbmlops.gate.numerals import show_number
from nbmlops.gate.policy import Direction, known_direction
from nbmlops.gate.verdict import Outcome, RuleResult, Verdict
from nbmlops.tracking.cells import ValueMade

MOST_ROWS = 60
MOST_MADE = 12
MOST_LINE = 400  # characters
_MOST_LINES, _MOST_BROKEN = 12, 5
_WORDS = {Outcome.PASS: "PASS", Outcome.FAIL: "FAIL", Outcome.NOT_APPLICABLE: "N/A", Outcome.WAIVED: "WAIVED"}
_TONES = {
    Outcome.PASS: Tone.GOOD,
    Outcome.FAIL: Tone.BAD,
    Outcome.NOT_APPLICABLE: Tone.QUIET,
    Outcome.WAIVED: Tone.WARN,
}
_STATES = {
    SessionStatus.RUNNING: ("RUNNING", Tone.LIVE),
    SessionStatus.PAUSED: ("PAUSED", Tone.QUIET),
    SessionStatus.FINISHED: ("FINISHED", Tone.GOOD),
    SessionStatus.FAILED: ("FAILED", Tone.BAD),
}
_HOW_SURE = {"declared": Tone.PLAIN}
_NOTHING = Cell("", Tone.QUIET)


class Moment(Struct, frozen=True):
    """All that a panel is made from.

    Attributes:
        status: The run.
        series: The values of each metric in the order of their steps.
        surroundings: What stands around the run in its store, None before that is known.
        cells: How many cells the run has recorded.
        running: Whether a cell runs now.
        progress: What became of the buttons.
        fault: Why this is not up to date, or "".
        made: The tables, arrays and models that cells made, by name; the latest one at the end.
    """

    status: StatusView = field(default_factory=StatusView)
    series: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    surroundings: Surroundings | None = None
    cells: int = 0
    running: bool = False
    progress: Progress = field(default_factory=Progress)
    fault: str = ""
    made: Mapping[str, ValueMade] = field(default_factory=dict)


def panel_view(moment: Moment) -> PanelView:
    """Returns what the panel shows at a moment."""
    status, progress = moment.status, _safe(moment.progress)
    if status.status is SessionStatus.NONE:
        hint = Notice(Tone.PLAIN, "Nothing is tracked in this session", (f"to start: {NO_RUN_HINT}",))
        return PanelView("NO RUN", Tone.QUIET, "", notices=(hint,), actions=_actions(status), progress=progress)
    state, tone = _STATES.get(status.status, (status.status.value.upper(), Tone.WARN))
    sections = (_gate(status), _metrics(moment), _parameters(status), _inputs(status), _made(moment.made))
    return PanelView(
        state,
        tone,
        visible(status.run_name),
        _detail(moment),
        tuple(_facts(status)),
        tuple(_notices(moment)),
        tuple(section for section in sections if section.rows or section.notes),
        _actions(status),
        progress,
    )


def with_fault(view: PanelView, why: str) -> PanelView:
    """Returns the panel, headed by why it is not up to date."""
    return replace(view, notices=(_outdated(why), *view.notices))


def _outdated(why: str) -> Notice:
    return Notice(Tone.BAD, "This panel is not up to date", (visible(why, MOST_LINE),))


def _safe(progress: Progress) -> Progress:
    outcome = progress.outcome
    if outcome is not None:
        lines = [visible(line, MOST_LINE) for line in outcome.lines[:_MOST_LINES]]
        if len(outcome.lines) > _MOST_LINES:
            lines.append(f"and {len(outcome.lines) - _MOST_LINES} more lines")
        outcome = Notice(outcome.tone, visible(outcome.title, MOST_LINE), tuple(lines))
    return Progress(progress.busy, progress.turn, outcome)


def _detail(moment: Moment) -> str:
    cells = f"{moment.cells:,} cell{'' if moment.cells == 1 else 's'} recorded" if moment.cells else "no cell recorded"
    # A run that has ended hears of no cell any more.
    goes_on = moment.status.status in {SessionStatus.RUNNING, SessionStatus.PAUSED}
    return f"a cell is running · {cells}" if moment.running and goes_on else cells


def _facts(status: StatusView) -> Iterator[tuple[str, Cell]]:
    yield "experiment", Cell(visible(status.experiment))
    yield "run", _short(status.run_id, 8) if status.run_id else Cell("no id before the store answers", Tone.QUIET)
    yield "notebook", Cell(visible(status.notebook)) if status.notebook else Cell("unknown", Tone.WARN)
    commit, _, dirty = status.git_commit.partition("-")
    known = Cell(f"{visible(commit[:8])}{' with changes' if dirty else ''}", Tone.PLAIN, visible(status.git_commit))
    yield "commit", known if commit else Cell("unknown", Tone.QUIET)
    yield "store", Cell(visible(status.tracking_uri))
    answer = status.reproducible.partition(",")[0]
    if answer:
        tone = {"yes": Tone.GOOD, "no": Tone.WARN}.get(answer, Tone.QUIET)
        yield "reproducible", Cell(visible(answer), tone, visible(status.reproducible))
    version = status.model_version
    if version is not None:
        aliases = f" ({', '.join(version.aliases)})" if version.aliases else ""
        yield "registered", Cell(visible(f"{version.name} version {version.version}{aliases}"), Tone.GOOD)


def _notices(moment: Moment) -> Iterator[Notice]:
    status = moment.status
    if moment.fault:
        yield _outdated(moment.fault)
    answer, _, why = status.reproducible.partition(", because ")
    if answer in {"no", "unknown"} and why:
        title = "Hidden state: a new run from top to bottom would end differently"
        reasons = tuple(map(visible, why.split("; ")))
        yield (
            Notice(Tone.WARN, title, reasons)
            if answer == "no"
            else Notice(Tone.QUIET, "Hidden state could not be looked for", reasons)
        )
    broken = [check for check in status.checks if not check.passed]
    for check in broken[:_MOST_BROKEN]:
        failures = tuple(visible(line) for line in check.failures[:_MOST_LINES])
        yield Notice(Tone.BAD, visible(f"{check.data} breaks schema {check.schema}"), failures)
    if len(broken) > _MOST_BROKEN:
        yield Notice(Tone.BAD, f"{len(broken) - _MOST_BROKEN} more schemas are broken")
    if status.notes:
        yield Notice(Tone.WARN, "Worth knowing", tuple(visible(note, MOST_LINE) for note in status.notes[:_MOST_LINES]))


def _gate(status: StatusView) -> Section:
    verdict = status.verdict or status.preview
    columns = ("rule", "outcome", "metric", "value", "threshold", "baseline", "why")
    if verdict is None:
        why = "log a metric to see what the gate would say" if not status.metrics else "not known yet"
        return Section("gate", "Gate", Cell("not judged", Tone.QUIET), columns, (), (why,))
    word, _, detail = verdict.summary().partition(" ")
    tone = Tone.GOOD if verdict.passed else Tone.BAD
    judged = status.verdict is not None
    badge = Cell(visible(f"{word if judged else f'would {word}'} {detail}"), tone)
    rows = tuple(map(_rule, verdict.results[:MOST_ROWS]))
    notes = [visible(line) for line in verdict.hint.splitlines()]
    if not judged:
        notes.append("a preview of what the gate would say now: nothing is stored yet")
    if verdict.baseline:
        notes.append(f"compared with: {visible(verdict.baseline)}")
    title = "Gate" if judged else "Gate, if it judged now"
    notes += _left_out(len(verdict.results))
    return _trimmed(Section("gate", title, badge, columns, rows, tuple(notes), (2, 3, 4, 5)))


def _rule(result: RuleResult) -> tuple[Cell, ...]:
    return (
        Cell(visible(result.rule)),
        Cell(_WORDS[result.outcome], _TONES[result.outcome]),
        Cell(visible(result.metric)),
        Cell("" if result.value is None else show_number(result.value)),
        Cell(visible(result.threshold)),
        Cell("" if result.baseline is None else visible(result.beside)),
        Cell(visible(result.reason), Tone.QUIET),
    )


def _metrics(moment: Moment) -> Section:
    status, around = moment.status, moment.surroundings or Surroundings()
    champion = around.baseline.metrics if isinstance(around.baseline, Champion) else {}
    columns = ("metric", "value", "champion", "change", "this run", "recent runs")
    rows = []
    for name, value in list(status.metrics.items())[:MOST_ROWS]:
        old = champion.get(name)
        series = moment.series.get(name, ())
        recent = (*(run.metrics[name] for run in around.recent if name in run.metrics), value)
        rows.append(
            (
                Cell(visible(name)),
                Cell(show_number(value), Tone.PLAIN if math.isfinite(value) else Tone.BAD),
                Cell("" if old is None else show_number(old)),
                _NOTHING if old is None else _change(name, value, old),
                _spark(f"{name}: {len(series)} values in this run", series, old),
                _spark(f"{name}: this run after {len(recent) - 1} others", recent, old),
            )
        )
    badge = Cell(str(len(status.metrics)), Tone.QUIET)
    notes = _left_out(len(status.metrics))
    if champion:
        notes.append(f"dashed line: the champion, {visible(describe_baseline(around.baseline))}")
    return _trimmed(Section("metrics", "Metrics", badge, columns, tuple(rows), tuple(notes), (0, 1, 2)))


def _spark(caption: str, values: tuple[float, ...], reference: float | None) -> Cell:
    if len(values) < 2:
        return _NOTHING
    low, high = show_number(min(values), 4), show_number(max(values), 4)
    against = "" if reference is None else f", champion {show_number(reference, 4)}"
    text = visible(f"{caption}, from {low} to {high}, last {show_number(values[-1], 4)}{against}")
    return Cell("", full=text, spark=Spark(text, values, reference))


def _change(name: str, value: float, old: float) -> Cell:
    delta = value - old
    if not math.isfinite(delta):
        return _NOTHING
    if not delta:
        return Cell("equal", Tone.QUIET)
    direction = known_direction(name)
    text = f"{'+' if delta > 0 else '−'}{show_number(abs(delta), 4)}"
    if direction is None:
        return Cell(text)
    better = (delta > 0) is (direction is Direction.HIGHER)
    return Cell(f"{text} {'better' if better else 'worse'}", Tone.GOOD if better else Tone.BAD)


def _parameters(status: StatusView) -> Section:
    rows = tuple(
        (Cell(visible(name)), Cell(visible(repr(value)))) for name, value in list(status.parameters.items())[:MOST_ROWS]
    )
    badge = Cell(str(len(status.parameters)), Tone.QUIET)
    notes = tuple(_left_out(len(status.parameters)))
    return Section("parameters", "Parameters", badge, ("parameter", "value"), rows, notes, (0, 1))


def _inputs(status: StatusView) -> Section:
    checks = {check.data: check for check in status.checks}
    rows = [_input(record, checks.get(record.name)) for record in status.data[:MOST_ROWS]]
    known = {record.name for record in status.data}
    rows += [
        (Cell(visible(check.data)), Cell("checked"), _NOTHING, _NOTHING, _NOTHING, _schema(check))
        for check in status.checks
        if check.data not in known
    ][: MOST_ROWS - len(rows)]
    columns = ("input", "kind", "rows", "fingerprint", "evidence", "schema")
    badge = Cell(str(len(status.data)), Tone.QUIET)
    return _trimmed(
        Section("inputs", "Inputs", badge, columns, tuple(rows), tuple(_left_out(len(status.data))), (0, 3))
    )


def _input(record: DataRecord, check: CheckRecord | None) -> tuple[Cell, ...]:
    return (
        Cell(visible(record.name)),
        Cell(visible(record.kind)),
        Cell(f"{record.rows:,}" if record.rows >= 0 else ""),
        _short(record.digest, 12),
        Cell(visible(known_as(record)), _HOW_SURE.get(known_as(record), Tone.QUIET)),
        _NOTHING if check is None else _schema(check),
    )


def _made(values: Mapping[str, ValueMade]) -> Section:
    """Returns what cells made, the latest first."""
    latest = list(values.items())[: -MOST_MADE - 1 : -1]
    rows = tuple(
        (
            Cell(visible(name)),
            Cell(visible(made.seen.type.rpartition(".")[2]), full=visible(made.seen.type)),
            Cell(" × ".join(f"{size:,}" for size in made.seen.shape)),
            _short(made.seen.digest, 12) if made.seen.digest else Cell("none", Tone.QUIET, visible(made.seen.why)),
            Cell(f"[{made.count}]" if made.count else "", Tone.QUIET),
        )
        for name, made in latest
    )
    more = len(values) - len(latest)
    notes = (f"and {more:,} that earlier cells made",) if more else ()
    columns = ("name", "type", "size", "fingerprint", "cell")
    return _trimmed(Section("made", "Made by cells", Cell(str(len(values)), Tone.QUIET), columns, rows, notes, (0, 3)))


def _schema(check: CheckRecord) -> Cell:
    word = "keeps" if check.passed else "breaks"
    return Cell(visible(f"{word} {check.schema}"), Tone.GOOD if check.passed else Tone.BAD)


def _actions(status: StatusView) -> tuple[Action, ...]:
    verdict, running = status.verdict, status.status in {SessionStatus.RUNNING, SessionStatus.PAUSED}
    no_run = "" if running else "no run is tracked now"
    no_metric = "" if status.metrics else "the run has no metric yet"
    no_registering = no_run or _no_registering(verdict)
    registered = status.model_version is not None
    return (
        Action("gate", "Run the gate", no_run or no_metric, verdict is None and _passes(status.preview)),
        Action("register", "Register", no_registering, not no_registering and not registered),
        Action("compile", "Compile", "", registered),
    )


def _passes(verdict: Verdict | None) -> bool:
    return verdict is not None and verdict.passed


def _no_registering(verdict: Verdict | None) -> str:
    if verdict is None:
        return "the gate has not judged the metrics as they are now"
    return "" if verdict.passed else "the gate said no"


def _short(digest: str, length: int) -> Cell:
    return Cell(visible(digest[:length]), full=visible(digest))


def _left_out(count: int) -> list[str]:
    more = count - MOST_ROWS
    return [f"and {more:,} more"] if more > 0 else []


def _trimmed(section: Section) -> Section:
    """Returns the section without columns that hold nothing."""
    kept = [
        place
        for place in range(len(section.columns))
        if place == 0 or any(row[place].text or row[place].spark for row in section.rows)
    ]
    return Section(
        section.key,
        section.title,
        section.badge,
        tuple(section.columns[place] for place in kept),
        tuple(tuple(row[place] for place in kept) for row in section.rows),
        section.notes,
        tuple(number for number, place in enumerate(kept) if place in section.codes),
    )
