"""Boxes in columns with arrows between them, as SVG: what flows into what, from left to right.

Drawn by hand so that it needs nothing, follows the theme of whatever shows it, and can be a file of its own. Every text
is escaped; colours are custom properties, which a front end, a page or the file itself gives.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape

from msgspec import Struct

from nbmlops.app.show.ink import FONT, own_colours, theme_colours

WIDTH = 226
_ACROSS, _DOWN, _MARGIN, _TOP = 52, 14, 10, 30
_HEAD, _LINE, _FOOT = 25, 16, 8
_LEAST_SCALE = 0.7  # smaller letters cannot be read; from there on it is moved within its place
MOST_TITLE, MOST_LINE = 24, 30
_NO_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Box(Struct, frozen=True):
    """One box.

    Attributes:
        id: By which arrows name it.
        title: Its first line.
        lines: Below it, smaller.
        tone: "plain", "good", "bad", "warn" or "dim": the colour of its edge, which only repeats what its words say.
    """

    id: str
    title: str
    lines: tuple[str, ...] = ()
    tone: str = "dim"

    @property
    def height(self) -> int:
        """How high it is drawn."""
        return _HEAD + _LINE * len(self.lines) + (_FOOT if self.lines else 2)


class FlowPicture(Struct, frozen=True):
    """A picture of boxes in columns.

    Attributes:
        caption: What it shows, in words that say it without the picture.
        columns: (heading, boxes) from left to right.
        arrows: (id, id); within one column from a box to one below it.
    """

    caption: str
    columns: tuple[tuple[str, tuple[Box, ...]], ...]
    arrows: tuple[tuple[str, str], ...]

    def svg(self) -> str:
        """Returns the picture for a page or an output: in its colours, and in its width where that can be read."""
        least = round(self._width * _LEAST_SCALE)
        return self._drawn(f' style="{theme_colours()};max-width:100%;min-width:{least}px;height:auto"', "")

    @property
    def _width(self) -> int:
        return len(self.columns) * (WIDTH + _ACROSS) - _ACROSS + 2 * _MARGIN

    def svg_file(self) -> str:
        """Returns the picture as a file of its own, with its own colours for light and dark, and a ground."""
        style = (
            f"<style>svg{{{own_colours(dark=False)}}}"
            f"@media(prefers-color-scheme:dark){{svg{{{own_colours(dark=True)}}}}}</style>"
            '<rect width="100%" height="100%" style="fill:var(--nb-ground)"/>'
        )
        # XML has no place for most control characters, and a picture with one of them is not drawn at all.
        return (
            _NO_XML.sub("\N{REPLACEMENT CHARACTER}", self._drawn(' xmlns="http://www.w3.org/2000/svg"', style)) + "\n"
        )

    def _drawn(self, attributes: str, before: str) -> str:
        places = dict(_places(self.columns))
        width = self._width
        height = max((place.y + place.box.height for place in places.values()), default=_TOP) + _MARGIN
        size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        parts = [f'<svg role="img" aria-label="{escape(self.caption)}" {size}{attributes}>', before]
        for number, (heading, _) in enumerate(self.columns):
            x = _MARGIN + number * (WIDTH + _ACROSS)
            parts.append(_text(x, 17, heading, "dim", "600 11px", letters=".04em"))
        parts += [_arrow(places[start], places[end]) for start, end in self.arrows if {start, end} <= places.keys()]
        parts += [_box(place) for place in places.values()]
        return "\n".join([*filter(None, parts), "</svg>"])


class _Place(Struct, frozen=True):
    box: Box
    column: int
    x: int
    y: int


def _places(columns: Sequence[tuple[str, tuple[Box, ...]]]) -> Iterator[tuple[str, _Place]]:
    """Yields where each box stands: every column in the middle of the height of the highest."""
    heights = [sum(box.height + _DOWN for box in boxes) - _DOWN for _, boxes in columns]
    highest = max(heights, default=0)
    for column, (_, boxes) in enumerate(columns):
        y = _TOP + (highest - heights[column]) // 2
        for box in boxes:
            yield box.id, _Place(box, column, _MARGIN + column * (WIDTH + _ACROSS), y)
            y += box.height + _DOWN


def _box(place: _Place) -> str:
    box = place.box
    whole = "\n".join((box.title, *box.lines))
    size = f'x="{place.x}" y="{place.y}" width="{WIDTH}" height="{box.height}"'
    edge = f"stroke:var(--nb-{box.tone});stroke-width:3;stroke-linecap:round"
    parts = [
        f"<g><title>{escape(whole)}</title>",
        f'<rect {size} rx="7" style="fill:var(--nb-soft);stroke:var(--nb-line)"/>',
        f'<path d="M{place.x + 4} {place.y + 8}V{place.y + box.height - 8}" style="{edge}"/>',
        _text(place.x + 14, place.y + 18, cut(box.title, MOST_TITLE), "ink", "600 13px"),
    ]
    for number, line in enumerate(box.lines):
        parts.append(_text(place.x + 14, place.y + 35 + number * _LINE, cut(line, MOST_LINE), "dim", "12px"))
    return "".join([*parts, "</g>"])


def _text(x: float, y: float, text: str, colour: str, font: str, letters: str = "0") -> str:
    style = f"fill:var(--nb-{colour});font:{font} {FONT};letter-spacing:{letters}"
    return f'<text x="{x}" y="{y}" style="{style}">{escape(text)}</text>'


def cut(text: str, most: int) -> str:
    """Returns the text, its end replaced by … where it is too long for its place."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _arrow(start: _Place, end: _Place) -> str:
    style = 'style="fill:none;stroke:var(--nb-line);stroke-width:1.5"'
    if start.column == end.column:
        x, y1, y2 = start.x + 26, start.y + start.box.height, end.y
        return f'<path d="M{x} {y1}V{y2 - 1}M{x - 4} {y2 - 6}l4 5 4-5" {style}/>'
    x1, y1 = start.x + WIDTH, start.y + start.box.height // 2
    x2, y2 = end.x, end.y + end.box.height // 2
    middle = x2 - _ACROSS // 2
    # A way past other columns keeps straight until the last gap.
    return f'<path d="M{x1} {y1}C{middle} {y1} {middle} {y2} {x2 - 1} {y2}M{x2 - 6} {y2 - 4}l5 4-5 4" {style}/>'
