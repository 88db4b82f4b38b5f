"""The result of verifying as one HTML file that needs nothing else: graph, verdicts, what differs; light and dark."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from nbmlops.app.verify.report import KINDS, ComparedStep, Status, Verification
from nbmlops.cli.html_style import PAGE_STYLE, page
from nbmlops.cli.verify_graph import step_graph
from nbmlops.core.diagnostics import render_diagnostic

_SAID = {
    Status.EQUAL: "Notebook and pipeline agree.",
    Status.NONDETERMINISTIC: "Two runs of the notebook itself differ where marked; all else is equal.",
    Status.DIFFERENT: "Notebook and pipeline do not agree.",
    Status.REFUSED: "The notebook cannot be compiled.",
    Status.FAILED: "The notebook itself fails.",
}


def html_report(found: Verification) -> str:
    """Returns the document; every text from the notebook is escaped."""
    return page(f"nbmlops verify {found.notebook}", PAGE_STYLE, "\n".join(_body(found)))


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
    return f"<table><thead><tr><td></td>{head}</tr></thead><tbody>{rows}</tbody></table>"


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
    return f"<table><thead><tr><th>{head}</th><th>status</th><td></td></tr></thead><tbody>{body}</tbody></table>"


def _footnote(found: Verification) -> str:
    spent = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in found.seconds.items())
    runs = f"The notebook ran {'once' if found.runs == 1 else 'twice'}. " if found.runs else ""
    return f"{runs}{spent}"
