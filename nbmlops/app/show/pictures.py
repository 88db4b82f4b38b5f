"""Small pictures of two spreads side by side: as SVG for notebooks, as block characters for terminals and logs."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Protocol

from msgspec import Struct

_BLOCKS = " ▁▂▃▄▅▆▇█"
_WIDTH, _HEIGHT, _FOOT = 240, 70, 16
_BEFORE = "var(--jp-border-color1, #8c959f)"
_AFTER = "var(--jp-brand-color1, #1f6feb)"
_INK = "var(--jp-ui-font-color1, var(--vscode-foreground, currentColor))"
_LONGEST = 14


class Picture(Protocol):
    """What a card shows beside its tables."""

    @property
    def caption(self) -> str:
        """What is shown, in words that say it without the picture."""

    def svg(self) -> str:
        """Returns the picture as SVG, whose texts are escaped."""


class Bars(Struct, frozen=True):
    """Shares of the same bins or values, before and after.

    Attributes:
        caption: What is shown, in words that say it without the picture.
        labels: One for each bar, or the two ends of the range.
        before: Shares from 0 to 1.
        after: Likewise.
    """

    caption: str
    labels: tuple[str, ...]
    before: tuple[float, ...]
    after: tuple[float, ...]

    def svg(self) -> str:
        """Returns the picture; see `bars_svg`."""
        return bars_svg(self)


def bars_text(shares: Sequence[float]) -> str:
    """Returns one character for each share, as high as it is beside the greatest one."""
    most = max(shares, default=0.0) or 1.0
    # What is there at all is seen.
    return "".join(_BLOCKS[max(round(share / most * 8), int(share > 0))] for share in shares)


def bars_svg(bars: Bars) -> str:
    """Returns the picture as SVG: grey bars before, coloured ones after; the caption is its name for screen readers."""
    count = max(len(bars.before), 1)
    most = max((*bars.before, *bars.after), default=0.0) or 1.0
    step = _WIDTH / count
    size = f'viewBox="0 0 {_WIDTH} {_HEIGHT + _FOOT}" width="{_WIDTH}" height="{_HEIGHT + _FOOT}"'
    parts = [f'<svg role="img" aria-label="{escape(bars.caption)}" {size} style="overflow:visible">']
    for place, (old, new) in enumerate(zip(bars.before, bars.after, strict=True)):
        left = place * step
        parts.append(_bar(left + step * 0.08, step * 0.42, old / most, _BEFORE))
        parts.append(_bar(left + step * 0.5, step * 0.42, new / most, _AFTER))
    parts += _labels(bars, step)
    parts.append("</svg>")
    return "".join(parts)


def _bar(left: float, width: float, share: float, colour: str) -> str:
    height = share * (_HEIGHT - 2)
    return (
        f'<rect x="{left:.1f}" y="{_HEIGHT - height:.1f}" width="{width:.1f}" height="{height:.1f}" '
        f'style="fill:{colour}"/>'
    )


def _labels(bars: Bars, step: float) -> list[str]:
    """Returns the ends of the range, or a label below each of a few bars."""
    if len(bars.labels) == 2 and len(bars.before) != 2:
        places = [(0.0, "start", bars.labels[0]), (float(_WIDTH), "end", bars.labels[1])]
    elif len(bars.labels) <= 6:
        places = [((place + 0.5) * step, "middle", label) for place, label in enumerate(bars.labels)]
    else:
        places = [(0.5 * step, "start", bars.labels[0]), (_WIDTH - 0.5 * step, "end", bars.labels[-1])]
    return [
        f'<text x="{left:.1f}" y="{_HEIGHT + 12}" text-anchor="{anchor}" style="fill:{_INK};font-size:10px">'
        f"{escape(label if len(label) <= _LONGEST else label[: _LONGEST - 1] + '…')}</text>"
        for left, anchor, label in places
    ]
