"""Pictures of a verdict as SVG: values and intervals against their bounds, slice by slice; calibration. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from html import escape

from msgspec import Struct

from nbmlops.app.judging.report import CalibrationCurve

_LABEL, _PLOT, _RIGHT, _ROW, _FOOT = 250, 420, 20, 22, 34
_SIDE, _LEFT = 260, 46
_LONGEST = 36
MOST_ROWS = 60


class PlotRow(Struct, frozen=True):
    """One line of a plot.

    Attributes:
        label: What it is about.
        value: The candidate's value, or its gain.
        other: The baseline's value; None for none.
        low: Lower end of an interval.
        high: Upper end of it.
        good: Whether the rule is kept here.
    """

    label: str
    value: float
    other: float | None = None
    low: float | None = None
    high: float | None = None
    good: bool = True


def rows_svg(caption: str, rows: Sequence[PlotRow], lines: Sequence[tuple[float, str]]) -> str:
    """Returns a plot with one line for each row, and upright lines at bounds.

    Args:
        caption: What is shown, for who cannot see it.
        rows: At most `MOST_ROWS` are drawn.
        lines: Places and names of upright lines.
    """
    shown = rows[:MOST_ROWS]
    ends = [x for row in shown for x in (row.value, row.other, row.low, row.high) if x is not None]
    ends += [place for place, _ in lines]
    low, high = min(ends), max(ends)
    room = (high - low) * 0.08 or abs(high) * 0.05 or 0.05
    low, high = low - room, high + room

    def at(value: float) -> float:
        return _LABEL + (value - low) / (high - low) * _PLOT

    height = len(shown) * _ROW + _FOOT
    width = _LABEL + _PLOT + _RIGHT
    parts = [_head(caption, width, height)]
    for place, name in lines:
        x = at(place)
        parts.append(f'<line class="bound" x1="{x:.1f}" y1="2" x2="{x:.1f}" y2="{height - _FOOT + 4}"/>')
        parts.append(f'<text class="tick" x="{x:.1f}" y="{height - 4}" text-anchor="middle">{escape(name)}</text>')
    for number, row in enumerate(shown):
        parts += _row(row, number * _ROW + _ROW / 2 + 2, at)
    for value in (low + room, high - room):
        text = f"{value:.4g}"
        parts.append(
            f'<text class="tick" x="{at(value):.1f}" y="{height - 18}" text-anchor="middle">{escape(text)}</text>'
        )
    parts.append("</svg>")
    return "".join(parts)


def _head(caption: str, width: int, height: int) -> str:
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    return f'<svg class="gate-plot" role="img" aria-label="{escape(caption)}" {size}>'


def _row(row: PlotRow, y: float, at: Callable[[float], float]) -> Iterator[str]:
    label = row.label if len(row.label) <= _LONGEST else row.label[: _LONGEST - 1] + "…"
    tone = "good" if row.good else "bad"
    yield f'<text x="{_LABEL - 10}" y="{y + 4:.1f}" text-anchor="end">{escape(label)}</text>'
    yield f'<line class="grid" x1="{_LABEL}" y1="{y:.1f}" x2="{_LABEL + _PLOT}" y2="{y:.1f}"/>'
    if row.low is not None and row.high is not None:
        ends = f'x1="{at(row.low):.1f}" y1="{y:.1f}" x2="{at(row.high):.1f}" y2="{y:.1f}"'
        yield f'<line class="interval {tone}" {ends}/>'
    if row.other is not None:
        yield f'<circle class="other" cx="{at(row.other):.1f}" cy="{y:.1f}" r="4.5"/>'
    yield f'<circle class="value {tone}" cx="{at(row.value):.1f}" cy="{y:.1f}" r="4.5"/>'


def calibration_svg(curves: Sequence[CalibrationCurve]) -> str:
    """Returns the calibration of candidate and champion: on the diagonal scores are honest."""
    most = max((max(one.score, one.share) for curve in curves for one in curve.bins), default=1.0)
    most = min(1.0, most * 1.08) or 1.0

    def x(value: float) -> float:
        return _LEFT + value / most * _SIDE

    def y(value: float) -> float:
        return 8 + _SIDE - value / most * _SIDE

    width, height = _LEFT + _SIDE + 20, _SIDE + 48
    said = "; ".join(
        f"{curve.model}: " + ", ".join(f"{one.score:.2f} came true {one.share:.2f}" for one in curve.bins)
        for curve in curves
    )
    parts = [
        _head(said, width, height),
        f'<line class="bound" x1="{x(0):.1f}" y1="{y(0):.1f}" x2="{x(most):.1f}" y2="{y(most):.1f}"/>',
    ]
    for share in (0.0, most / 2, most):
        parts.append(f'<line class="grid" x1="{_LEFT}" y1="{y(share):.1f}" x2="{_LEFT + _SIDE}" y2="{y(share):.1f}"/>')
        parts.append(f'<text class="tick" x="{_LEFT - 6}" y="{y(share) + 4:.1f}" text-anchor="end">{share:.2f}</text>')
        parts.append(f'<text class="tick" x="{x(share):.1f}" y="{_SIDE + 24}" text-anchor="middle">{share:.2f}</text>')
    parts.append(
        f'<text class="tick" x="{_LEFT + _SIDE / 2:.0f}" y="{_SIDE + 42}" text-anchor="middle">'
        "predicted, and upwards what came true</text>"
    )
    for curve in curves:
        kind = "value" if curve.model == "candidate" else "other"
        path = " ".join(f"{x(one.score):.1f},{y(one.share):.1f}" for one in curve.bins)
        parts.append(f'<polyline class="curve {kind}" points="{path}"/>')
        parts += [f'<circle class="{kind}" cx="{x(b.score):.1f}" cy="{y(b.share):.1f}" r="3.5"/>' for b in curve.bins]
    parts.append("</svg>")
    return "".join(parts)
