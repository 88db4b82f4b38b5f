"""Judging a run again: by the rules that the configuration has now, against the champion of now."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from nbmlops.app.config.config import Config, PipelineConfig, load_config
from nbmlops.app.judging.evidence import Judged
from nbmlops.app.judging.targets import Target, find_target
from nbmlops.app.project import find_root, pipeline_names
from nbmlops.app.running.closing import judge
from nbmlops.app.running.opened import OpenedPipeline
from nbmlops.app.running.results import ResultsIndex, policy_digest
from nbmlops.app.wiring import Stores, open_existing, tracking_uri
from nbmlops.core.errors import ExitCode, UsageError
from nbmlops.gate.verdict import Verdict, Waiver, verdict_to_json
from nbmlops.pipeline.run_record import RunStatus
from nbmlops.tracking.lineage import PIPELINE, PIPELINE_VERSION
from nbmlops.tracking.tracker import RunFacts


class GateOutcome(Struct, frozen=True):
    """A verdict on a run, the name of its pipeline, and where its evidence is, for who wants to see more of it."""

    pipeline: str
    run_id: str
    verdict: Verdict
    judged: Judged | None = None
    stores: Stores | None = None

    @property
    def exit_code(self) -> ExitCode:
        """3 when the run is rejected, else 0."""
        return ExitCode.SUCCESS if self.verdict.passed else ExitCode.GATE_REJECTED


def judge_again(target: str, cwd: Path, waivers: Sequence[Waiver] = ()) -> GateOutcome:
    """Returns the verdict on a run, after storing it with the run.

    Args:
        target: A run's id, a pipeline's folder or name; "" for the only pipeline of the project.
        cwd: The folder that relative paths count from.
        waivers: Rules that somebody lets the run break.

    Raises:
        UsageError: there is no such run or pipeline, or a waiver is about no rule, gives no reason or names nobody.
        ConfigError: the configuration is malformed.
        EnvironmentFault: the tracking store cannot be used.
    """
    found = find_target(target, cwd)
    if found.opened is None:
        return _foreign(found.run_id, cwd, waivers)
    opened = found.opened
    stores = open_existing(opened.root, opened.uri, f"run it first: {opened.run_command(cwd)}")
    facts = _facts(opened, found, stores, cwd)
    judged = Judged(facts.run_id, opened.model_name, opened.root)
    verdict = judge(stores, judged, facts.metrics, opened.config.policy, waivers)
    _remember(opened, found, verdict)
    return GateOutcome(opened.pipeline.name, facts.run_id, verdict, judged, stores)


def _facts(opened: OpenedPipeline, found: Target, stores: Stores, cwd: Path) -> RunFacts:
    if found.run_id:
        return stores.tracker.run_facts(found.run_id)
    version = {PIPELINE_VERSION: opened.pipeline.version}
    facts = stores.tracker.latest_run(opened.config.experiment, version)
    if facts is None:
        raise UsageError(
            f"the pipeline {opened.pipeline.name!r}, as it is compiled now, has no run",
            f"run it first: {opened.run_command(cwd)}",
        )
    return facts


def _foreign(run_id: str, cwd: Path, waivers: Sequence[Waiver]) -> GateOutcome:
    """Returns the verdict on a run whose results are not known here: a notebook's, or one from another machine."""
    root = find_root(cwd)
    config = load_config(root)
    stores = open_existing(root, tracking_uri(root, config.for_pipeline("")))
    facts = stores.tracker.run_facts(run_id)
    settings = _settings(config, facts, root)
    model_name = settings.model_name or settings.name
    judged = Judged(run_id, model_name, root)
    verdict = judge(stores, judged, facts.metrics, settings.policy, waivers)
    return GateOutcome(settings.name, run_id, verdict, judged, stores)


def _settings(config: Config, facts: RunFacts, root: Path) -> PipelineConfig:
    """Returns the settings of the run's pipeline; for runs that do not name it, by the experiment they log to."""
    if PIPELINE in facts.tags:
        return config.for_pipeline(facts.tags[PIPELINE])
    names = dict.fromkeys([*config.document.pipelines, *pipeline_names(root)])
    fitting = [name for name in names if config.for_pipeline(name).experiment == facts.experiment]
    return config.for_pipeline(fitting[0] if len(fitting) == 1 else facts.experiment)


def _remember(opened: OpenedPipeline, found: Target, verdict: Verdict) -> None:
    """Lets later runs that execute nothing report the new verdict."""
    if found.known is None:
        return
    status = RunStatus.SUCCEEDED if verdict.passed else RunStatus.GATE_REJECTED
    record = replace(found.known.record, status=status, verdict=verdict_to_json(verdict))
    index = ResultsIndex(opened.root, opened.pipeline.name)
    index.remember(found.known.digest, record, policy_digest(opened.config.policy))
