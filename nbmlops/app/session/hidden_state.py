"""Hidden state: would the notebook, run from top to bottom in a new kernel, end with the values that are there now?

Comes in: the cells as they ran and the notebook as it is. Both are followed symbolically: a name's value is what made
it, a digest of the statement and of the values that it reads, as the analysis of the compiler tells them. Where the two
ends differ, the reasons are looked for. Pure; what a statement does outside of the namespace (files, random numbers) is
not seen.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from nbmlops.analysis.analyze import build_round
from nbmlops.analysis.model import ClosingNames
from nbmlops.analysis.statements import Unit
from nbmlops.core.digest import digest_json
from nbmlops.notebook.reader import parse_notebook
from nbmlops.tracking.cells import CellOutcome, CellRun

_INJECTED = "# Parameters\n"
_SKIP = "skip"
_PARTIAL = {CellOutcome.FAILED, CellOutcome.INTERRUPTED}
_MOST_REASONS = 5
_MOST_NAMES = 3

State = Mapping[str, str]


class CellNow(Struct, frozen=True):
    """A code cell of the notebook's file: id, number among all cells, source, tags."""

    id: str
    number: int
    source: str
    tags: tuple[str, ...] = ()


class Reproducible(Struct, frozen=True):
    """Whether a new run from top to bottom would end as this one: None where that cannot be told; why not."""

    answer: bool | None
    reasons: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.answer:
            return "yes, as far as the cells tell"
        return f"{'unknown' if self.answer is None else 'no'}, because {'; '.join(self.reasons)}"


class _Step(Struct, frozen=True):
    """One cell in one of the two sequences.

    Attributes:
        cell: The notebook's cell, None if it is no longer there.
        source: What ran, or would run.
        partial: Whether it ended before its end.
        reads: Names it reads.
        writes: Names it binds, changes or deletes.
    """

    cell: CellNow | None
    source: str
    partial: bool = False
    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()


class _Followed(Struct, frozen=True):
    """A sequence of cells with the values that it ends with."""

    steps: tuple[_Step, ...]
    state: State = field(default_factory=dict)


def hidden_state(
    runs: Sequence[CellRun], notebook: Sequence[CellNow], saved: int, deleted: Collection[str] = ()
) -> Reproducible:
    """Returns whether the notebook would give the same values again.

    Args:
        runs: The cells that ran, oldest first.
        notebook: The code cells of the file, in order.
        saved: When the file was saved, in milliseconds since 1970. What ran later is newer than the file.
        deleted: Ids of cells that the front end says are gone, whether or not that is saved.
    """
    cells = [_fresh(cell, runs, saved) for cell in notebook if cell.id not in deleted]
    ran = [_placed(run, cells) for run in runs if run.outcome is not CellOutcome.REFUSED]
    if not _are_saved((run for run in runs if run.started > saved and run.cell not in deleted), cells):
        return Reproducible(None, ("cells that ran are not saved yet; save the notebook to have them looked at",))
    actual = _follow(ran)
    fresh = _follow(_from_the_top(ran, cells))
    names = _different(actual.state, fresh.state)
    if not names:
        return Reproducible(answer=True)
    reasons = list(dict.fromkeys(_reasons(actual, fresh, _touched(actual, fresh, names))))
    more = len(reasons) - _MOST_REASONS
    shown = reasons[:_MOST_REASONS] + ([f"and {more} more"] if more > 0 else [])
    return Reproducible(False, tuple(shown) or (f"a new run would give {_listed(names)} other values",))


def _are_saved(runs: Iterable[CellRun], cells: Sequence[CellNow]) -> bool:
    """Returns whether the file holds the cells of these runs, which are newer than the file."""
    ids, texts = {cell.id for cell in cells}, {cell.source.strip() for cell in cells} | {""}
    return all(
        run.cell in ids if run.cell else run.source.strip() in texts or run.source.startswith(_INJECTED) for run in runs
    )


def _fresh(cell: CellNow, runs: Sequence[CellRun], saved: int) -> CellNow:
    """Returns the cell with the source that it has: what ran after the notebook was saved is newer than the file."""
    later = [run.source for run in runs if run.cell == cell.id and run.started > saved]
    return replace(cell, source=later[-1]) if later else cell


def _placed(run: CellRun, cells: Sequence[CellNow]) -> _Step:
    """Returns the run with its cell: of the same id, or of the same text where the front end tells no ids."""
    partial = run.outcome in _PARTIAL
    for cell in cells:
        if cell.id == run.cell or (not run.cell and cell.source.strip() == run.source.strip()):
            return _Step(cell, run.source, partial)
    return _Step(None, run.source, partial)


def _from_the_top(ran: Sequence[_Step], cells: Sequence[CellNow]) -> list[_Step]:
    """Returns what a new run would execute: the notebook's cells as far as they have been run, in its order."""
    did = {step.cell.id for step in ran if step.cell is not None}
    last = max((place for place, cell in enumerate(cells) if cell.id in did), default=-1)
    wanted = [cell for cell in cells[: last + 1] if cell.id in did or _SKIP not in cell.tags]
    steps = [_Step(cell, cell.source) for cell in wanted]
    before: str | None = None
    for step in ran:
        if step.cell is not None:
            before = step.cell.id
        elif step.source.startswith(_INJECTED):  # papermill adds this one again
            place = next((at for at, one in enumerate(steps, 1) if one.cell and one.cell.id == before), 0)
            steps.insert(place, step)
    return steps


def _follow(steps: Sequence[_Step]) -> _Followed:
    """Returns the steps with what they read and write, and the values in the end."""
    state: dict[str, str] = {}
    done: list[_Step] = []
    units = _units([step.source for step in steps])
    for step, own in zip(steps, units, strict=True):
        reads: set[str] = set()
        writes: set[str] = set()
        for unit in own:
            effects = unit.effects
            changed = effects.may_bind | effects.mutates
            reads |= (effects.reads | effects.mutates) - writes
            writes |= changed | effects.deletes
            _apply(unit, state, changed, partial=step.partial)
        done.append(replace(step, reads=frozenset(reads), writes=frozenset(writes)))
    return _Followed(tuple(done), state)


def _apply(unit: Unit, state: dict[str, str], changed: Iterable[str], *, partial: bool) -> None:
    """Changes the state as the statement does."""
    effects = unit.effects
    read = [[name, state.get(name, "")] for name in sorted(effects.reads | effects.mutates)]
    made = digest_json([ast.dump(unit.node), read, partial])
    for name in changed:
        certain = name in effects.binds and not partial
        state[name] = digest_json([made, name, "" if certain else state.get(name, "")])
    for name in effects.deletes:
        state.pop(name, None)


def _units(sources: Sequence[str]) -> list[list[Unit]]:
    """Returns the statements of each cell with their effects, as the compiler's analysis finds them."""
    cells = [
        {"cell_type": "code", "id": f"c{number}", "metadata": {}, "source": source, "outputs": []}
        for number, source in enumerate(sources)
    ]
    document = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    graph = build_round(parse_notebook(json.dumps(document).encode(), "notebook"), ClosingNames())
    found: list[list[Unit]] = [[] for _ in sources]
    for unit in sorted(graph.units, key=Unit.place):
        found[unit.cell.number - 1].append(unit)
    return found


def _different(one: State, other: State) -> frozenset[str]:
    """Returns the names whose values differ; those that begin with "_" are nobody's results."""
    return frozenset(
        name for name in one.keys() | other.keys() if one.get(name) != other.get(name) and not name.startswith("_")
    )


def _touched(actual: _Followed, fresh: _Followed, names: frozenset[str]) -> frozenset[str]:
    """Returns these names and all that their values are made from."""
    found = set(names)
    while True:
        more = {
            name
            for step in (*actual.steps, *fresh.steps)
            if step.writes & found
            for name in step.reads | step.writes
        }  # fmt: skip
        if more <= found:
            return frozenset(found)
        found |= more


def _reasons(actual: _Followed, fresh: _Followed, names: frozenset[str]) -> Iterator[str]:
    """Yields what makes the ends differ, the plainest first."""
    yield from _gone(actual, names)
    again = {step.cell.id: step.writes for step in fresh.steps if step.cell is not None}
    last = {step.cell.id: (place, step) for place, step in enumerate(actual.steps) if step.cell is not None}
    for place, step in last.values():
        assert step.cell is not None
        number, runs = step.cell.number, _runs_of(actual, step.cell.id)
        bound = step.writes | again.get(step.cell.id, frozenset())
        if bound & names and _meaning(step.source) != _meaning(step.cell.source):
            yield f"cell {number} was edited after it ran"
        elif step.partial and step.writes & names:
            yield f"cell {number} ended in an error, and {_listed(step.writes & names)} may be half done"
        own = step.reads & step.writes & names
        if len(runs) > 1 and own:
            yield f"cell {number} ran {len(runs)} times and changes {_listed(own)} each time"
        for later_place, later in last.values():
            assert later.cell is not None
            shared = (step.writes & (later.reads | later.writes) | step.reads & later.writes) & names
            if later.cell.number > number and later_place < place and shared:
                yield f"cell {later.cell.number} ran before cell {number}, and both use {_listed(shared)}"
    for step in fresh.steps:
        if step.cell is not None and step.cell.id not in last:
            missing = step.writes & names
            if missing:
                yield f"cell {step.cell.number} did not run, but it changes {_listed(missing)}"


def _gone(actual: _Followed, names: frozenset[str]) -> Iterator[str]:
    for step in actual.steps:
        alive = step.writes & names & actual.state.keys()
        if step.cell is None and alive and not step.source.startswith(_INJECTED):
            yield f"{_listed(alive)} came from a cell that was deleted or edited since"


def _runs_of(actual: _Followed, cell: str) -> list[_Step]:
    return [step for step in actual.steps if step.cell is not None and step.cell.id == cell]


def _meaning(source: str) -> str:
    """Returns the source without comments and formatting, as it is where it is not plain Python."""
    try:
        return ast.dump(ast.parse(source))
    except (SyntaxError, ValueError, RecursionError):
        return source.strip()


def _listed(names: Iterable[str]) -> str:
    known = sorted(names)
    shown = ", ".join(f"`{name}`" for name in known[:_MOST_NAMES])
    return shown if len(known) <= _MOST_NAMES else f"{shown} and {len(known) - _MOST_NAMES} more"
