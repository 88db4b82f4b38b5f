"""What notebooks show as a card, for the command line: as blocks of text, and as an HTML file of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path

from nbmlops.app.show.cards import Card, render_html, tone
from nbmlops.cli.blocks import Block, Cell, Line, Table, Tone
from nbmlops.cli.html_style import PAGE_STYLE, page
from nbmlops.core.documents import write_atomically

STDOUT = "-"
_TONES = {"good": Tone.GOOD, "bad": Tone.BAD, "plain": Tone.STRONG}
# Cards take the colours of the notebook's front end; here these are the page's.
_STYLE = """\
:root{--jp-border-color1:var(--line);--jp-border-color2:var(--line);--jp-success-color1:var(--good);
--jp-error-color1:var(--bad);--jp-ui-font-color1:var(--ink);--jp-ui-font-color2:var(--dim);
--jp-layout-color2:var(--soft);--jp-warn-color1:var(--warn)}
.nbmlops>table{margin:.6rem 0 1.2rem;width:auto}.nbmlops td,.nbmlops th{overflow-wrap:break-word}
.unseen{position:absolute;width:1px;height:1px;margin:0;overflow:hidden;clip-path:inset(50%)}
.nbmlops{overflow-x:auto}.nbmlops>p:first-child{font-size:1.3rem}body{max-width:86rem}
"""


def card_blocks(card: Card) -> Iterator[Block]:
    """Yields a card as a command prints it."""
    yield Line(f"{card.state} {card.title}", _TONES[tone(card)])
    for table in card.tables:
        rows = tuple(tuple(Cell(text) for text in row) for row in table.rows)
        yield Table(table.caption, table.head, rows, frozenset({"rows", "seconds"}))
    for note in card.notes:
        yield Line(note, Tone.DIM)


def card_page(card: Card, title: str) -> str:
    """Returns the page; every text of users is escaped, and no script may run in it.

    Args:
        card: What it shows.
        title: What the browser calls it.
    """
    return fragment_page(render_html(card), title)


def fragment_page(body: str, title: str) -> str:
    """Returns a page of what a notebook shows as HTML, whose texts are escaped already.

    Args:
        body: The HTML.
        title: What the browser calls it.
    """
    # Who hears a page instead of seeing it goes by headings, of which most cards have none.
    heading = "" if "<h1" in body else f'<h1 class="unseen">{escape(title)}</h1>\n'
    return page(title, PAGE_STYLE + _STYLE, heading + body)


def write_text(file: str, text: str) -> None:
    """Writes a text to a file, or to standard output where it is called "-".

    Raises:
        EnvironmentFault: the file cannot be written.
    """
    if file == STDOUT:
        sys.stdout.write(text)
    else:
        write_atomically(Path(file), text.encode("utf-8", "backslashreplace"))
