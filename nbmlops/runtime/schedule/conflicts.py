"""What one step may do to another beside the values that it hands over, judged by what both did. No effects here."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import PurePath

from nbmlops.runtime.reuse.records import StepOutcome
from nbmlops.runtime.steps.listings import Question

FORESEEN = frozenset({"figure display"})
"""Parts of the ambient state of which a step may be given what an earlier one is expected to leave.

In its turn that is compared with what was left (`early.obstacles`): only if it is the same the step's result counts.
Parts that reach no further than what a step shows: with a wrong one it leaves nothing behind that running it again
would not replace. A wrong working directory, say, would have it write its files somewhere else.
"""


def changes(outcome: StepOutcome) -> frozenset[str]:
    """Returns the files and folders that the step made or changed in any other way."""
    return frozenset({*outcome.written, *outcome.altered})


def feeds(earlier: StepOutcome, later: StepOutcome, foreseen: Collection[str] = ()) -> str:
    """Returns what of the earlier step's doing the later one begins with or reads, "" if nothing.

    Values that are handed over are not asked about here, nor what another program may have changed.

    Args:
        earlier: What the one did.
        later: What the other did.
        foreseen: Parts of the ambient state that the later one is given as the earlier one is expected to leave them.
    """
    if earlier.random_used and later.random_used:
        return "the random generators"
    settings = sorted(earlier.settings.keys() - set(foreseen))
    part = next((part for part in settings if part in later.settings_before), "")
    return part or read_of(later, changes(earlier))


def clashes(one: StepOutcome, other: StepOutcome) -> str:
    """Returns a path that both steps change, "" if there is none."""
    return _shared(changes(one), changes(other))


def read_of(outcome: StepOutcome, paths: Collection[str]) -> str:
    """Returns one of the paths that the step read, or that may be an answer to what it asked; "" if there is none."""
    if not paths:
        return ""
    single = {PurePath(ask.folder, ask.pattern).as_posix() for ask in outcome.listings if ask.question is Question.KIND}
    folders = [ask.folder for ask in outcome.listings if ask.question is not Question.KIND]
    asked = (path for path in sorted(paths) if any(PurePath(path).is_relative_to(folder) for folder in folders))
    return _shared(outcome.files.keys() | single, paths) or next(asked, "")


def _shared(some: Collection[str], others: Collection[str]) -> str:
    """Returns a path of one side that is one of the other, or stands below or above it."""
    for path in sorted(others):
        if path in some or any(_within(path, one) or _within(one, path) for one in some):
            return path
    return ""


def _within(path: str, folder: str) -> bool:
    return path.startswith(f"{folder}/")
