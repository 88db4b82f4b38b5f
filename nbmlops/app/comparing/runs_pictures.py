"""Pictures of runs beside each other: a metric over the runs, and all parameters and metrics at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from msgspec import Struct

from nbmlops.app.comparing.runs import RunRow, RunTable, number_or_text
from nbmlops.app.show.flow_picture import cut
from nbmlops.app.show.ink import FONT, theme_colours
from nbmlops.gate.numerals import show_number
from nbmlops.gate.policy import Direction

_MOST_METRICS = 6
_MOST_AXES = 8
_MOST_LABELS = 6
_WIDTH, _HEIGHT, _LEFT, _TOP, _FOOT = 330, 130, 58, 26, 22
_AXIS, _TALL, _SIDE = 132, 190, 70


class Dot(Struct, frozen=True):
    """One run: where it stands, what to say of it, and its tone: "good" for the champion, "bad" for a rejected one."""

    value: float
    words: str
    tone: str = "plain"


class MetricPicture(Struct, frozen=True):
    """A metric over the runs, the oldest on the left.

    Attributes:
        caption: What is shown, in words that say it without the picture.
        title: The metric, and which way it gets better.
        dots: One for each run that has a finite value.
        reference: The champion's value, drawn across; None for none.
    """

    caption: str
    title: str
    dots: tuple[Dot, ...]
    reference: float | None = None

    def svg(self) -> str:
        """Returns the picture, in the colours of whatever shows it."""
        values = [dot.value for dot in self.dots]
        low, high = _range([*values, *([self.reference] if self.reference is not None else [])])
        places = [(self._x(place), _y(value, low, high)) for place, value in enumerate(values)]
        parts = [_opening(self.caption, _WIDTH, _TOP + _HEIGHT + _FOOT), _label(2, 14, self.title, "ink", bold=True)]
        for value in (low, high):
            y = _y(value, low, high)
            parts.append(_path(f"M{_LEFT} {y:.1f}H{_WIDTH - 8}", "line", 1))
            parts.append(_label(_LEFT - 6, y + 4, show_number(value, 4), "dim", anchor="end"))
        if self.reference is not None:
            y = _y(self.reference, low, high)
            parts.append(_path(f"M{_LEFT} {y:.1f}H{_WIDTH - 8}", "good", 1.2, dashed=True))
        if len(places) > 1:
            parts.append(_path("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places), "line", 1.4))
        # The champion is drawn last, above all others.
        for (x, y), dot in sorted(zip(places, self.dots, strict=True), key=lambda pair: pair[1].tone == "good"):
            parts.append(_dot(x, y, dot))
        parts.append(_label(_LEFT, _TOP + _HEIGHT + 15, "oldest", "dim"))
        parts.append(_label(_WIDTH - 8, _TOP + _HEIGHT + 15, "newest", "dim", anchor="end"))
        return "".join([*parts, "</svg>"])

    def _x(self, place: int) -> float:
        free = _WIDTH - _LEFT - 8 - 16
        return _LEFT + 8 + (free * place / (len(self.dots) - 1) if len(self.dots) > 1 else free / 2)


class Axis(Struct, frozen=True):
    """An upright axis: its name, where each run stands on it from 0 (below) to 1, None for nowhere, and its labels."""

    name: str
    places: tuple[float | None, ...]
    labels: tuple[tuple[float, str], ...]


class ParallelPicture(Struct, frozen=True):
    """All parameters that differ and all metrics at once: a line for each run, the champion's above all others.

    Attributes:
        caption: What is shown, in words that say it without the picture.
        axes: From left to right.
        runs: (words, tone) of each run.
    """

    caption: str
    axes: tuple[Axis, ...]
    runs: tuple[tuple[str, str], ...]

    def svg(self) -> str:
        """Returns the picture, in the colours of whatever shows it."""
        width = 2 * _SIDE + (len(self.axes) - 1) * _AXIS
        parts = [_opening(self.caption, width, _TALL + 52)]
        for number, axis in enumerate(self.axes):
            x = _SIDE + number * _AXIS
            parts.append(_path(f"M{x} 30V{30 + _TALL}", "line", 1.2))
            parts.append(_label(x, 16, cut(axis.name, 18), "ink", anchor="middle", bold=True))
        order = sorted(range(len(self.runs)), key=lambda run: self.runs[run][1] == "good")
        parts += [self._line(run) for run in order]
        for number, axis in enumerate(self.axes):
            x = _SIDE + number * _AXIS
            parts += [
                _label(x - 7, 34 + (1 - place) * _TALL, cut(text, 11), "dim", anchor="end")
                for place, text in axis.labels
            ]
        return "".join([*parts, "</svg>"])

    def _line(self, run: int) -> str:
        words, tone = self.runs[run]
        steps: list[str] = []
        after_gap = True
        for number, axis in enumerate(self.axes):
            place = axis.places[run]
            if place is None:
                after_gap = True
                continue
            steps.append(f"{'M' if after_gap else 'L'}{_SIDE + number * _AXIS} {30 + (1 - place) * _TALL:.1f}")
            after_gap = False
        line = _path("".join(steps), tone, 2.6 if tone == "good" else 1.3, faint=tone != "good")
        return f"<g><title>{escape(words)}</title>{line}</g>" if steps else ""


def metric_pictures(table: RunTable) -> tuple[MetricPicture, ...]:
    """Returns a picture for each metric that at least two runs have, what the runs are sorted by first."""
    names = sorted(table.metrics, key=lambda name: name != table.sort)
    found = []
    for name in names:
        rows = sorted(
            (row for row in table.rows if math.isfinite(row.facts.metrics.get(name, math.nan))),
            key=lambda row: row.facts.started,
        )
        if len(rows) < 2:
            continue
        direction = table.directions.get(name)
        better = f", {direction} is better" if direction is not None else ""
        dots = tuple(
            Dot(row.facts.metrics[name], f"{words_of(row)}: {name} {row.facts.metrics[name]!r}", tone_of(row))
            for row in rows
        )
        champion = next((row.facts.metrics[name] for row in rows if row.is_champion), None)
        caption = f"{name} over {len(rows)} runs, from {show_number(dots[0].value)} to {show_number(dots[-1].value)}"
        caption += f"; champion {show_number(champion)}" if champion is not None else ""
        found.append(MetricPicture(caption, f"{cut(name, 26)}{better}", dots, champion))
    return tuple(found[:_MOST_METRICS])


def parallel_picture(table: RunTable) -> ParallelPicture | None:
    """Returns the picture of all parameters and metrics; None where there are not two of each, or nothing differs."""
    metrics = [name for name in (table.sort, *table.metrics) if name in table.metrics]
    chosen = list(dict.fromkeys(metrics))[: _MOST_AXES - min(len(table.parameters), _MOST_AXES - 2)]
    parameters = table.parameters[: _MOST_AXES - len(chosen)]
    if len(table.rows) < 2 or len(parameters) + len(chosen) < 2:
        return None
    axes = [_parameter_axis(table.rows, name) for name in parameters]
    axes += [_metric_axis(table, name) for name in chosen]
    if all(len(set(axis.places) - {None}) < 2 for axis in axes):
        return None
    caption = f"{len(table.rows)} runs by {', '.join((*parameters, *chosen))}; on axes of metrics better is above"
    return ParallelPicture(caption, tuple(axes), tuple((words_of(row), tone_of(row)) for row in table.rows))


def words_of(row: RunRow) -> str:
    """Returns what a run is called in a picture."""
    name = f"{row.facts.name or row.facts.run_id[:8]}"
    if row.is_champion:
        return f"{name}, champion"
    return f"{name}, rejected" if row.verdict == "fail" else name


def tone_of(row: RunRow) -> str:
    """Returns the colour of a run, which only repeats what its words say."""
    return "good" if row.is_champion else "bad" if row.verdict == "fail" else "plain"


def _parameter_axis(rows: Sequence[RunRow], name: str) -> Axis:
    texts = [row.facts.params.get(name) for row in rows]
    keys = sorted({number_or_text(text) for text in texts if text is not None})
    if all(math.isfinite(key[0]) for key in keys):
        low, high = keys[0][0], keys[-1][0]
        places = tuple(None if text is None else _share(float(text), low, high) for text in texts)
        return Axis(name, places, _ends(low, high))
    order = {key: place / max(len(keys) - 1, 1) for place, key in enumerate(keys)}
    places = tuple(None if text is None else order[number_or_text(text)] for text in texts)
    shown = keys if len(keys) <= _MOST_LABELS else [keys[0], keys[-1]]
    return Axis(name, places, tuple((order[key], key[1] or show_number(key[0], 4)) for key in shown))


def _metric_axis(table: RunTable, name: str) -> Axis:
    values = [row.facts.metrics.get(name, math.nan) for row in table.rows]
    finite = [value for value in values if math.isfinite(value)]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    if table.directions.get(name) is Direction.LOWER:
        low, high = high, low
    places = tuple(_share(value, low, high) if math.isfinite(value) else None for value in values)
    return Axis(name, places, _ends(low, high))


def _ends(low: float, high: float) -> tuple[tuple[float, str], ...]:
    if low == high:
        return ((0.5, show_number(low, 4)),)
    return (0.0, show_number(low, 4)), (1.0, show_number(high, 4))


def _share(value: float, low: float, high: float) -> float:
    # Halves: the span itself may be beyond every float.
    return (value / 2 - low / 2) / (high / 2 - low / 2) if high != low else 0.5


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    if low < high:
        return low, high
    return (low - abs(low) / 10, high + abs(high) / 10) if low else (-1.0, 1.0)


def _y(value: float, low: float, high: float) -> float:
    return _TOP + 8 + (1 - _share(value, low, high)) * (_HEIGHT - 16)


def _opening(caption: str, width: int, height: int) -> str:
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    return f'<svg role="img" aria-label="{escape(caption)}" {size} style="{theme_colours()};max-width:none">'


def _label(x: float, y: float, text: str, colour: str, *, anchor: str = "start", bold: bool = False) -> str:
    font = f"{'600 12px' if bold else '11px'} {FONT}"
    # A halo keeps it readable where lines cross it.
    halo = "stroke:var(--nb-ground);stroke-width:4;stroke-linejoin:round;paint-order:stroke"
    style = f"fill:var(--nb-{colour});font:{font};text-anchor:{anchor};{halo}"
    return f'<text x="{x:.1f}" y="{y:.1f}" style="{style}">{escape(text)}</text>'


def _path(steps: str, colour: str, width: float, *, dashed: bool = False, faint: bool = False) -> str:
    extra = (";stroke-dasharray:4 3" if dashed else "") + (";opacity:.6" if faint else "")
    return f'<path d="{steps}" style="fill:none;stroke:var(--nb-{colour});stroke-width:{width}{extra}"/>'


def _dot(x: float, y: float, dot: Dot) -> str:
    style = f'style="fill:var(--nb-{dot.tone})"'
    # Shapes, too, tell the champion and rejected runs apart: a diamond, a cross, a circle.
    if dot.tone == "good":
        shape = f'<path d="M{x:.1f} {y - 6.5:.1f}l6.5 6.5-6.5 6.5-6.5-6.5z" {style}/>'
    elif dot.tone == "bad":
        shape = _path(f"M{x - 4:.1f} {y - 4:.1f}l8 8m0-8l-8 8", "bad", 2.2)
    else:
        shape = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" {style}/>'
    return f"<g><title>{escape(dot.words)}</title>{shape}</g>"
