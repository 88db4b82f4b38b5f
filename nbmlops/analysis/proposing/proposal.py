"""A proposal of steps, as records: what begins where, what it is called, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from nbmlops.pipeline.ir import Input


class StepsFrom(StrEnum):
    """Where the steps of a notebook come from, if not from its tags.

    INFERRED: headings, data flow and what cells do. HEADINGS: one below each heading. PER_CELL: each code cell is one.
    ONE: the whole notebook is one.
    """

    INFERRED = "inferred"
    HEADINGS = "headings"
    PER_CELL = "per-cell"
    ONE = "one"


class ProposedStep(Struct, frozen=True):
    """One step of a proposal.

    Attributes:
        name: Its name.
        begins: Number of the cell that it begins at.
        cells: Numbers of its code cells.
        reasons: Why it begins there, in plain words.
        inputs: What it reads from steps above.
        crossing: Names that live at its beginning: made above, read in it or below.
    """

    name: str
    begins: int
    cells: tuple[int, ...]
    reasons: tuple[str, ...]
    inputs: tuple[Input, ...] = ()
    crossing: tuple[str, ...] = ()

    def why(self) -> str:
        """Returns the reasons and what crosses the border, in one line."""
        sources = dict.fromkeys(value.step for value in self.inputs)
        reads = [
            f"reads {_listed([value.name for value in self.inputs if value.step == source])} from {source}"
            for source in sources
        ]
        count = len(self.crossing)
        cross = [f"{count} name{'s' if count != 1 else ''} cross{'es' if count == 1 else ''}"] if count else []
        return "; ".join([*self.reasons, *reads, *cross])


class ProposedTag(Struct, frozen=True):
    """Another tag than a step's: `parameters`, `imports` or `functions`."""

    cell: int
    tag: str
    why: str


class MergedBorder(Struct, frozen=True):
    """A border that was left out, because compiling would refuse the notebook with it, and the refusal."""

    cell: int
    step: str
    code: str
    message: str


class Proposal(Struct, frozen=True):
    """How a notebook could be cut into steps.

    Attributes:
        source: What the borders come from.
        steps: In order; none for a notebook that stays in one piece.
        tags: Tags of cells that belong to no step.
        merged: Borders that were left out.
    """

    source: StepsFrom
    steps: tuple[ProposedStep, ...] = ()
    tags: tuple[ProposedTag, ...] = ()
    merged: tuple[MergedBorder, ...] = ()

    def cuts(self) -> Mapping[int, str]:
        """Returns cell number -> name of the step that begins there, as `retag` takes it."""
        return {step.begins: step.name for step in self.steps}

    def roles(self) -> Mapping[int, str]:
        """Returns cell number -> tag of cells that belong to no step, as `retag` takes it."""
        return {tag.cell: tag.tag for tag in self.tags}

    def left_out(self) -> Mapping[str, Sequence[MergedBorder]]:
        """Returns the borders that were left out, by the refusal that each would lead to."""
        found: dict[str, list[MergedBorder]] = {}
        for border in self.merged:
            found.setdefault(f"{border.message} ({border.code})", []).append(border)
        return found


_SHOWN_NAMES = 4


def _listed(names: list[str]) -> str:
    more = len(names) - _SHOWN_NAMES
    return ", ".join(names[:_SHOWN_NAMES]) + (f" and {more} more" if more > 0 else "")
