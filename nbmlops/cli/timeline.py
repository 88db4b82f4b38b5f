"""When each step of a run ran, as inline SVG: a row for each, a bar from its start to its end, the job it ran in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from html import escape

from msgspec import Struct

from nbmlops.pipeline.run_record import RunRecord, StepRecord, StepStatus

_ROW, _TOP, _NAMES, _BARS, _NOTES = 26, 24, 230, 480, 240
_BAR = 14
_LONGEST = 28
_THINNEST = 2.0
_TICKS = 8
_MINUTE, _HOUR = 60.0, 3600.0
_STEPS = tuple(factor * 10.0**power for power in range(-2, 2) for factor in (1, 2, 5)) + tuple(
    unit * factor for unit in (_MINUTE, _HOUR) for factor in (1, 2, 5, 10, 15, 30)
)


class Bar(Struct, frozen=True):
    """When a step ran, in seconds since the first one began.

    Attributes:
        begun: Its start.
        ended: Its end.
        turn: When it was taken into the run: all before it had ended.
        job: In which of the jobs that went on at once, from 1.
    """

    begun: float
    ended: float
    turn: float
    job: int


def bars(record: RunRecord) -> dict[str, Bar]:
    """Returns for each step that ran in this run when it did; those of joined steps are of one job."""
    times = {step.name: (_seconds(step.begun), step.seconds) for step in record.steps if step.begun}
    zero = min((begun for begun, _ in times.values()), default=0.0)
    first = {name: joined.steps[0] for joined in record.joined for name in joined.steps}
    jobs: dict[str, int] = {}
    free: list[float] = []  # when each job has ended what it was at
    for name in sorted(times, key=lambda name: times[name]):
        begun, seconds = times[name]
        known = jobs.get(first.get(name, name))
        place = known if known is not None else next((n for n, end in enumerate(free) if end <= begun), len(free))
        free[place : place + 1] = [begun + seconds]
        jobs[name] = place
    found: dict[str, Bar] = {}
    turn = 0.0
    for name, (begun, seconds) in times.items():  # in notebook order
        ended = begun - zero + seconds
        turn = max(turn, ended)
        found[name] = Bar(begun - zero, ended, turn, jobs[name] + 1)
    return found


def draw_timeline(record: RunRecord) -> str:
    """Returns the SVG, "" if no step ran; every step links to the section whose id is `step-` and its position."""
    found = bars(record)
    if not found:
        return ""
    span = max(bar.ended for bar in found.values()) or 1.0
    height = _TOP + len(record.steps) * _ROW + 4
    size = f'viewBox="0 0 {_NAMES + _BARS + _NOTES} {height}" width="{_NAMES + _BARS + _NOTES}" height="{height}"'
    rows = [_row(number, step, found.get(step.name), span) for number, step in enumerate(record.steps)]
    return "\n".join(
        [
            f'<svg class="timeline" {size} role="group" aria-label="{escape(_said(record, found, span))}">',
            *_axis(span, height),
            *_joined(record),
            *rows,
            "</svg>",
        ]
    )


def ticks(span: float) -> list[float]:
    """Returns the seconds at which the axis has lines: round numbers, at most nine of them."""
    step = next((step for step in _STEPS if span / step <= _TICKS), span / _TICKS)
    return [number * step for number in range(int(span / step) + 1)]


def shown_seconds(seconds: float, unit: float = 1.0) -> str:
    """Returns a time as text; `unit` is the distance to the next one that is shown."""
    if unit < _MINUTE:
        return f"{seconds:g} s" if seconds else "0"
    minutes = seconds / _MINUTE
    return f"{minutes:g} min" if unit < _HOUR else f"{minutes / _MINUTE:g} h"


def _said(record: RunRecord, found: Mapping[str, Bar], span: float) -> str:
    jobs = max(bar.job for bar in found.values())
    ran = f"{len(found)} of {len(record.steps)} steps ran in {span:.1f} s"
    return f"timeline: {ran}, {jobs} at once at most" if jobs > 1 else f"timeline: {ran}, one after the other"


def _axis(span: float, height: int) -> Iterator[str]:
    found = ticks(span)
    unit = found[1] if len(found) > 1 else span
    for at in found:
        x = _x(at, span)
        yield f'<path class="grid" d="M{x:.1f} {_TOP - 4}V{height - 4}"/>'
        yield f'<text class="tick" x="{x:.1f}" y="{_TOP - 9}">{escape(shown_seconds(round(at, 6), unit))}</text>'


def _joined(record: RunRecord) -> Iterator[str]:
    """Yields a bracket beside the names of steps that ran in one process."""
    places = {step.name: number for number, step in enumerate(record.steps)}
    for joined in record.joined:
        rows = sorted(places[name] for name in joined.steps if name in places)
        if len(rows) > 1:
            top, end = _TOP + rows[0] * _ROW + 4, _TOP + rows[-1] * _ROW + _ROW - 4
            title = escape(f"one process: {', '.join(joined.steps)}")
            yield f'<path class="unit" d="M10 {top}H4V{end}H10"><title>{title}</title></path>'


def _row(number: int, step: StepRecord, bar: Bar | None, span: float) -> str:
    middle = _TOP + number * _ROW + _ROW // 2
    name = step.name if len(step.name) <= _LONGEST else f"{step.name[: _LONGEST - 1]}…"
    note = _note(step, bar)
    title = escape(f"{step.name}: {note}")
    parts = [
        f'<a href="#step-{number}"><g class="{escape(step.status.value)}"><title>{title}</title>',
        f'<text class="name" x="16" y="{middle + 4}">{escape(name)}</text>',
    ]
    end = float(_NAMES)
    if bar is not None:
        x, end = _x(bar.begun, span), _x(bar.ended, span)
        width = max(_THINNEST, end - x)
        parts.append(f'<rect x="{x:.1f}" y="{middle - _BAR // 2}" width="{width:.1f}" height="{_BAR}" rx="3"/>')
        if step.early and bar.turn > bar.ended:
            end = _x(bar.turn, span)
            parts.append(f'<path class="wait" d="M{x + width:.1f} {middle}H{end:.1f}"/>')
    parts.append(f'<text class="note" x="{end + 8:.1f}" y="{middle + 4}">{escape(note)}</text></g></a>')
    return "".join(parts)


def _note(step: StepRecord, bar: Bar | None) -> str:
    if bar is None:
        return step.status.value
    words = [f"{step.seconds:.1f} s", f"job {bar.job}"]
    words += ["failed"] if step.status is StepStatus.FAILED else []
    words += ["early"] if step.early else []
    return ", ".join(words)


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _x(seconds: float, span: float) -> float:
    return _NAMES + seconds / span * _BARS
