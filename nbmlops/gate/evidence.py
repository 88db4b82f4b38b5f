"""What a verdict rests on beside logged metrics: estimates on recorded rows, other baselines, facts. Plain records.

Comes in from `nbmlops.app.evidence`, which loads and computes. What could not be had is told by a text in its place,
and the rules that need it fail.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nbmlops.core.estimates import Estimate
from nbmlops.gate.baseline import Baseline


@dataclass(frozen=True, slots=True)
class NotHad:
    """Evidence that could not be had, and why. The reason holds no run id and no time: it stands in the verdict."""

    reason: str


@dataclass(frozen=True, slots=True)
class NothingToCompare:
    """There is no champion yet: rules against it do not apply."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """What was computed for one rule from recorded rows.

    Attributes:
        estimates: One for each slice, or one for all rows.
        groups: For rules about differences between groups: a rate of each group, for people.
    """

    estimates: tuple[Estimate, ...]
    groups: tuple[Estimate, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """Evidence by rule.

    Attributes:
        samples: Name of a rule with a sample -> what was computed for it.
        baselines: A rule's baseline ("version 3", "@challenger") -> that version; the champion is not among them.
        facts: (fact, of) -> its value.
    """

    samples: Mapping[str, Sampled | NothingToCompare | NotHad] = field(default_factory=dict)
    baselines: Mapping[str, Baseline] = field(default_factory=dict)
    facts: Mapping[tuple[str, str], float | NothingToCompare | NotHad] = field(default_factory=dict)


NO_EVIDENCE = Evidence()
