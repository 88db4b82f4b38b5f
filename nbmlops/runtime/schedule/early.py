"""Whether what a step did before its turn is what it would have done in its turn. No effects here."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from nbmlops.pipeline.run_record import StepError
from nbmlops.runtime.reuse.plan import Grounds, ground_changes, part_changes
from nbmlops.runtime.reuse.records import CacheRecord, KeyParts, StepOutcome
from nbmlops.runtime.schedule.conflicts import changes, clashes, read_of
from nbmlops.runtime.steps.context import StepReport

_LIVE = "it left values that cannot be stored"


class Beside(Struct, frozen=True):
    """A step that another one ran beside, and what it did."""

    step: str
    outcome: StepOutcome


def obstacles(record: CacheRecord, parts: KeyParts, grounds: Grounds, beside: Iterable[Beside]) -> tuple[str, ...]:
    """Returns why a step that ran before its turn has to run again; nothing if it has not.

    Args:
        record: What it did.
        parts: What it is keyed by, now that its turn has come.
        grounds: What else it depends on, as it is now.
        beside: Earlier steps that it ran beside.
    """
    both = [(other.step, clashes(other.outcome, record.outcome)) for other in beside]
    return (
        *part_changes(parts, record.parts),
        *ground_changes(record, grounds),
        *(f"step {step} changed {path}, too" for step, path in both if path),
        *([_LIVE] if record.outcome.live else []),
    )


def disorder(own: Beside, earlier: Iterable[Beside], later: Iterable[Beside], pipeline: str) -> StepError | None:
    """Returns the error of a step that may have seen a file as a later one left it, or the other way round.

    It cannot be undone by running the one that saw it again; None if there is nothing of that kind.

    Args:
        own: The step.
        earlier: Steps before it in the notebook that were not over when it began.
        later: Steps after it in the notebook that began before it was over.
        pipeline: The pipeline's name.
    """
    pairs = [*((own, other) for other in later), *((other, own) for other in earlier)]
    for one, other in pairs:
        if path := read_of(one.outcome, changes(other.outcome)):
            return order_lost(one.step, f"it may have seen {path} as the later step {other.step!r} left it", pipeline)
    return None


def lasting(report: StepReport, beside: Iterable[Beside]) -> str:
    """Returns what a step did before its turn that running it again does not mend, "" if there is nothing.

    Args:
        report: What its process told.
        beside: Earlier steps that it ran beside.
    """
    if report.outcome is not None:  # what it wrote was looked at when it was the turn of those steps
        return f"it has changed {report.outcome.altered[0]} already" if report.outcome.altered else ""
    others = list(beside)
    if report.remains is None:
        what = "it failed, and what it had changed by then is not known"
        return f"{what}; step {others[0].step!r} may have seen it" if others else ""
    if report.remains.altered:
        return f"it has changed {report.remains.altered[0]} already"
    for other in others:
        if path := read_of(other.outcome, report.remains.written):
            return f"step {other.step!r} may have seen {path} as it left it when it failed"
    return ""


def order_lost(step: str, what: str, pipeline: str) -> StepError:
    """Returns the error of a step that did something beside others which it never did before."""
    return StepError(
        "OrderLost",
        f"step {step!r} ran at once with others, and none of them had touched such files before: {what}",
        hint=f"put the file back as it was, then run in notebook order: nbmlops run {pipeline} --jobs 1",
    )
