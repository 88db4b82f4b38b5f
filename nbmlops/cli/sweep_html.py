"""The comparison of a sweep's points as one HTML file that needs nothing else: pictures above, the table below."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from nbmlops.app.sweep.record import SweepPoint, SweepRecord, ranked, varied
from nbmlops.cli.blocks import shown_value
from nbmlops.cli.sweep_plots import parallel_coordinates, value_plots
from nbmlops.gate.numerals import show_number

_STYLE = """\
:root{color-scheme:light dark;--ink:#1c2128;--dim:#59636e;--ground:#fff;--line:#d1d9e0;--good:#1a7f37;--bad:#cf222e}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--dim:#9198a1;--ground:#0d1117;--line:#3d444d;--good:#3fb950;
--bad:#f85149}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--ground);margin:2rem auto;max-width:70rem;
padding:0 1rem}
h1{font-size:1.4rem}h2{font-size:1.1rem}.dim{color:var(--dim)}
table{border-collapse:collapse;width:100%;margin:.5rem 0 1rem}.scroll{overflow-x:auto}
th,td{text-align:right;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid var(--line)}
th{color:var(--dim);font-weight:500}td.best{color:var(--good)}td.failed{color:var(--bad)}
td:last-child,th:last-child{text-align:left;font:13px/1.5 ui-monospace,monospace}
figure{margin:0}svg{max-width:100%;height:auto}
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def sweep_page(record: SweepRecord) -> str:
    """Returns the page; every text of users is escaped."""
    body = "\n".join(_body(record))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(f'sweep of {record.pipeline}')}</title>\n<style>\n{_STYLE}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def _body(record: SweepRecord) -> Iterator[str]:
    metric = escape(record.objective.metric)
    yield f"<h1>Sweep of {escape(record.pipeline)}</h1>"
    better = f"{record.objective.direction} {metric} is better"
    yield f'<p class="dim">{len(record.points)} points ({record.method}); {better}.'
    yield f"Tracked run {escape(record.run_id)}; each point is a run below it.</p>"
    if any(point.value is not None for point in record.points):
        yield f"<h2>{metric} over each parameter</h2>\n<figure>{value_plots(record)}</figure>"
        if len(varied(record)) > 1:
            yield f"<h2>All parameters at once</h2>\n<figure>{parallel_coordinates(record)}</figure>"
    yield f'<h2>Points, the best first</h2>\n<div class="scroll">{_table(record)}</div>'


def _table(record: SweepRecord) -> str:
    heads = (*varied(record), record.objective.metric, "seconds", "run")
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    rows = "\n".join(_row(record, position) for position in ranked(record))
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n{rows}\n</tbody></table>"


def _row(record: SweepRecord, position: int) -> str:
    point = record.points[position]
    cells = "".join(f"<td>{escape(shown_value(point.parameters.get(name)))}</td>" for name in varied(record))
    kind = ' class="best"' if position == record.best else (' class="failed"' if point.error else "")
    value = f"<td{kind}>{escape(_value(point))}</td>"
    return f"<tr>{cells}{value}<td>{point.seconds:.1f}</td><td>{escape(point.run_id)}</td></tr>"


def _value(point: SweepPoint) -> str:
    return show_number(point.value) if point.value is not None else point.error or "-"
