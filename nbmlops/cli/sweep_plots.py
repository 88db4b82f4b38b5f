"""Pictures of a sweep, drawn by matplotlib as SVG in greys and blues that can be read on light and dark ground."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from nbmlops.app.sweep.record import SweepPoint, SweepRecord, varied
from nbmlops.cli.blocks import shown_value
from nbmlops.core.diagnostics import Json

_INK, _POINT, _BEST = "#808a94", "#4a90d9", "#2da44e"
_COLUMNS = 3
_LONGEST = 18


def value_plots(record: SweepRecord) -> str:
    """Returns one small plot for each parameter: the metric's value at each point."""
    names = varied(record)
    rows = -(-len(names) // _COLUMNS)
    figure = _figure(4.2 * min(len(names), _COLUMNS), 3.0 * rows)
    points = _with_values(record)
    for number, name in enumerate(names, 1):
        axes = figure.add_subplot(rows, min(len(names), _COLUMNS), number)
        places, labels = _places([point.parameters.get(name) for _, point in points])
        colors = [_BEST if position == record.best else _POINT for position, _ in points]
        axes.scatter(places, [point.value for _, point in points], c=colors, s=28, zorder=3)
        _set_labels(axes.set_xticks, labels)
        axes.set_xlabel(_plain(name))
        axes.set_ylabel(_plain(record.objective.metric) if number % _COLUMNS == 1 or len(names) == 1 else "")
        _style(axes)
    return _svg(figure)


def parallel_coordinates(record: SweepRecord) -> str:
    """Returns one line for each point, through its value of each parameter to that of the metric."""
    names, points = varied(record), _with_values(record)
    figure = _figure(min(4.2 * _COLUMNS, 2.2 * (len(names) + 1)), 3.4)
    axes = figure.add_subplot()
    columns: list[list[float]] = []
    for position, name in enumerate([*names, ""]):
        values = [point.parameters.get(name) if name else point.value for _, point in points]
        places, labels = _places(values)
        low, high = min(places), max(places)
        columns.append([(place - low) / (high - low) if high > low else 0.5 for place in places])
        axes.axvline(position, color=_INK, linewidth=0.8)
        shown = labels or {low: f"{low:.4g}", high: f"{high:.4g}"}
        for place, label in shown.items():
            height = (place - low) / (high - low) if high > low else 0.5
            _annotate(axes, label, (position, height), left=bool(name))
    for (position, _), heights in sorted(
        zip(points, zip(*columns, strict=True), strict=True), key=lambda row: row[0][0] == record.best
    ):
        best = position == record.best
        axes.plot(heights, color=_BEST if best else _POINT, alpha=1.0 if best else 0.45, linewidth=2.2 if best else 1.2)
    axes.set_xticks(range(len(names) + 1), [_plain(name) for name in (*names, record.objective.metric)])
    axes.set_yticks([])
    axes.margins(x=0.08)
    _style(axes)
    for side in axes.spines.values():
        side.set_visible(False)
    return _svg(figure)


def _annotate(axes: Any, label: str, place: tuple[float, float], *, left: bool) -> None:
    offset, side = (-5, "right") if left else (5, "left")
    axes.annotate(label, place, (offset, 0), "data", "offset points", color=_INK, fontsize=8, va="center", ha=side)


def _with_values(record: SweepRecord) -> list[tuple[int, SweepPoint]]:
    return [(position, point) for position, point in enumerate(record.points) if point.value is not None]


def _places(values: Sequence[Json]) -> tuple[list[float], dict[float, str]]:
    """Returns where the values stand on an axis, and the labels of the places unless they are numbers."""
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return [float(value) for value in values if isinstance(value, int | float)], {}
    texts = [shown_value(value) for value in values]
    order = {text: float(place) for place, text in enumerate(dict.fromkeys(texts))}
    return [order[text] for text in texts], {place: _short(text) for text, place in order.items()}


def _short(text: str) -> str:
    return _plain(text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…")


def _plain(text: str) -> str:
    return text.replace("$", r"\$")  # matplotlib takes what stands between two for a formula


def _figure(width: float, height: float) -> Any:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _set_labels(set_ticks: Any, labels: dict[float, str]) -> None:
    if labels:
        set_ticks(list(labels), list(labels.values()))


def _style(axes: Any) -> None:
    axes.patch.set_visible(False)
    axes.tick_params(colors=_INK, labelsize=8)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set_color(_INK)
    for side in axes.spines.values():
        side.set_color(_INK)
    axes.grid(visible=True, axis="y", color=_INK, alpha=0.2)


def _svg(figure: Any) -> str:
    import matplotlib as mpl

    drawn = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "nbmlops"}):
        figure.savefig(drawn, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = drawn.getvalue()
    return text[text.index("<svg") :]
