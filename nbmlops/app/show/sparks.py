"""Spark lines: the values of a metric beside a reference, small enough for a cell of a table; as SVG, and as text."""

from __future__ import annotations

import math
from html import escape

from msgspec import Struct

_BLOCKS = "▁▂▃▄▅▆▇█"
_REFERENCE = "var(--jp-ui-font-color2, var(--vscode-descriptionForeground, #6e7781))"
_LINE = "var(--jp-brand-color1, var(--vscode-charts-blue, #1f6feb))"

SPARK_SIZE = (96, 22)
"""Width and height that the points of a `Line` are in."""

_MARGIN = 3
_MOST_POINTS = 64


class Spark(Struct, frozen=True):
    """A line of values, the last one marked, beside a reference.

    Attributes:
        caption: What is shown, in words that say it without the picture.
        values: In their order.
        reference: The value to compare with, drawn across; None for none.
    """

    caption: str
    values: tuple[float, ...]
    reference: float | None = None


class Line(Struct, frozen=True):
    """What of a `Spark` is drawn, in a field of `SPARK_SIZE`.

    Attributes:
        points: (x, y) of each value, y counted from the top.
        reference: The height of the reference, None without one.
    """

    points: tuple[tuple[float, float], ...]
    reference: float | None = None


def spark_line(spark: Spark) -> Line:
    """Returns where to draw; of many values so many as can be told apart, values that are no numbers are left out."""
    values = [value for value in spark.values if math.isfinite(value)]
    if len(values) > _MOST_POINTS:  # the last of each group, so that the last of all stays the last
        values = [values[(place + 1) * len(values) // _MOST_POINTS - 1] for place in range(_MOST_POINTS)]
    known = spark.reference is not None and math.isfinite(spark.reference)
    all_values = [*values, *([spark.reference] if spark.reference is not None and known else [])]
    low, high = min(all_values, default=0.0), max(all_values, default=0.0)
    width, height = SPARK_SIZE
    span = high / 2 - low / 2  # halves: the span itself may be beyond every float

    def level(value: float) -> float:
        share = (value / 2 - low / 2) / span if span > 0 else 0.5
        return round(height - _MARGIN - share * (height - 2 * _MARGIN), 1)

    step = (width - 2 * _MARGIN) / max(len(values) - 1, 1)
    left = _MARGIN if len(values) > 1 else width / 2
    points = tuple((round(left + place * step, 1), level(value)) for place, value in enumerate(values))
    return Line(points, level(spark.reference) if spark.reference is not None and known else None)


def spark_svg(spark: Spark) -> str:
    """Returns the line as SVG, its reference dashed; the caption is its name for screen readers."""
    line = spark_line(spark)
    width, height = SPARK_SIZE
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    parts = [f'<svg role="img" aria-label="{escape(spark.caption)}" {size} style="vertical-align:middle">']
    if line.reference is not None:
        parts.append(
            f'<line x1="0" x2="{width}" y1="{line.reference}" y2="{line.reference}" '
            f'style="stroke:{_REFERENCE};stroke-dasharray:3 2"/>'
        )
    if line.points:
        points = " ".join(f"{x},{y}" for x, y in line.points)
        parts.append(f'<polyline points="{points}" style="fill:none;stroke:{_LINE};stroke-width:1.5"/>')
        x, y = line.points[-1]
        parts.append(f'<circle cx="{x}" cy="{y}" r="2.5" style="fill:{_LINE}"/>')
    parts.append("</svg>")
    return "".join(parts)


def spark_text(spark: Spark) -> str:
    """Returns one block character for each value, the lowest one a low block."""
    line = spark_line(spark)
    height = SPARK_SIZE[1]
    reach = height - 2 * _MARGIN
    return "".join(_BLOCKS[round((height - _MARGIN - y) / reach * 7)] for _, y in line.points)
