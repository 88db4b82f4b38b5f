"""What differs between two runs or versions, from their stories alone: parameters, metrics, data, code, environment."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from nbmlops.core.diagnostics import Json
from nbmlops.data.profiles.diff import DataDiff, diff_records
from nbmlops.gate.policy import Direction, known_direction
from nbmlops.pipeline.run_codec import finite
from nbmlops.registry.story import RunStory, Story
from nbmlops.tracking.provenance import CodeCell, Provenance

SCHEMA = "nbmlops/diff/1"
_CONTEXT = 3
_ALIKE = 0.6
"""How alike the texts of two cells without common ids must be to count as one that was changed (difflib's own rule)."""


class Change(Struct, frozen=True):
    """Something with a name that differs; None on the side that lacks it."""

    name: str
    before: str | None
    after: str | None


class MetricChange(Struct, frozen=True):
    """A metric on both sides, None where one lacks it; `better` says whether it got better, None for unknown."""

    name: str
    before: float | None
    after: float | None
    better: bool | None = None


class CellChange(Struct, frozen=True):
    """A code cell that differs.

    Attributes:
        what: "added", "removed", "changed" or "moved".
        id: Its id, "" where none is known.
        number: Its place in the newer one, of a removed cell in the older one.
        step: Its step, likewise.
        lines: The lines of a unified diff without its head; of added and removed cells all their lines.
    """

    what: str
    id: str
    number: int
    step: str
    lines: tuple[str, ...]


class StoryDiff(Struct, frozen=True):
    """What differs between two stories.

    Attributes:
        subjects: What is compared.
        facts: What else differs: commit, pipeline version, gate.
        parameters: Those that differ.
        metrics: All of both, those that differ first.
        data: What changed in data of the same name.
        data_alone: (name, "before" or "after") of data that only one has.
        data_same: Names of data that is equal.
        cells: The code cells that differ, None where one of the two did not keep its cells.
        cells_same: How many are equal.
        packages: Those whose version differs, None where one of the two did not keep them.
        environment: Python and platform, where they differ.
        notes: What could not be compared.
    """

    subjects: tuple[str, str]
    facts: tuple[Change, ...]
    parameters: tuple[Change, ...]
    metrics: tuple[MetricChange, ...]
    data: tuple[DataDiff, ...]
    data_alone: tuple[tuple[str, str], ...]
    data_same: tuple[str, ...]
    cells: tuple[CellChange, ...] | None
    cells_same: int
    packages: tuple[Change, ...] | None
    environment: tuple[Change, ...]
    notes: tuple[str, ...] = ()

    @property
    def metrics_changed(self) -> bool:
        """Whether any metric differs."""
        return any(repr(one.before) != repr(one.after) for one in self.metrics)


def diff_stories(before: Story, after: Story, directions: Mapping[str, Direction] | None = None) -> StoryDiff:
    """Returns what differs between two stories.

    Args:
        before: The older one.
        after: The newer one.
        directions: What the project says of metrics: which way they get better.
    """
    old, new = before.run, after.run
    notes = [f"{side.subject}: {note}" for side in (before, after) for note in side.notes]
    if old is None or new is None:
        gone = " and ".join(side.subject for side in (before, after) if side.run is None)
        notes.append(f"the run of {gone} is not there, so that only metrics can be compared")
    alone, same, changed = _data(old, new)
    cells, kept = _cells(old, new)
    packages = _packages(old, new)
    if old is not None and new is not None:
        notes += [
            f"{story.subject} kept neither cells nor packages, so that code and environment are not compared in full"
            for story, run in ((before, old), (after, new))
            if run.provenance is None
        ]
    return StoryDiff(
        subjects=(before.subject, after.subject),
        facts=tuple(_changes(_facts(before), _facts(after))),
        parameters=tuple(_changes(old.facts.params if old else {}, new.facts.params if new else {})),
        metrics=tuple(_metrics(_measured(before), _measured(after), directions or {})),
        data=changed,
        data_alone=alone,
        data_same=same,
        cells=cells,
        cells_same=kept,
        packages=packages,
        environment=tuple(_changes(_environment(old), _environment(new))),
        notes=tuple(notes),
    )


def _changes(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Change]:
    for name in dict.fromkeys((*before, *after)):
        if before.get(name) != after.get(name):
            yield Change(name, before.get(name), after.get(name))


def _facts(story: Story) -> dict[str, str]:
    run = story.run
    if run is None:
        return {}
    state = {True: " with changes", False: "", None: ""}[run.dirty]
    diff = run.provenance.diff.sha256[:12] if run.provenance is not None else ""
    found = {
        "git commit": f"{run.commit}{state}" if run.commit else "",
        "changes that are not in the commit (sha256)": diff,
        "notebook digest": run.notebook_digest,
        "pipeline version": run.pipeline_version,
        "gate": run.gate.summary if run.gate is not None else "",
        "reproducible": run.reproducible,
    }
    return {name: text for name, text in found.items() if text}


def _environment(run: RunStory | None) -> dict[str, str]:
    return {} if run is None else {"Python": run.python, "platform": run.platform}


def _measured(story: Story) -> Mapping[str, float]:
    """Returns the metrics of a run; of a version whose run is gone, those that it was registered with."""
    if story.run is not None:
        return story.run.facts.metrics
    return story.version.metrics if story.version is not None else {}


def _metrics(
    before: Mapping[str, float], after: Mapping[str, float], directions: Mapping[str, Direction]
) -> Iterator[MetricChange]:
    names = list(dict.fromkeys((*before, *after)))
    for name in sorted(names, key=lambda name: repr(before.get(name)) == repr(after.get(name))):
        old, new = before.get(name), after.get(name)
        direction = directions.get(name) or known_direction(name)
        better = None
        if old is not None and new is not None and (old < new or new < old) and direction is not None:
            better = (new > old) is (direction is Direction.HIGHER)
        yield MetricChange(name, old, new, better)


def _data(
    old: RunStory | None, new: RunStory | None
) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...], tuple[DataDiff, ...]]:
    sides = [{record.name: record for record in run.data} if run is not None else {} for run in (old, new)]
    before, after = sides
    alone = [(name, "before") for name in before if name not in after]
    alone += [(name, "after") for name in after if name not in before]
    both = [name for name in before if name in after]
    same = tuple(name for name in both if before[name].digest == after[name].digest)
    changed = tuple(diff_records(before[name], after[name]) for name in both if name not in same)
    return tuple(alone), same, changed


def _packages(old: RunStory | None, new: RunStory | None) -> tuple[Change, ...] | None:
    before, after = _kept(old), _kept(new)
    if before is None or after is None:
        return None
    return tuple(sorted(_changes(before.packages, after.packages), key=lambda change: change.name))


def _kept(run: RunStory | None) -> Provenance | None:
    return run.provenance if run is not None else None


def _cells(old: RunStory | None, new: RunStory | None) -> tuple[tuple[CellChange, ...] | None, int]:
    before, after = _kept(old), _kept(new)
    if before is None or after is None or not before.cells or not after.cells:
        return None, 0
    pairs = _pairs(before.cells, after.cells)
    moved = _moved(pairs)
    changes: list[CellChange] = []
    same = 0
    for left, right in pairs:
        if left is not None and right is not None and left.source == right.source and right not in moved:
            same += 1
        else:
            changes.append(_change(left, right))
    return tuple(changes), same


def _pairs(before: Sequence[CodeCell], after: Sequence[CodeCell]) -> list[tuple[CodeCell | None, CodeCell | None]]:
    """Returns which cell became which, in the order of the newer ones, removed ones after the cell they stood behind.

    Cells are the same by their ids; of the others those that say the same, then those that are much alike.
    """
    partner: dict[int, int] = {}  # place after -> place before
    ids = {cell.id: place for place, cell in enumerate(before) if cell.id}
    for place, cell in enumerate(after):
        if cell.id in ids:
            partner[place] = ids.pop(cell.id)
    for alike in (_equal, _similar):
        free = [place for place in range(len(before)) if place not in partner.values()]
        for place, cell in enumerate(after):
            if place in partner:
                continue
            found = next((other for other in free if alike(before[other].source, cell.source)), None)
            if found is not None:
                free.remove(found)
                partner[place] = found
    removed = [place for place in range(len(before)) if place not in partner.values()]
    result: list[tuple[CodeCell | None, CodeCell | None]] = []
    for place, cell in enumerate(after):
        left = partner.get(place)
        while left is not None and removed and removed[0] < left:
            result.append((before[removed.pop(0)], None))
        result.append((before[left] if left is not None else None, cell))
    return [*result, *((before[place], None) for place in removed)]


def _equal(before: str, after: str) -> bool:
    return before == after


def _similar(before: str, after: str) -> bool:
    matcher = difflib.SequenceMatcher(None, before.splitlines(), after.splitlines(), autojunk=False)
    return matcher.real_quick_ratio() >= _ALIKE and matcher.ratio() >= _ALIKE


def _moved(pairs: Sequence[tuple[CodeCell | None, CodeCell | None]]) -> list[CodeCell]:
    """Returns the newer cells of pairs that stand before one that they stood behind: as few as explain the order."""
    both = [(left.number, right) for left, right in pairs if left is not None and right is not None]
    numbers = [number for number, _ in both]
    order = difflib.SequenceMatcher(None, sorted(numbers), numbers, autojunk=False)
    kept = {place for block in order.get_matching_blocks() for place in range(block.b, block.b + block.size)}
    return [right for place, (_, right) in enumerate(both) if place not in kept]


def _change(left: CodeCell | None, right: CodeCell | None) -> CellChange:
    if left is not None and right is not None and left.source == right.source:
        return CellChange("moved", right.id, right.number, right.step, ())
    what = "added" if left is None else "removed" if right is None else "changed"
    cell = right if right is not None else left
    assert cell is not None
    old, new = (side.source.splitlines() if side is not None else [] for side in (left, right))
    lines = list(difflib.unified_diff(old, new, lineterm="", n=_CONTEXT))[2:]
    # Where there is one side only, the place of its lines says nothing.
    return CellChange(what, cell.id, cell.number, cell.step, tuple(lines if what == "changed" else lines[1:]))


def diff_to_json(diff: StoryDiff) -> dict[str, Json]:
    """Returns the document (docs/reference/schemas/diff.json)."""
    return {
        "schema": SCHEMA,
        "before": diff.subjects[0],
        "after": diff.subjects[1],
        "facts": [_change_to_json(change) for change in diff.facts],
        "parameters": [_change_to_json(change) for change in diff.parameters],
        "metrics": [
            {"name": one.name, "before": _number(one.before), "after": _number(one.after), "better": one.better}
            for one in diff.metrics
        ],
        "data": {
            "changed": [one.to_json() for one in diff.data],
            "alone": [[name, side] for name, side in diff.data_alone],
            "same": list(diff.data_same),
        },
        "code": None
        if diff.cells is None
        else {
            "cells": [
                {"what": one.what, "id": one.id, "number": one.number, "step": one.step, "diff": list(one.lines)}
                for one in diff.cells
            ],
            "same": diff.cells_same,
        },
        "environment": {
            "facts": [_change_to_json(change) for change in diff.environment],
            "packages": None if diff.packages is None else [_change_to_json(change) for change in diff.packages],
        },
        "notes": list(diff.notes),
        "diagnostics": [],
    }


def _number(value: float | None) -> Json:
    return finite(value)


def _change_to_json(change: Change) -> dict[str, Json]:
    return {"name": change.name, "before": change.before, "after": change.after}
