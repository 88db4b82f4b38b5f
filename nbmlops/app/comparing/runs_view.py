"""How runs beside each other show themselves: a table as text, and as HTML that is sorted by a click without a script.

Scripts in outputs run in some front ends, never in a notebook that is not trusted, and not under our pages' policy. So
every row says its place in each order, and what is chosen in the head decides by style alone which of them counts.
Where a front end drops styles or does not know these, the table stands as it was sorted when it was made.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from html import escape

from msgspec import Struct, field

from nbmlops.app.comparing.runs import NAME, SECONDS, STARTED, RunRow, RunTable, ranks
from nbmlops.app.comparing.runs_pictures import metric_pictures, parallel_picture
from nbmlops.app.show.cards import Card, Table, render_html, render_text
from nbmlops.app.show.ink import theme_colours
from nbmlops.app.show.views import View
from nbmlops.app.versions.lineage_views import shown_time
from nbmlops.gate.numerals import show_number
from nbmlops.registry.read_story import when

_MOST_PARAMETERS = 8
_MOST_METRICS = 10
_LONGEST = 24
_LAST = 100_000


class RunsView(View, Struct, frozen=True):
    """Runs beside each other."""

    table: RunTable
    key: str = field(default_factory=lambda: secrets.token_hex(4))

    def card(self) -> Card:
        """Returns the runs as a table of texts, with what they have in common below it."""
        table = self.table
        rows = tuple(tuple(_cells(table, row)) for row in table.rows)
        return Card("RUNS", headline(table), (Table("runs", tuple(_head(table)), rows),), tuple(notes(table)))

    def __repr__(self) -> str:
        return render_text(self.card())

    def _repr_html_(self) -> str:
        return runs_html(self.table, self.key)


def headline(table: RunTable) -> str:
    """Returns what is compared, in one line."""
    count = len(table.rows)
    order = f", sorted by {table.sort}{' in reverse' if table.reverse else ''}"
    return f"{count} run{'' if count == 1 else 's'} of {table.scope}{order if count > 1 else ''}"


def notes(table: RunTable) -> Iterator[str]:
    """Yields sentences on what the table does not show."""
    if not table.rows:
        yield "nothing has been tracked here yet: run a pipeline, or put `%mlops track` in a notebook"
    if table.same:
        yield f"the same in all: {', '.join(f'{name} = {_short(value)}' for name, value in table.same.items())}"
    for kind, names, most in (
        ("parameters", table.parameters, _MOST_PARAMETERS),
        ("metrics", table.metrics, _MOST_METRICS),
    ):
        if len(names) > most:
            yield f"{len(names) - most} more {kind} are not shown: {', '.join(names[most : most + 10])}"
    if any(row.is_champion for row in table.rows):
        yield "◆ is champion: live, under its alias in the registry"


def legend(table: RunTable) -> str:
    """Returns what the signs in the pictures mean, as far as they are there."""
    signs = ["● a run"]
    signs += ["◆ champion, its value dashed"] if any(row.is_champion for row in table.rows) else []
    signs += ["✕ rejected by the gate"] if any(row.verdict == "fail" for row in table.rows) else []
    return " · ".join((*signs, "point at one to see its name and value"))


def _shown_names(table: RunTable) -> tuple[Sequence[str], Sequence[str]]:
    """Returns the parameters and metrics that have a column: what they are sorted by is never left out."""
    chosen = []
    for names, most in ((table.parameters, _MOST_PARAMETERS), (table.metrics, _MOST_METRICS)):
        shown = list(names[:most])
        if table.sort in names and table.sort not in shown:
            shown[-1] = table.sort
        chosen.append(shown)
    return chosen[0], chosen[1]


def _head(table: RunTable) -> Iterator[str]:
    parameters, metrics = _shown_names(table)
    yield from (NAME, STARTED, SECONDS, *parameters, *metrics, "gate", "version")


def _cells(table: RunTable, row: RunRow) -> Iterator[str]:
    facts = row.facts
    parameters, metrics = _shown_names(table)
    yield f"{'◆ ' if row.is_champion else ''}{facts.name or facts.run_id[:8]}"
    yield shown_time(when(facts.started)).removesuffix(" UTC")
    yield facts.state.value.lower() if row.seconds is None else f"{row.seconds:.1f}"
    yield from (_short(facts.params.get(name, "-")) for name in parameters)
    yield from (show_number(facts.metrics.get(name)) for name in metrics)
    yield row.verdict.upper() or "-"
    yield ", ".join(
        f"{one.name}/{one.version}" + "".join(f" @{alias}" for alias in one.aliases) for one in row.versions
    )


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def runs_html(table: RunTable, key: str) -> str:
    """Returns the comparison as HTML without a script: pictures, and a table whose head is clicked to sort it.

    Args:
        table: The runs.
        key: A word that no other table on the page has.
    """
    card = Card("RUNS", headline(table), notes=tuple(notes(table)))
    head, *rest = render_html(card).split("</p>", 1)
    return "\n".join([head + "</p>", *_pictures(table), *_sortable(table, f"nb-runs-{key}"), *rest])


def _pictures(table: RunTable) -> Iterator[str]:
    small = metric_pictures(table)
    if small:
        drawn = "".join(f'<figure style="margin:4px 12px 4px 0">{picture.svg()}</figure>' for picture in small)
        yield f'<div style="display:flex;flex-wrap:wrap">{drawn}</div>'
    parallel = parallel_picture(table)
    if parallel is not None:
        yield f'<figure style="margin:4px 0;max-width:100%;overflow-x:auto" tabindex="0">{parallel.svg()}</figure>'
    if small or parallel is not None:
        yield f'<p style="margin:0 0 10px;font-size:12px">{escape(legend(table))}</p>'


def _sortable(table: RunTable, name: str) -> Iterator[str]:
    if not table.rows:
        return
    head = list(_head(table))
    orders = {place: ranks(table, column) for place, column in enumerate(head) if column in table.columns}
    checked = head.index(table.sort) if table.sort in head else -1
    yield f"<style>{_style(name, len(head), orders)}</style>"
    yield f'<div class="{name}" style="{theme_colours()};overflow-x:auto" tabindex="0">'
    mark = " checked" if table.reverse else ""
    yield f'<label class="rev"><input type="checkbox"{mark}> reversed</label>'
    cells = []
    for place, column in enumerate(head):
        text = escape(_short(column))
        if place in orders:
            mark = " checked" if place == checked else ""
            text = f'<label><input type="radio" name="{name}" class="k{place}"{mark}>{text}</label>'
        title = f' title="{escape(column)}"' if len(column) > _LONGEST else ""
        cells.append(f'<th role="columnheader" scope="col"{title}>{text}</th>')
    yield f'<table role="table"><thead role="rowgroup"><tr role="row">{"".join(cells)}</tr></thead>'
    yield '<tbody role="rowgroup">'
    for row in table.rows:
        yield _row(table, row, head, orders)
    yield "</tbody></table></div>"


def _row(table: RunTable, row: RunRow, head: Sequence[str], orders: dict[int, dict[str, int | None]]) -> str:
    places = []
    for number, order in orders.items():
        place = order[row.facts.run_id]
        # What has no value comes last in either direction.
        places.append(
            f"--a{number}:{_LAST if place is None else place};--d{number}:{_LAST if place is None else -place}"
        )
    cells = []
    for column, text in zip(head, _cells(table, row), strict=True):
        best = column in table.metrics and row.facts.metrics.get(column) == table.best(column)
        words = ' class="best" title="the best"' if best else _tone(text)
        title = f' title="run {escape(row.facts.run_id)}"' if column == NAME else ""
        tag = 'th scope="row" role="rowheader"' if column == NAME else 'td role="cell"'
        cells.append(f"<{tag}{words}{title}>{escape(text)}</{tag.split(maxsplit=1)[0]}>")
    kind = ' class="champion"' if row.is_champion else ""
    return f'<tr role="row"{kind} style="{";".join(places)}">{"".join(cells)}</tr>'


def _tone(text: str) -> str:
    return {"PASS": ' class="good"', "FAIL": ' class="bad"'}.get(text, "")


def _style(name: str, columns: int, orders: dict[int, dict[str, int | None]]) -> str:
    """Returns the style of one table; nothing in it is written by users."""
    own = f".{name}.{name}"  # twice, to count for more than what a front end says of all tables
    rules = [
        f"{own} table{{border-collapse:collapse;width:auto;color:var(--nb-ink);font-size:13px}}",
        f"{own} th,{own} td{{padding:4px 14px 4px 0;text-align:left;border-bottom:1px solid var(--nb-line)}}",
        f"{own} th,{own} td{{font-weight:400;white-space:nowrap;font-variant-numeric:tabular-nums}}",
        f"{own} thead th{{color:var(--nb-dim)}}{own} .best{{font-weight:700}}",
        f"{own} .champion th{{color:var(--nb-good);font-weight:600}}",
        f"{own} .good{{color:var(--nb-good)}}{own} .bad{{color:var(--nb-bad)}}",
        f"{own} label{{cursor:pointer}}{own} .rev{{color:var(--nb-dim);font-size:12px}}",
    ]
    sorting = [
        f"{own} table{{display:grid;grid-template-columns:repeat({columns},max-content)}}",
        f"{own} thead,{own} tbody{{display:contents}}",
        f"{own} tr{{display:grid;grid-column:1/-1;grid-template-columns:subgrid}}{own} thead tr{{order:-{_LAST + 1}}}",
        f"{own} th input{{position:absolute;opacity:0;width:1px;height:1px}}",
        f"{own} th:has(input:checked){{color:var(--nb-ink);font-weight:600}}",
        f"{own} th label:has(input:checked)::after{{content:' ▾'}}",
        f"{own}:has(.rev input:checked) th label:has(input:checked)::after{{content:' ▴'}}",
        f"{own} th label:has(input:focus-visible){{outline:2px solid var(--nb-plain);outline-offset:2px}}",
    ]
    for number in orders:
        sorting.append(f"{own}:has(.k{number}:checked) tbody tr{{order:var(--a{number})}}")
        sorting.append(f"{own}:has(.rev input:checked):has(.k{number}:checked) tbody tr{{order:var(--d{number})}}")
    known = "@supports selector(:has(a)) and (grid-template-columns:subgrid)"
    return "".join([*rules, known, "{", *sorting, "}"])
