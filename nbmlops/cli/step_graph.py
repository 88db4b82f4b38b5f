"""The graph of steps as inline SVG: a box for each step, coloured by its state, arrows along the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from msgspec import Struct

_WIDTH, _HEIGHT = 204, 48
_ACROSS, _DOWN = 60, 22
_MARGIN = 8
_LONGEST = 22
_TIP = (
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path d="M0 0 8 4 0 8z"/></marker></defs>'
)


class GraphStep(Struct, frozen=True):
    """A box.

    Attributes:
        name: The step's name.
        after: Steps that its data comes from.
        tone: CSS class that colours it.
        state: What stands below the name.
    """

    name: str
    after: tuple[str, ...]
    tone: str
    state: str


class _Place(Struct, frozen=True):
    x: int
    y: int


def draw_graph(steps: Sequence[GraphStep]) -> str:
    """Returns the SVG; every step links to the section whose id is `step-` and its position."""
    places = _places(steps)
    width = max((place.x for place in places.values()), default=0) + _WIDTH + _MARGIN
    height = max((place.y for place in places.values()), default=0) + _HEIGHT + _MARGIN
    arrows = [_arrow(places[before], places[step.name]) for step in steps for before in step.after if before in places]
    boxes = [_box(number, step, places[step.name]) for number, step in enumerate(steps)]
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    # Not an image: what is in one cannot be reached, and the steps are links.
    opening = f'<svg class="graph" {size} role="group" aria-label="steps and how data flows between them">'
    return "\n".join([opening, _TIP, *arrows, *boxes, "</svg>"])


def _places(steps: Sequence[GraphStep]) -> Mapping[str, _Place]:
    """Returns where each box stands: as far to the right as its longest way from a step without predecessors."""
    depth: dict[str, int] = {}
    rows: dict[int, int] = {}
    places: dict[str, _Place] = {}
    for step in steps:  # predecessors come first
        depth[step.name] = max((depth[name] + 1 for name in step.after if name in depth), default=0)
        column = depth[step.name]
        row = rows.get(column, 0)
        rows[column] = row + 1
        places[step.name] = _Place(_MARGIN + column * (_WIDTH + _ACROSS), _MARGIN + row * (_HEIGHT + _DOWN))
    return places


def _box(number: int, step: GraphStep, place: _Place) -> str:
    name = step.name if len(step.name) <= _LONGEST else f"{step.name[: _LONGEST - 1]}…"
    centre = place.x + _WIDTH // 2
    return (
        f'<a href="#step-{number}"><g class="{escape(step.tone)}"><title>{escape(step.name)}: '
        f"{escape(step.state)}</title>"
        f'<rect x="{place.x}" y="{place.y}" width="{_WIDTH}" height="{_HEIGHT}" rx="8"/>'
        f'<text x="{centre}" y="{place.y + 20}">{escape(name)}</text>'
        f'<text class="status" x="{centre}" y="{place.y + 37}">{escape(step.state)}</text></g></a>'
    )


def _arrow(start: _Place, end: _Place) -> str:
    x1, y1, x2, y2 = start.x + _WIDTH, start.y + _HEIGHT // 2, end.x, end.y + _HEIGHT // 2
    middle = (x1 + x2) // 2
    return f'<path class="flow" d="M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}" marker-end="url(#tip)"/>'
