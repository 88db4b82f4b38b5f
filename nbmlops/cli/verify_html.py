"""The result of verifying as one HTML file that needs nothing else: graph, verdicts, what differs; light and dark."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from nbmlops.app.verify_report import KINDS, ComparedStep, Status, Verification
from nbmlops.cli.verify_graph import step_graph
from nbmlops.core.diagnostics import render_diagnostic

_STYLE = """\
:root{color-scheme:light dark;--ink:#1c2128;--dim:#59636e;--ground:#fff;--line:#d1d9e0;--soft:#f6f8fa;
--good:#1a7f37;--bad:#cf222e;--warn:#9a6700}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--dim:#9198a1;--ground:#0d1117;--line:#3d444d;--soft:#151b23;
--good:#3fb950;--bad:#f85149;--warn:#d29922}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--ground);margin:2rem auto;max-width:70rem;
padding:0 1rem}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin:0;display:inline}
.equal{--tone:var(--good)}.different,.failed,.refused{--tone:var(--bad)}.nondeterministic,.uncompared{--tone:var(--warn)}
.badge{color:var(--tone);border:1px solid var(--tone);border-radius:1em;padding:0 .6em;font-size:.85rem;
white-space:nowrap}
.dim{color:var(--dim)}table{border-collapse:collapse;width:100%;margin:.5rem 0 1rem}
th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid var(--line)}
details td:first-child{width:12rem}details td:nth-child(2){width:8rem}
th{color:var(--dim);font-weight:500}td.detail{overflow-wrap:anywhere}code,pre{font:13px/1.5 ui-monospace,monospace}
pre{background:var(--soft);padding:.8rem;overflow-x:auto;white-space:pre-wrap;overflow-wrap:anywhere}
details{border:1px solid var(--line);border-radius:8px;padding:.6rem .9rem;margin:.8rem 0}summary{cursor:pointer}
.scroll{overflow-x:auto}.graph rect{fill:var(--soft);stroke:var(--tone);stroke-width:1.5}
.graph text{fill:var(--ink);text-anchor:middle;font:13px system-ui,sans-serif}
.graph .status{fill:var(--tone);font-size:11px}
.graph .flow{fill:none;stroke:var(--dim)}.graph marker path{fill:var(--dim)}
"""
_SAID = {
    Status.EQUAL: "Notebook and pipeline agree.",
    Status.NONDETERMINISTIC: "Two runs of the notebook itself differ where marked; all else is equal.",
    Status.DIFFERENT: "Notebook and pipeline do not agree.",
    Status.REFUSED: "The notebook cannot be compiled.",
    Status.FAILED: "The notebook itself fails.",
}


def html_report(found: Verification) -> str:
    """Returns the document; every text from the notebook is escaped."""
    title = escape(f"nbmlops verify {found.notebook}")
    body = "\n".join(_body(found))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>\n{_STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _body(found: Verification) -> Iterator[str]:
    yield f"<h1>{escape(found.notebook)} {_badge(found.status)}</h1>"
    yield f"<p>{escape(_SAID[found.status])}</p>"
    if found.error is not None:
        yield f"<p>Cell {found.error.cell}: {escape(f'{found.error.name}: {found.error.message}')}</p>"
        yield f"<pre>{escape(found.error.traceback)}</pre>"
    if found.steps:
        yield _counts(found)
        yield f'<div class="scroll">{step_graph(found.steps)}</div>'
    for steps, values in found.joined:
        yield f"<p>One process: {_codes(steps)}, because of {_codes(values)}, which cannot be stored.</p>"
    for number, step in enumerate(found.steps):
        yield from _section(number, step)
    for diagnostic in found.diagnostics:
        yield f"<pre>{escape(render_diagnostic(diagnostic))}</pre>"
    yield f'<p class="dim">{escape(_footnote(found))}</p>'


def _badge(status: Status) -> str:
    return f'<span class="badge {status.value}">{status.value}</span>'


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"<code>{escape(name)}</code>" for name in names)


def _counts(found: Verification) -> str:
    head = "".join(f"<th>{kind.value}</th>" for kind in KINDS)
    rows = "".join(
        f"<tr><td>{name}</td>{''.join(f'<td>{number}</td>' for number in kinds.values())}</tr>"
        for name, kinds in found.tally().items()
    )
    return f"<table><thead><tr><th></th>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _section(number: int, step: ComparedStep) -> Iterator[str]:
    is_open = "" if step.status is Status.EQUAL else " open"
    cells = f"cell{'' if len(step.cells) == 1 else 's'} {', '.join(map(str, step.cells))}"
    yield f'<details id="step-{number}"{is_open}><summary><h2>{escape(step.name)}</h2> {_badge(step.status)}'
    yield f'<span class="dim">{cells}</span></summary>'
    if step.error:
        yield f"<p>The step fails in the pipeline: {escape(step.error)}</p>"
    if not step.reached:
        yield "<p>The pipeline did not come to it.</p>"
    yield _table("value", [(value.name, value.status, value.detail) for value in step.values])
    yield _table("outputs", [(f"cell {c.cell}", c.status, _outputs(c.detail, c.removed)) for c in step.outputs])
    yield _table("logged", [(f"{r.kind} {r.name}", r.status, r.detail) for r in step.logged])
    yield "</details>"


def _outputs(detail: str, removed: Iterable[str]) -> str:
    left_out = ", ".join(removed)
    return "; ".join(part for part in (detail, f"left out: {left_out}" if left_out else "") if part)


def _table(head: str, rows: list[tuple[str, Status, str]]) -> str:
    if not rows:
        return ""
    body = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{_badge(status)}</td>"
        f'<td class="detail">{escape(detail)}</td></tr>'
        for name, status, detail in rows
    )
    return f"<table><thead><tr><th>{head}</th><th>status</th><th></th></tr></thead><tbody>{body}</tbody></table>"


def _footnote(found: Verification) -> str:
    spent = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in found.seconds.items())
    runs = f"The notebook ran {'once' if found.runs == 1 else 'twice'}. " if found.runs else ""
    return f"{runs}{spent}"
