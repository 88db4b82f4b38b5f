"""Gathering what rules need beside logged metrics: recorded rows, the champion's predictions on them, facts.

The edge of the gate: here stores are read and numbers computed, so that the gate itself stays a pure function. The same
for the magic, the command and the pipeline. Nothing here decides; what cannot be had is told, and its rule fails.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from nbmlops.app.judging.facts import AskedFact, Fact, fact_of
from nbmlops.app.judging.recorded import Recorded
from nbmlops.app.judging.sampling import sampled
from nbmlops.app.wiring import Stores
from nbmlops.core.errors import NbmlopsError
from nbmlops.gate.baseline import Baseline, Champion, NoChampion, UnreadableChampion
from nbmlops.gate.evidence import Evidence, NotHad, NothingToCompare, Sampled
from nbmlops.gate.policy import CHAMPION, DATASET, Policy, Rule, Sample, is_named_version, measure_of
from nbmlops.gate.rule_faults import rule_faults
from nbmlops.registry.baseline import read_version
from nbmlops.registry.promote import find_version
from nbmlops.registry.registry import ModelVersion

if TYPE_CHECKING:
    from nbmlops.data.held_out.held_out import HeldOut


class Judged(Struct, frozen=True):
    """What is judged: the run, whose champion counts, and where its project is."""

    run_id: str
    model_name: str
    root: Path


def gather(stores: Stores, judged: Judged, baseline: Baseline, policy: Policy) -> Evidence:
    """Returns the evidence that the rules of a policy need.

    Args:
        stores: Where runs and models are.
        judged: The run.
        baseline: The champion, as the gate will see it.
        policy: The rules.

    Raises:
        EnvironmentFault: the tracking store cannot be used.
    """
    sound = [rule for rule in policy.rules if not rule_faults(rule)]
    gatherer = _Gatherer(stores, judged, baseline)
    facts = {(rule.fact, rule.of): gatherer.fact(rule) for rule in sound if rule.fact}
    named = {rule.baseline for rule in sound if is_named_version(rule.baseline)}
    return Evidence(
        samples={rule.name: gatherer.sample(rule, rule.sample) for rule in sound if rule.sample is not None},
        baselines={name: gatherer.named(name) for name in sorted(named)},
        facts=facts,
    )


class _Gatherer:
    """Evidence on one run; everything is read once."""

    def __init__(self, stores: Stores, judged: Judged, baseline: Baseline) -> None:
        self._stores = stores
        self._judged = judged
        self._baseline = baseline
        self._recorded = Recorded(stores.tracker, stores.registry)
        self._versions: dict[str, ModelVersion | NothingToCompare | NotHad] = {}

    def named(self, name: str) -> Baseline:
        """Returns a version by its number or alias, as a baseline for logged metrics."""
        match self._version(name):
            case NotHad(reason=reason):
                return UnreadableChampion(reason)
            case NothingToCompare():
                return NoChampion()
            case version:
                return read_version(version, self._stores.tracker)

    def sample(self, rule: Rule, sample: Sample) -> Sampled | NothingToCompare | NotHad:
        """Returns what was computed for a rule from recorded rows."""
        candidate = self._recorded.of_run(self._judged.run_id, sample.predictions)
        if isinstance(candidate, NotHad):
            return candidate
        if not rule.baseline:
            return sampled(rule, sample, candidate, None)
        if rule.baseline == DATASET:
            return self._beside_dataset(rule, sample, candidate)
        version = self._version(rule.baseline)
        if isinstance(version, NotHad | NothingToCompare):
            return version
        other = self._recorded.of_version(version, sample.predictions, candidate)
        return other if isinstance(other, NotHad) else sampled(rule, sample, candidate, other)

    def _beside_dataset(self, rule: Rule, sample: Sample, candidate: HeldOut) -> Sampled | NotHad:
        from nbmlops.data.held_out.know_nothing import know_nothing  # noqa: PLC0415  # loads what computes

        measure = measure_of(rule)
        assert measure is not None
        constant = know_nothing(measure.name, candidate.truth, candidate.prediction, candidate.threshold)
        return sampled(rule, sample, candidate, replace(candidate, prediction=constant))

    def fact(self, rule: Rule) -> Fact:
        """Returns a fact of the run."""
        asked = AskedFact(rule.fact, rule.of, self._judged.run_id, self._judged.root)
        return fact_of(asked, self._recorded, partial(self._version, CHAMPION))

    def _version(self, baseline: str) -> ModelVersion | NothingToCompare | NotHad:
        if baseline not in self._versions:
            self._versions[baseline] = self._find(baseline)
        return self._versions[baseline]

    def _find(self, baseline: str) -> ModelVersion | NothingToCompare | NotHad:
        selector = baseline.removeprefix("version ").removeprefix("@")
        if baseline == CHAMPION:
            match self._baseline:
                case NoChampion():
                    return NothingToCompare()
                case UnreadableChampion(reason=reason):
                    return NotHad(f"the champion cannot be read: {reason}")
                case Champion(version=version):
                    selector = version
        try:
            return find_version(self._stores.registry, self._judged.model_name, selector)
        except NbmlopsError as error:
            return NotHad(f"{baseline} cannot be had: {error.message}")
