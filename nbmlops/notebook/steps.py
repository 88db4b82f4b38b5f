"""Gives every cell its role and checks the order of the steps: what all cells together say."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from msgspec import Struct

from nbmlops.core.jupyter_tags import RAISES
from nbmlops.core.syntax import parse
from nbmlops.notebook.codes import Fault
from nbmlops.notebook.model import CellKind, CellRole, Magic, MagicAction, RoleKind
from nbmlops.notebook.names import skeleton
from nbmlops.notebook.tags import CellMarks

ONLY_STEP = "main"
_TEXT = CellRole(RoleKind.TEXT)


class MarkedCell(Struct, frozen=True):
    """A cell with what it says of itself.

    `marks` is None unless it is code; `refused` says that some of its code could not be translated.
    """

    number: int
    kind: CellKind
    python: str
    magics: tuple[Magic, ...]
    marks: CellMarks | None
    refused: bool = False


def assign_roles(cells: Sequence[MarkedCell]) -> tuple[tuple[CellRole, ...], tuple[Fault, ...]]:
    """Returns the role of each cell, in order, and what is wrong with tags and steps of the whole notebook."""
    faults: list[Fault] = []
    roles = tuple(_roles(cells))
    if not any(cell.marks is not None for cell in cells):
        faults.append(Fault("NB107", "the notebook has no code cell", "add one"))
        return roles, tuple(faults)
    steps = _steps(cells, roles)
    if list(steps) == [ONLY_STEP] and not any(cell.marks and cell.marks.step for cell in cells):
        faults.append(
            Fault("NB101", "no cell is tagged with a step, so the notebook is one step, `main`",
                  "tag the first cell of each step, for example with `step:load` and `step:train`")
        )  # fmt: skip
    if not steps:
        faults.append(Fault("NB148", "no cell belongs to a step", "tag the cells that compute with `step:NAME`"))
    faults += _repeated_parameters(cells, roles)
    faults += _names_alike(steps)
    faults += _split_steps(steps, roles, cells)
    faults += _empty_steps(steps)
    faults += _wrong_order(steps, cells, roles)
    faults += [fault for cell, role in zip(cells, roles, strict=True) for fault in _metrics_faults(cell, role)]
    faults += [fault for cell, role in zip(cells, roles, strict=True) for fault in _raising_faults(cell, role)]
    return roles, tuple(faults)


def _roles(cells: Sequence[MarkedCell]) -> Iterable[CellRole]:
    tagged = any(cell.marks and cell.marks.kind is RoleKind.STEP for cell in cells)
    current = "" if tagged else ONLY_STEP
    for cell in cells:
        marks = cell.marks
        if marks is None or (marks.kind is RoleKind.STEP and _only_stages(cell)):
            yield _TEXT
        elif marks.kind is RoleKind.STEP and marks.step:
            current = marks.step
            yield CellRole(RoleKind.STEP, current, marks.after)
        elif marks.kind is not None and marks.kind is not RoleKind.STEP:
            yield CellRole(marks.kind)
        elif not current:
            yield CellRole(RoleKind.SETUP)
        elif not tagged and not _has_code(cell):
            yield _TEXT
        else:
            yield CellRole(RoleKind.STEP, current, marks.after)


def _only_stages(cell: MarkedCell) -> bool:
    """Returns whether the cell holds `%mlops gate` or `register` lines and no other code: then it makes no step."""
    stages = any(magic.action in {MagicAction.GATE, MagicAction.REGISTER} for magic in cell.magics)
    return stages and not _has_code(cell)


def _has_code(cell: MarkedCell) -> bool:
    return any(line.strip() and not line.lstrip().startswith("#") for line in cell.python.split("\n"))


def _steps(cells: Sequence[MarkedCell], roles: Sequence[CellRole]) -> Mapping[str, list[MarkedCell]]:
    """Returns step -> its cells, in the order of their first cells."""
    steps: dict[str, list[MarkedCell]] = {}
    for cell, role in zip(cells, roles, strict=True):
        if role.kind is RoleKind.STEP and role.step:
            steps.setdefault(role.step, []).append(cell)
    return steps


def _repeated_parameters(cells: Sequence[MarkedCell], roles: Sequence[CellRole]) -> Iterable[Fault]:
    numbers = [cell.number for cell, role in zip(cells, roles, strict=True) if role.kind is RoleKind.PARAMETERS]
    for number in numbers[1:]:
        yield Fault(
            "NB138",
            f"cells {numbers[0]} and {number} are both tagged as parameters",
            f"move the parameters of cell {number} to cell {numbers[0]} and remove the tag",
            cell=number,
        )


def _names_alike(steps: Mapping[str, Sequence[MarkedCell]]) -> Iterable[Fault]:
    seen: dict[str, str] = {}
    for name, cells in steps.items():
        other = seen.setdefault(skeleton(name).lower(), name)
        if other == name:
            continue
        place = f"{other!r} (cell {steps[other][0].number}) and {name!r}"
        if skeleton(name) != name or skeleton(other) != other:
            strange = name if skeleton(name) != name else other
            letter = next(c for c in strange if skeleton(c) != c)
            yield Fault(
                "NB136",
                f"the steps {place} look alike but are written with different letters (U+{ord(letter):04X})",
                f"write `step:{skeleton(name)}`",
                cell=cells[0].number,
            )
        else:
            yield Fault(
                "NB137",
                f"the steps {place} differ only by case",
                f"write `step:{other}` if one step is meant",
                cell=cells[0].number,
            )


def _split_steps(
    steps: Mapping[str, Sequence[MarkedCell]], roles: Sequence[CellRole], cells: Sequence[MarkedCell]
) -> Iterable[Fault]:
    previous = ""
    finished: dict[str, str] = {}
    reported: set[str] = set()
    for cell, role in zip(cells, roles, strict=True):
        if role.kind is not RoleKind.STEP or not role.step:
            continue
        if role.step != previous:
            finished[previous] = role.step
            if role.step in finished and role.step not in reported:
                reported.add(role.step)
                following = finished[role.step]
                yield Fault(
                    "NB142",
                    f"step {role.step!r} began in cell {steps[role.step][0].number} and goes on here, "
                    f"below step {following!r}, which began in cell {steps[following][0].number}",
                    f"move the cell up to the others of {role.step!r}, or give it a step of its own, "
                    f"for example `step:{role.step}_2`",
                    cell=cell.number,
                )
        previous = role.step


def _empty_steps(steps: Mapping[str, Sequence[MarkedCell]]) -> Iterable[Fault]:
    for name, own in steps.items():
        if not any(_has_code(cell) or cell.refused for cell in own):
            yield Fault("NB143", f"step {name!r} holds no code", "add code, or remove the tag", cell=own[0].number)


def _wrong_order(
    steps: Mapping[str, Sequence[MarkedCell]], cells: Sequence[MarkedCell], roles: Sequence[CellRole]
) -> Iterable[Fault]:
    order = {name: position for position, name in enumerate(steps)}
    edges: dict[str, set[str]] = {}
    for role in roles:
        if role.kind is RoleKind.STEP:
            edges.setdefault(role.step, set()).update(role.after)
    for cell, role in zip(cells, roles, strict=True):
        after = cell.marks.after if cell.marks else ()
        if after and role.kind not in {RoleKind.STEP, RoleKind.SKIP, RoleKind.TEXT}:
            yield Fault(
                "NB144",
                f"`prev:{','.join(after)}` stands on a cell of no step",
                "remove it, or add `step:NAME`",
                cell=cell.number,
            )
        for name in after if role.kind is RoleKind.STEP and role.step else ():
            fault = _edge_fault(name, role.step, order, edges)
            if fault is not None:
                yield Fault(*fault, cell=cell.number)


def _edge_fault(
    name: str, step: str, order: Mapping[str, int], edges: Mapping[str, set[str]]
) -> tuple[str, str, str] | None:
    if name not in order:
        near = get_close_matches(name, [known for known in order if known != step], n=1, cutoff=0.5)
        above = ", ".join(known for known in order if order[known] < order[step])
        hint = f"steps above are: {above}" if above else f"remove `prev:{name}`: no step stands above"
        if near:
            hint = f"did you mean `prev:{near[0]}`?"
        return "NB139", f"step {step!r} runs after {name!r}, but there is no such step", hint
    if order[name] < order[step]:
        return None
    cycle = _cycle(name, step, edges)
    if cycle:
        return "NB141", f"the steps wait for each other: {' -> '.join(repr(s) for s in cycle)}", f"remove `prev:{name}`"
    return (
        "NB140",
        f"step {step!r} runs after {name!r}, which stands below it",
        f"move the cells of {name!r} above those of {step!r}, or remove `prev:{name}`",
    )


def _cycle(start: str, step: str, edges: Mapping[str, set[str]]) -> tuple[str, ...]:
    """Returns the way from `step` over `start` along `prev` back to `step`, () if there is none."""
    waiting: list[tuple[str, ...]] = [(step, start)]
    seen = set()
    while waiting:
        path = waiting.pop()
        if path[-1] == step:
            return path
        if path[-1] in seen:
            continue
        seen.add(path[-1])
        waiting.extend((*path, following) for following in sorted(edges.get(path[-1], ())))
    return ()


def _metrics_faults(cell: MarkedCell, role: CellRole) -> Iterable[Fault]:
    if role.kind is not RoleKind.METRICS:
        return
    for statement in parse(cell.python, cell.number).body:
        if not _printed_name(statement):
            yield Fault(
                "NB145",
                "a `pipeline-metrics` cell holds only lines such as `print(accuracy)`",
                "move this line to the step above",
                cell=cell.number,
                line=statement.lineno,
                col=statement.col_offset + 1,
            )


def _raising_faults(cell: MarkedCell, role: CellRole) -> Iterable[Fault]:
    raises = cell.marks is not None and RAISES in cell.marks.tags
    if raises and role.kind not in {RoleKind.STEP, RoleKind.SKIP, RoleKind.TEXT}:
        yield Fault(
            "NB146",
            f"the cell is tagged `{RAISES}`, but it belongs to no step, so that its error would stop the pipeline",
            f"add the tag `step:NAME`, or remove `{RAISES}` if the cell does not raise",
            cell=cell.number,
        )


def _printed_name(statement: ast.stmt) -> str:
    """Returns the name in `print(name)`, "" for anything else."""
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Name(id="print"), args=[ast.Name(id=name)], keywords=[])):
            return name
        case _:
            return ""
