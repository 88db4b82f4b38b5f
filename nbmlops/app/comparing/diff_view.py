"""How the difference between two runs or versions shows itself: tables, pictures of data, and the lines of code."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from msgspec import Struct

from nbmlops.app.data.views import HEAD, MOST_COLUMNS, headline, notes, pictures, table_rows
from nbmlops.app.show.cards import JUDGED, Card, Table, render_html, render_text
from nbmlops.app.show.ink import theme_colours
from nbmlops.app.show.views import View
from nbmlops.gate.numerals import show_number
from nbmlops.gate.verdict import one_line
from nbmlops.registry.story_diff import CellChange, Change, MetricChange, StoryDiff

MOST_PACKAGES = 60
_MOST_LINES = 400
_TONES = {"+": "good", "-": "bad", "@": "dim"}
_PRE = "font:12px/1.5 ui-monospace,monospace;margin:0;padding:6px 0;overflow-x:auto;background:var(--nb-soft)"


class DiffView(View, Struct, frozen=True):
    """What differs between two runs or versions."""

    diff: StoryDiff

    def card(self) -> Card:
        """Returns what differs but the code, as tables; `code` has the rest."""
        diff = self.diff
        found = tuple(table for table in _tables(diff) if table.rows)
        before, after = diff.subjects
        shown = tuple(picture for one in diff.data for picture in pictures(one))
        return Card("DIFF", f"{before} → {after}: {summary(diff)}", found, tuple(_notes(diff)), shown)

    def __repr__(self) -> str:
        return "\n".join([render_text(self.card()), *map(one_line, code_lines(self.diff))])

    def _repr_html_(self) -> str:
        return diff_html(self)


def summary(diff: StoryDiff) -> str:
    """Returns what differs in one line."""
    parts = []
    for count, what in (
        (len(diff.parameters), "parameter"),
        (sum(repr(one.before) != repr(one.after) for one in diff.metrics), "metric"),
        (len(diff.data) + len(diff.data_alone), "input"),
        (len(diff.cells or ()), "cell"),
        (len(diff.packages or ()), "package"),
    ):
        parts += [f"{count} {what}{'' if count == 1 else 's'}"] if count else []
    return (
        f"{', '.join(parts)} differ{'s' if parts[0].startswith('1 ') and len(parts) == 1 else ''}"
        if parts
        else "no difference"
    )


def _tables(diff: StoryDiff) -> Iterator[Table]:
    head = ("fact", "before", "after")
    yield Table("metrics", ("metric", "before", "after", "change", JUDGED), tuple(map(_metric, diff.metrics)))
    yield Table("parameters", ("parameter", *head[1:]), tuple(map(_row, diff.parameters)))
    rows = [(name, "", "", f"only {side}") for name, side in diff.data_alone]
    rows += [(name, "", "", "the same") for name in diff.data_same]
    rows += [
        (one.names[0], one.digests[0][:16], one.digests[1][:16], headline(one).partition(": ")[2]) for one in diff.data
    ]
    yield Table("data", ("name", "before", "after", "what changed"), tuple(rows))
    for one in diff.data:
        yield Table(f"columns of {one.names[0]}", HEAD, table_rows(one.columns[:MOST_COLUMNS]))
    if diff.cells is not None:
        yield Table("code", ("cell", "step", "what"), tuple((_cell(one), one.step, one.what) for one in diff.cells))
    environment = (*diff.environment, *(diff.packages or ())[:MOST_PACKAGES])
    yield Table("environment", ("package", *head[1:]), tuple(map(_row, environment)))
    yield Table("where they come from", head, tuple(map(_row, diff.facts)))


def _row(change: Change) -> tuple[str, ...]:
    return change.name, *("-" if text is None else text for text in (change.before, change.after))


def _metric(one: MetricChange) -> tuple[str, ...]:
    moved = one.before is not None and one.after is not None and repr(one.before) != repr(one.after)
    change = f"{one.after - one.before:+.4g}" if moved and one.before is not None and one.after is not None else ""
    better = "" if one.better is None else "better" if one.better else "worse"
    if one.before is not None and not moved and one.after is not None:
        better = "the same"
    return one.name, show_number(one.before), show_number(one.after), change, better


def _cell(one: CellChange) -> str:
    return f"{one.number} ({one.id[:8]})" if one.id else str(one.number)


def _notes(diff: StoryDiff) -> Iterator[str]:
    for one in diff.data:
        yield from (f"{one.names[0]}: {note}" for note in notes(one))
    if diff.cells is not None:
        yield f"{diff.cells_same} code cell{'' if diff.cells_same == 1 else 's'} without a change"
    if len(diff.packages or ()) > MOST_PACKAGES:
        yield f"{len(diff.packages or ()) - MOST_PACKAGES} more packages differ"
    yield from diff.notes


def code_heads(diff: StoryDiff) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yields for each code cell that differs its heading and its lines, bounded in number."""
    left = _MOST_LINES
    for one in diff.cells or ():
        step = f", step {one.step}" if one.step else ""
        shown = one.lines[:left]
        left -= len(shown)
        more = (f"@@ {len(one.lines) - len(shown)} more lines @@",) if len(shown) < len(one.lines) else ()
        yield f"cell {_cell(one)}{step}: {one.what}", (*shown, *more)


def code_lines(diff: StoryDiff) -> Iterator[str]:
    """Yields the changes of code as lines of text."""
    for heading, lines in code_heads(diff):
        yield heading
        yield from (f"  {line}" for line in lines)


def diff_html(view: DiffView) -> str:
    """Returns the difference as HTML: tables and pictures, then the code with coloured lines; every text is escaped."""
    body, end = render_html(view.card()).rsplit("</section>", 1)
    parts = [body, f'<div style="{theme_colours()}">']
    for heading, lines in code_heads(view.diff):
        is_open = " open" if lines else ""
        parts.append(f'<details{is_open}><summary style="font-weight:600;padding:4px 0">{escape(heading)}</summary>')
        if lines:
            parts.append(f'<pre style="{_PRE}" tabindex="0">{"".join(map(_line, lines))}</pre>')
        parts.append("</details>")
    return "".join([*parts, "</div></section>", end])


def _line(line: str) -> str:
    tone = _TONES.get(line[:1], "ink")
    return f'<span style="color:var(--nb-{tone});display:block;padding:0 10px">{escape(line) or " "}</span>'
