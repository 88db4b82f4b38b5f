"""Where steps could begin: at headings, and where what cells do changes; each border with its reasons and a weight."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from msgspec import Struct
from msgspec.structs import replace

from nbmlops.analysis.proposing.cell_facts import CellFacts
from nbmlops.analysis.proposing.step_names import LOWEST, Heading, first_words, headings_of, name_from_text, shortened
from nbmlops.analysis.proposing.work import Work
from nbmlops.notebook.model import Notebook

MOST_STEPS = 8
_ENOUGH_STEPS = 3
_FEWEST_SHOWN = 3
_THRESHOLD = 3.0
_OF_HEADING = 6.0
# What a change from one kind of work to another weighs; "" stands for any other kind.
_CHANGES = {
    (Work.LOAD, Work.PREPARE): 3.0,
    (Work.NONE, Work.PREPARE): 3.0,
    (Work.LOAD, Work.TRAIN): 4.0,
    (Work.PREPARE, Work.TRAIN): 4.0,
    (Work.NONE, Work.TRAIN): 4.0,
    (Work.EVALUATE, Work.TRAIN): 3.0,
    (Work.TRAIN, Work.EVALUATE): 3.0,
}
_OTHER_CHANGE = 2.0
_VERBS = {
    Work.LOAD: "loads data",
    Work.PREPARE: "prepares data",
    Work.EXPLORE: "explores",
    Work.TRAIN: "trains",
    Work.EVALUATE: "evaluates",
    Work.SAVE: "saves",
}


class Border(Struct, frozen=True):
    """A place where a step could begin.

    Attributes:
        fact: The cell it begins at.
        weight: How good a place it is.
        heading: The heading above, "" for none.
        reasons: In plain words.
        name: What the step could be called; names of several borders may be equal.
    """

    fact: CellFacts
    weight: float
    heading: str = ""
    reasons: tuple[str, ...] = ()
    name: str = ""


def inferred_borders(notebook: Notebook, facts: Sequence[CellFacts]) -> list[Border]:
    """Returns the borders of three to eight steps, as far as the notebook gives reasons for them.

    Args:
        notebook: The notebook.
        facts: The cells that belong to steps, in order.
    """
    headings = _headings_above(notebook, facts)
    levels = _levels(headings[1:])
    by_heading: dict[int, float] = {}
    for depth, level in enumerate(levels):
        if len(by_heading) + 1 >= _ENOUGH_STEPS:
            break
        weight = _OF_HEADING - depth
        by_heading |= {
            position: weight
            for position, above in enumerate(headings)
            if position and any(heading.level == level for heading in above)
        }
    weights = _without_shows(facts, by_heading)
    if len(weights) + 1 < _ENOUGH_STEPS:
        weights = _changes_of_work(facts) | weights
    best = sorted(weights, key=lambda position: (-(weights[position] + _ease(facts[position])), position))
    chosen = [0, *sorted(best[: MOST_STEPS - 1])]
    return _described(facts, headings, chosen, weights)


def heading_borders(notebook: Notebook, facts: Sequence[CellFacts]) -> list[Border]:
    """Returns a border below each heading that has code."""
    headings = _headings_above(notebook, facts)
    chosen = [position for position in range(len(facts)) if not position or headings[position]]
    return _described(facts, headings, chosen, dict.fromkeys(chosen, _OF_HEADING))


def cell_borders(notebook: Notebook, facts: Sequence[CellFacts]) -> list[Border]:
    """Returns a border at each cell."""
    headings = _headings_above(notebook, facts)
    digits = max(2, len(str(len(notebook.cells))))
    found = []
    for fact, above in zip(facts, headings, strict=True):
        name = name_from_text(_heading(above)) or first_words(fact.cell) or f"cell_{fact.cell.number:0{digits}}"
        found.append(Border(fact, 0.0, _heading(above), ("each cell is a step",), name))
    return found


def _headings_above(notebook: Notebook, facts: Sequence[CellFacts]) -> list[list[Heading]]:
    """Returns for each cell the headings between the one above and itself, the notebook's title left out."""
    found: list[list[Heading]] = []
    before = 0
    for fact in facts:
        cells = notebook.cells[before : fact.cell.number - 1]
        found.append([heading for cell in cells for heading in headings_of(cell) if heading.level <= LOWEST])
        before = fact.cell.number
    if not found or not found[0]:
        return found
    first = found[0][0]
    others = [heading for above in found for heading in above if heading is not first]
    if all(heading.level > first.level for heading in others) and (others or first.level == 1):
        found[0] = found[0][1:]
    return found


def _levels(headings: Iterable[Sequence[Heading]]) -> list[int]:
    return sorted({heading.level for above in headings for heading in above})


def _heading(above: Sequence[Heading]) -> str:
    """Returns the heading that a step below several of them is about: the last of the highest level."""
    highest = min((heading.level for heading in above), default=0)
    return next((heading.text for heading in reversed(above) if heading.level == highest), "")


def _without_shows(facts: Sequence[CellFacts], weights: dict[int, float]) -> dict[int, float]:
    """Returns the borders without those of one or two cells that only show something: they stay with the step above."""
    places = [*sorted(weights), len(facts)]
    kept = {}
    for begin, end in pairwise(places):
        section = facts[begin:end]
        if len(section) >= _FEWEST_SHOWN or not all(_only_shows(fact) for fact in section):
            kept[begin] = weights[begin]
    return kept


def _only_shows(fact: CellFacts) -> bool:
    return fact.shows_only and fact.work.work in {Work.NONE, Work.EXPLORE, Work.PREPARE}


def _changes_of_work(facts: Sequence[CellFacts]) -> dict[int, float]:
    """Returns the places where cells begin to do something else, as far as that weighs enough."""
    found = {}
    changes: list[tuple[int, Work, Work]] = []
    now = _phase(facts[0])
    for position, fact in enumerate(facts[1:], start=1):
        work = _phase(fact)
        if work in {Work.NONE, now}:
            continue
        weight = _CHANGES.get((now, work), _OTHER_CHANGE)
        if weight + _ease(fact) >= _THRESHOLD:
            found[position] = weight
        changes.append((position, now, work))
        now = work
    if (Work.EVALUATE, Work.TRAIN) in {(before, after) for _, before, after in changes}:
        # Several models, one after the other: one step for each, not two.
        return {p: w for p, w in found.items() if (p, Work.TRAIN, Work.EVALUATE) not in changes}
    return found


def _phase(fact: CellFacts) -> Work:
    """Returns what a cell is for, as far as that can begin a step: showing something never does."""
    work = fact.work.work
    return Work.NONE if work is Work.EXPLORE or _only_shows(fact) else work


def _ease(fact: CellFacts) -> float:
    """Returns how easy it is to cut above a cell: the fewer names cross, the better."""
    live = len(fact.live)
    return 1.0 if live <= 2 else 0.5 if live <= 4 else 0.0 if live <= 8 else -1.0


def _described(
    facts: Sequence[CellFacts], headings: Sequence[Sequence[Heading]], chosen: Sequence[int], weights: dict[int, float]
) -> list[Border]:
    found = []
    for position, end in zip(chosen, [*chosen[1:], len(facts)], strict=True):
        heading = _heading(headings[position])
        section = facts[position:end]
        work = next((fact.work for fact in section if _phase(fact) is not Work.NONE), None)
        if work is None and all(fact.shows_only for fact in section):
            work = next((fact.work for fact in section if fact.work.work is not Work.NONE), None)
        reasons = [f"heading '{heading}'"] if heading else []
        if work is not None:
            reasons.append(f"{_VERBS[work.work]}: `{work.call}`")
        name = name_from_text(heading) or (work.work.value if work else "") or shortened(heading) or "start"
        border = Border(facts[position], weights.get(position, _OF_HEADING), heading, tuple(reasons), name)
        found.append(border if reasons else replace(border, reasons=("the first cell that computes",)))
    return found
