"""How a result shows itself in a notebook: one small record, as plain text and as HTML.

Every result of the Python API is turned into a `Card` (`nbmlops.app.show.views`). The text form begins with the state
in a word, so that a log can be read and searched; the HTML form is a semantic table that follows the front end's
theme and holds no script. Everything that is not a literal of this module is escaped.
"""

from __future__ import annotations

from html import escape

from msgspec import Struct

from nbmlops.app.show.pictures import Bars, Picture
from nbmlops.gate.verdict import one_line

_COLOURS = {
    "good": "var(--jp-success-color1, #1a7f37)",
    "bad": "var(--jp-error-color1, #b3261e)",
    "plain": "var(--jp-brand-color1, #1f6feb)",
}
_GOOD = frozenset({"PASS", "REGISTERED", "FINISHED", "INTACT", "COMPATIBLE", "EQUAL"})
_BAD = frozenset({"FAIL", "FAILED", "KILLED", "REJECTED", "INTERRUPTED", "ERROR", "BROKEN", "BREAKING", "DIFFERENT"})
_FIGURE = 'style="margin:6px 18px 6px 0;max-width:240px;font-size:12px"'
_WIDE_FIGURE = 'style="margin:6px 0;max-width:100%;overflow-x:auto;font-size:12px" tabindex="0"'
_INK = "var(--jp-ui-font-color1, var(--vscode-foreground, inherit))"
_LONG = 40  # characters
_SENTENCE = "margin:2px 0;overflow-wrap:anywhere"
_CODE = "margin:2px 0;color:inherit;background:none;overflow-x:auto;font-size:13px;line-height:1.4"
_LINE = "var(--jp-border-color2, #8c959f)"
JUDGED = "that is"
"""The column that says whether a change is better or worse."""
PLAIN_CLASSES = "nbmlops mathjax_ignore tex2jax_ignore"
"""Front ends and nbconvert set what stands between dollar signs as formulas, of everything but these classes."""


class Table(Struct, frozen=True):
    """A table with a caption; the first cell of a row is its heading."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Card(Struct, frozen=True):
    """What there is to say about one result.

    Attributes:
        state: One word in capitals: PASS, FAIL, RUN, DATA, ….
        title: The rest of the first line.
        tables: Details.
        code: Lines in which spaces count: messages that point at a place, help.
        notes: Sentences below the tables: what to do next, where files are.
        pictures: What the HTML form shows beside the tables; the text form says it in their words.
    """

    state: str
    title: str
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] = ()
    code: tuple[str, ...] = ()


def render_text(card: Card) -> str:
    """Returns the plain form: state and title, then the tables in aligned columns, code, then the notes. No colours."""
    lines = [f"{card.state} {one_line(card.title)}".rstrip()]
    for table in card.tables:
        rows = [table.head, *(tuple(one_line(cell) for cell in row) for row in table.rows)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(table.head))]
        lines.append(f"{table.caption}:")
        lines += ["  " + "  ".join(_pad(row, widths)).rstrip() for row in rows]
    lines += [one_line(line) for line in (*card.code, *card.notes)]
    return "\n".join(lines)


def _pad(row: tuple[str, ...], widths: list[int]) -> list[str]:
    return [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]


def tone(card: Card) -> str:
    """Returns "good", "bad" or "plain": what the state means, for a colour beside the word."""
    return _tone(card.state)


def _tone(word: str) -> str:
    return "good" if word in _GOOD else "bad" if word in _BAD else "plain"


def render_html(card: Card) -> str:
    """Returns the HTML form: a section that names its state in words, with one table for each part."""
    style = f"border-left:4px solid {_COLOURS[tone(card)]};padding:2px 0 2px 10px;color:{_INK}"
    parts = [
        f'<section class="{PLAIN_CLASSES}" aria-label="nbmlops {escape(card.state.lower())}" style="{style}">',
        f'<p style="{_SENTENCE}"><strong>{escape(card.state)}</strong> {escape(card.title)}</p>',
    ]
    # Small pictures stand beside each other below the tables that they illustrate, a wide one tells the whole story.
    parts += [_figure(one, _WIDE_FIGURE) for one in card.pictures if not isinstance(one, Bars)]
    parts += [table_html(table) for table in card.tables]
    small = "".join(_figure(one, _FIGURE) for one in card.pictures if isinstance(one, Bars))
    if small:
        parts.append(f'<div style="display:flex;flex-wrap:wrap">{small}</div>')
    if card.code:
        lines = "\n".join(escape(one_line(line)) for line in card.code)
        parts.append(f'<pre style="{_CODE}">{lines}</pre>')
    parts += [f'<p style="{_SENTENCE}">{escape(note)}</p>' for note in card.notes]
    parts.append("</section>")
    return "\n".join(parts)


def _figure(picture: Picture, place: str) -> str:
    return f"<figure {place}>{picture.svg()}<figcaption>{escape(picture.caption)}</figcaption></figure>"


def _ink_of(column: str, text: str) -> str:
    """Returns the colour of a word that judges, as a declaration; "" for all others: a reason may be "better", too."""
    tone = {"better": "good", "worse": "bad"}.get(text) if column == JUDGED else None
    return f";color:{_COLOURS[tone]}" if tone is not None else ""


def _breaks(text: str) -> str:
    """Returns how a text of a table is broken, as a declaration: a number that is would be read as two."""
    return ";overflow-wrap:anywhere" if len(text) > _LONG else ""


def table_html(table: Table) -> str:
    """Returns a table as HTML; every text is escaped."""
    cell = f"border-bottom:1px solid {_LINE};padding:2px 10px 2px 0;text-align:left"
    head = "".join(f'<th scope="col" style="{cell}">{escape(name)}</th>' for name in table.head)
    rows = []
    for first, *rest in table.rows:
        named = zip(table.head[1:], rest, strict=True)
        cells = "".join(
            f'<td style="{cell}{_ink_of(name, text)}{_breaks(text)}">{escape(text)}</td>' for name, text in named
        )
        # The first cell may be an outcome in words; its colour only repeats what the word says.
        ink = f"color:{_COLOURS[_tone(first)]};font-weight:600" if _tone(first) != "plain" else "font-weight:normal"
        rows.append(f'<tr><th scope="row" style="{cell};{ink}{_breaks(first)}">{escape(first)}</th>{cells}</tr>')
    return (
        f'<table style="border-collapse:collapse;color:{_INK}">'
        f'<caption style="text-align:left;padding:4px 0;font-weight:600">{escape(table.caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )
