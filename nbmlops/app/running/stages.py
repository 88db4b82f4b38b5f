"""The closing stages of a pipeline's run: metrics taken from values, judging, registering what the steps stored."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from nbmlops.app.running.opened import OpenedPipeline
from nbmlops.app.running.outcome import RunOutcome
from nbmlops.app.running.progress import Progress, StageStarted
from nbmlops.app.wiring import Stores
from nbmlops.core.errors import NbmlopsError, UsageError
from nbmlops.gate.numerals import as_number
from nbmlops.gate.verdict import Verdict, verdict_to_json
from nbmlops.pipeline.run_record import MetricValue, RunPhase, RunRecord, RunStatus
from nbmlops.runtime.handover.values import load_value
from nbmlops.runtime.schedule.results import StepsResult


def _note_nothing(phase: RunPhase, record: RunRecord) -> object:
    """Leaves no note: what an earlier run began can be done again."""
    return phase, record


class Wants(Struct, frozen=True):
    """What the caller of a closing stage wants.

    Attributes:
        tell: Told when a stage begins.
        reach: Told what the run is at, before it does what cannot be done twice.
        register: Register the model if the gate lets it pass.
    """

    tell: Callable[[Progress], None]
    reach: Callable[[RunPhase, RunRecord], object] = _note_nothing
    register: bool = True


def value_metrics(opened: OpenedPipeline, result: StepsResult) -> tuple[MetricValue, ...]:
    """Returns the metrics that the configuration takes from values, for notebooks without `%mlops metric` lines.

    Raises:
        UsageError: a value is no number.
        StepFailed: a value was not handed over.
    """
    return tuple(
        MetricValue(
            source.name, _number(source.name, source.value.name, load_value(opened.folder, result, source.value.name))
        )
        for source in opened.pipeline.metrics
    )


def _number(metric: str, name: str, value: object) -> float:
    number = as_number(value)
    if number is None:
        raise UsageError(
            f"the metric {metric!r} is taken from {name!r}, which is of type {type(value).__name__}, not a number",
            "name a variable that holds a number in [pipelines.NAME] metrics of nbmlops.toml",
        )
    return number


def close_run(
    opened: OpenedPipeline,
    stores: Stores,
    record: RunRecord,
    result: StepsResult,
    wants: Wants,
) -> RunOutcome:
    """Returns the outcome of a run after gate and registration, as far as the pipeline has them.

    Args:
        opened: The pipeline.
        stores: Where runs and models are.
        record: The run, with its id and metrics.
        result: Where the steps' values are.
        wants: What the caller wants done and told.

    Raises:
        EnvironmentFault: the tracking store cannot be used.
    """
    if not opened.judges:
        return RunOutcome(record)
    from nbmlops.app.judging.evidence import Judged  # noqa: PLC0415 - likewise
    from nbmlops.app.running.closing import judge  # noqa: PLC0415 - a run that executes nothing was judged before

    wants.tell(StageStarted("gate"))
    judged = Judged(record.run_id, opened.model_name, opened.root)
    verdict = judge(stores, judged, record.metrics, opened.config.policy)
    record = replace(record, verdict=verdict_to_json(verdict))
    if not verdict.passed:
        return RunOutcome(replace(record, status=RunStatus.GATE_REJECTED), verdict)
    if opened.pipeline.register is None:
        return RunOutcome(record, verdict)
    if not wants.register:
        return RunOutcome(record, verdict, notes=("not registered, as asked (--no-register)",))
    return registered(opened, stores, RunOutcome(record, verdict), result, wants)


def registered(
    opened: OpenedPipeline, stores: Stores, outcome: RunOutcome, result: StepsResult, wants: Wants
) -> RunOutcome:
    """Returns the outcome of a run that passed the gate, with its version; if that fails, with the fault.

    Args:
        opened: The pipeline, which registers a model.
        stores: Where runs and models are.
        outcome: The run so far, with its passing verdict.
        result: Where the steps' values are.
        wants: As for `close_run`.
    """
    assert outcome.verdict is not None
    wants.tell(StageStarted("register"))
    wants.reach(RunPhase.REGISTERING, outcome.record)
    try:
        record = register_values(opened, stores, outcome.record, outcome.verdict, result)
    except NbmlopsError as fault:
        return replace(outcome, record=replace(outcome.record, status=RunStatus.FAILED), fault=fault)
    return replace(outcome, record=record)


def register_values(
    opened: OpenedPipeline, stores: Stores, record: RunRecord, verdict: Verdict, result: StepsResult
) -> RunRecord:
    """Returns the record with the version that the run's model became.

    Raises:
        UsageError: the pipeline registers nothing, or the model cannot be stored safely.
        GateRejected: the verdict is not a passing one.
        StepFailed: the model or its data cannot be loaded.
        EnvironmentFault: the registry cannot be used.
    """
    stage = opened.pipeline.register
    if stage is None or stage.data is None:
        raise UsageError(
            f"the pipeline {opened.pipeline.name!r} registers no model",
            "add `%mlops register MODEL --data FRAME` to the notebook, or model and data to nbmlops.toml; then compile",
        )
    from nbmlops.app.running.closing import Registration, register_model  # noqa: PLC0415 - as the gate

    registration = Registration(
        model_name=stage.model_name,
        model=load_value(opened.folder, result, stage.model.name),
        features=load_value(opened.folder, result, stage.data.name),
        lineage=record.lineage,
        metrics=record.metrics,
    )
    version = register_model(stores, verdict, registration, promote_on_pass=opened.config.promote_on_pass)
    return replace(record, model_version=version.ref)
