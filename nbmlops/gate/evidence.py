"""What a verdict rests on beside logged metrics: estimates on recorded rows, other baselines, facts. Plain records.

Comes in from `nbmlops.app.judging.evidence`, which loads and computes. What could not be had is told by a text in its
place, and the rules that need it fail.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from nbmlops.core.diagnostics import Json
from nbmlops.core.estimates import Estimate
from nbmlops.gate.baseline import Baseline


class NotHad(Struct, frozen=True):
    """Evidence that could not be had, and why. The reason holds no run id and no time: it stands in the verdict."""

    reason: str


class NothingToCompare(Struct, frozen=True):
    """There is no champion yet: rules against it do not apply."""


class Found(Struct, frozen=True):
    """A fact with what lies behind its number.

    Attributes:
        value: The number.
        said: What it counts, by name, for whoever reads that the rule fails; "" where there is nothing.
        detail: The same for reports: plain JSON, kept in the verdict.
    """

    value: float
    said: str = ""
    detail: Mapping[str, Json] = field(default_factory=dict)


class Sampled(Struct, frozen=True):
    """What was computed for one rule from recorded rows.

    Attributes:
        estimates: One for each slice, or one for all rows.
        groups: For rules about differences between groups: a rate of each group, for people.
    """

    estimates: tuple[Estimate, ...]
    groups: tuple[Estimate, ...] = ()


class Evidence(Struct, frozen=True):
    """Evidence by rule.

    Attributes:
        samples: Name of a rule with a sample -> what was computed for it.
        baselines: A rule's baseline ("version 3", "@challenger") -> that version; the champion is not among them.
        facts: (fact, of) -> its value.
    """

    samples: Mapping[str, Sampled | NothingToCompare | NotHad] = field(default_factory=dict)
    baselines: Mapping[str, Baseline] = field(default_factory=dict)
    facts: Mapping[tuple[str, str], float | Found | NothingToCompare | NotHad] = field(default_factory=dict)


NO_EVIDENCE = Evidence()
