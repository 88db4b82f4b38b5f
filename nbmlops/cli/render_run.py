"""What a run did, as blocks: steps with times, parameters, metrics, the gate's table, the version with its lineage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from nbmlops.cli.blocks import Block, Cell, Line, Table, Tone, cells, shown_value
from nbmlops.cli.joined import joined_text
from nbmlops.core.errors import StepFailed
from nbmlops.gate.numerals import show_number
from nbmlops.gate.verdict import HEAD, Outcome, RuleResult, Verdict
from nbmlops.pipeline.run_record import (
    Lineage,
    ModelVersionRef,
    RunRecord,
    RunStatus,
    StepError,
    StepRecord,
    StepStatus,
)
from nbmlops.registry.registry import CHALLENGER, CHAMPION, staged

if TYPE_CHECKING:
    from nbmlops.app.judging.gate import GateOutcome
    from nbmlops.app.running.outcome import RunOutcome
    from nbmlops.app.versions.promote import PromoteOutcome
    from nbmlops.app.versions.register import RegisterOutcome

MAX_ROWS = 40
MAX_TRACEBACK_LINES = 40

_STEP_TONES = {
    StepStatus.EXECUTED: Tone.GOOD,
    StepStatus.CACHED: Tone.DIM,
    StepStatus.FAILED: Tone.BAD,
    StepStatus.SKIPPED: Tone.DIM,
}
_OUTCOME_TONES = {
    Outcome.PASS: Tone.GOOD,
    Outcome.FAIL: Tone.BAD,
    Outcome.NOT_APPLICABLE: Tone.DIM,
    Outcome.WAIVED: Tone.WARNING,
}


def run_blocks(outcome: RunOutcome) -> Iterator[Block]:
    """Yields the whole report of a run."""
    record = outcome.record
    if record.steps:
        yield _steps(record)
    yield from (Line(joined_text(joined), Tone.DIM) for joined in record.joined)
    if outcome.reused:
        yield Line(f"nothing changed: no step was executed; these are the results of run {outcome.reused}", Tone.STRONG)
    for step in record.steps:
        if step.error is not None:
            yield from _error(step.name, step.notebook, step.error)
    if record.parameters:
        yield _pairs("parameters", {name: shown_value(value) for name, value in record.parameters.items()})
    if record.metrics:
        yield _pairs("metrics", {name: show_number(value) for name, value in record.metrics.items()}, right=True)
    if outcome.verdict is not None:
        yield from verdict_blocks(outcome.verdict)
    if record.model_version is not None:
        yield from version_blocks(record.model_version, record.lineage, then=bool(outcome.reused))
    elif outcome.verdict is not None and not outcome.verdict.passed:
        yield Line(f"nothing is registered; live is still: {outcome.verdict.baseline}")
    yield from (Line(f"note: {note}", Tone.WARNING) for note in outcome.notes)
    yield from _closing(outcome)


def _steps(record: RunRecord) -> Table:
    rows = tuple(_step_row(step) for step in record.steps)
    return Table("steps", ("step", "status", "seconds", "why"), rows, frozenset({"seconds"}))


def _step_row(step: StepRecord) -> tuple[Cell, ...]:
    ran = step.status in {StepStatus.EXECUTED, StepStatus.FAILED}
    return (
        Cell(step.name),
        Cell(step.status.value, _STEP_TONES[step.status]),
        Cell(f"{step.seconds:.1f}" if ran else "-"),
        Cell(step.reason, Tone.DIM),
    )


def _error(step: str, notebook: str, error: StepError) -> Iterator[Line]:
    place = f" (cell {error.cell}" + (f" line {error.line})" if error.line else ")") if error.cell else ""
    # A fault that we found says what and where; the name of its class would add nothing.
    what = error.message if error.name == StepFailed.__qualname__ else f"{error.name}: {error.message}"
    yield Line(f"step {step} failed{place}: {what}", Tone.BAD)
    is_all_said = error.traceback == f"{error.name}: {error.message}"
    lines = [] if is_all_said else error.traceback.splitlines()
    if len(lines) > MAX_TRACEBACK_LINES:
        half = MAX_TRACEBACK_LINES // 2
        lines = [*lines[:half], f"… {len(lines) - 2 * half} lines left out …", *lines[-half:]]
    yield from (Line(f"  {line}") for line in lines)
    if error.hint:
        yield Line(f"hint: {error.hint}")
    if notebook:
        yield Line(f"the executed notebook: {notebook}", Tone.PATH)


def _pairs(title: str, values: Mapping[str, str], *, right: bool = False) -> Table:
    rows = tuple(cells(name, value) for name, value in list(values.items())[:MAX_ROWS])
    if len(values) > MAX_ROWS:
        rows = (*rows, cells("…", f"{len(values) - MAX_ROWS} more"))
    return Table(title, ("name", "value"), rows, frozenset({"value"}) if right else frozenset())


def verdict_blocks(verdict: Verdict) -> Iterator[Block]:
    """Yields the gate's answer: one row for each rule, the reasons of those that did not pass, and the decision."""
    if verdict.results:
        yield Table(
            "gate", HEAD[:-1], tuple(_rule_row(result) for result in verdict.results), frozenset({"value", "baseline"})
        )
    for result in verdict.results:
        if result.reason:
            tone = _OUTCOME_TONES[result.outcome]
            outcome, *_, why = result.cells()
            yield Line(f"{outcome} {result.rule}: {why}", tone)
    yield Line(f"gate: {verdict.summary()}", Tone.GOOD if verdict.passed else Tone.BAD)
    if verdict.hint:
        yield Line(verdict.hint)


def _rule_row(result: RuleResult) -> tuple[Cell, ...]:
    """The reason stands below the table: it is a sentence, often a long one."""
    outcome, *rest = result.cells()[:-1]
    return (Cell(outcome, _OUTCOME_TONES[result.outcome]), *cells(*rest))


def version_blocks(version: ModelVersionRef, lineage: Lineage, *, then: bool = False) -> Iterator[Block]:
    """Yields the registered version and where it comes from.

    Args:
        version: The version.
        lineage: Its lineage.
        then: The aliases are those that an earlier run was told; they may have moved since.
    """
    aliases = f" as {', '.join(version.aliases)}" if version.aliases else ""
    when = "registered by that run" if then else "registered"
    yield Line(f"{when}: {version.name} version {version.version}{aliases}", Tone.GOOD)
    yield _lineage(lineage)


def _lineage(lineage: Lineage) -> Table:
    facts = {
        "run id": lineage.run_id or "-",
        "git commit": lineage.git_commit or "not in a git repository",
        **{f"data {name}": digest for name, digest in lineage.data.items()},
        "notebook": lineage.notebook or "-",
        "pipeline": lineage.pipeline or "-",
    }
    return _pairs("lineage", facts)


def _closing(outcome: RunOutcome) -> Iterator[Line]:
    record = outcome.record
    words = {
        RunStatus.SUCCEEDED: ("succeeded", Tone.GOOD),
        RunStatus.FAILED: ("failed", Tone.BAD),
        RunStatus.GATE_REJECTED: ("rejected by the gate", Tone.BAD),
        RunStatus.INTERRUPTED: ("interrupted: what was finished is kept, the next run resumes", Tone.WARNING),
    }
    text, tone = words[record.status]
    if outcome.fault is not None:
        text = "failed: its model was not registered"
    yield Line(f"{record.pipeline}: {text}", tone)
    if record.folder:
        yield Line(f"executed notebooks, run.json and report.html: {record.folder}", Tone.PATH)
    if outcome.next_commands:
        yield Line("next:")
        yield from (Line(f"  {command}") for command in outcome.next_commands)


def gate_blocks(outcome: GateOutcome) -> Iterator[Block]:
    """Yields the verdict of judging a run again."""
    yield Line(f"run {outcome.run_id} of {outcome.pipeline}", Tone.STRONG)
    yield from verdict_blocks(outcome.verdict)


def register_blocks(outcome: RegisterOutcome) -> Iterator[Block]:
    """Yields the version that a run's model is."""
    yield from version_blocks(outcome.version, outcome.lineage)
    if CHALLENGER in outcome.version.aliases:
        yield Line(f"next: nbmlops promote {outcome.version.name}@{CHALLENGER} --reason TEXT")


def promote_blocks(outcome: PromoteOutcome) -> Iterator[Block]:
    """Yields what the version is now, where it comes from, and which one was that before."""
    version, former = outcome.version, outcome.former
    if outcome.changed:
        yield Line(f"{version.name} version {version.version} is {staged(outcome.stage)} now", Tone.GOOD)
        if former is not None:
            fate = "archived" if outcome.stage == CHAMPION else "superseded"
            yield Line(f"{fate}: version {former.version}, the {outcome.stage} until now")
    else:
        yield Line(f"{version.name} version {version.version} was {outcome.stage} already; nothing changed")
    yield _lineage(outcome.lineage)
