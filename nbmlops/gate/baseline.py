"""What a run is compared with: the champion, no champion yet, or a champion that exists but cannot be read.

The registry's reader makes one of the three; `nbmlops.gate.evaluate` matches them exhaustively.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field


class NoChampion(Struct, frozen=True):
    """The model's name has no champion yet: relative rules do not apply."""


class Champion(Struct, frozen=True):
    """The version that is live, with the metrics that its run logged."""

    name: str
    version: str
    metrics: Mapping[str, float] = field(default_factory=dict)


class UnreadableChampion(Struct, frozen=True):
    """A champion exists or may exist, but its metrics cannot be had: relative rules fail.

    `reason` stands in the verdict's canonical body, so it holds no run id and no time.
    """

    reason: str


Baseline = NoChampion | Champion | UnreadableChampion


def describe_baseline(baseline: Baseline) -> str:
    """Returns the baseline as the verdict names it."""
    match baseline:
        case NoChampion():
            return "no champion"
        case Champion(name=name, version=version):
            return f"{name} version {version}"
        case UnreadableChampion(reason=reason):
            return f"champion cannot be read: {reason}"
