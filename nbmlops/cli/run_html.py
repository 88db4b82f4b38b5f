"""A run as one HTML file that needs nothing else: graph with times and states, gate, metrics, what each step showed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path

from nbmlops.app.running.outcome import RunOutcome
from nbmlops.cli.blocks import shown_value
from nbmlops.cli.html_style import PAGE_STYLE, page
from nbmlops.cli.notebook_html import shown_notebook
from nbmlops.cli.step_graph import GraphStep, draw_graph
from nbmlops.cli.timeline import draw_timeline
from nbmlops.gate.numerals import show_number
from nbmlops.gate.verdict import HEAD
from nbmlops.pipeline.ir import Pipeline
from nbmlops.pipeline.run_record import RunStatus, StepRecord, StepStatus

REPORT_FILE = "report.html"
_STYLE = """\
.executed,.succeeded{--tone:var(--good)}.failed,.gate_rejected{--tone:var(--bad)}.interrupted{--tone:var(--warn)}
.cached,.skipped{--tone:var(--dim)}img{max-width:100%;background:#fff}figure{margin:.5rem 0}
.timeline text{fill:var(--ink);font:12px system-ui,sans-serif}.timeline .tick{fill:var(--dim);text-anchor:middle}
.timeline .note{fill:var(--dim)}.timeline rect{fill:var(--tone)}.timeline .grid{stroke:var(--line)}
.timeline .wait{stroke:var(--dim);stroke-dasharray:3 3}.timeline .unit{stroke:var(--dim);fill:none;stroke-width:1.5}
.short{white-space:nowrap}.good,.bad,.waived{font-weight:600;color:var(--tone)}
.good{--tone:var(--good)}.bad{--tone:var(--bad)}.waived{--tone:var(--warn)}
.cell{border-left:3px solid var(--line);padding-left:.8rem;margin:.8rem 0}
"""
_SHORT = 16  # characters
_TONES = {"PASS": "good", "FAIL": "bad", "WAIVED": "waived"}
_SAID = {
    RunStatus.SUCCEEDED: "All steps ended well.",
    RunStatus.FAILED: "The run failed.",
    RunStatus.GATE_REJECTED: "The gate rejected the run.",
    RunStatus.INTERRUPTED: "The run was interrupted; the next one goes on where it stopped.",
}


def run_html(outcome: RunOutcome, pipeline: Pipeline, cwd: Path) -> str:
    """Returns the document; every text of the notebook and of the run is escaped, and no script may run in it.

    Args:
        outcome: How the run ended.
        pipeline: What was run.
        cwd: The folder that paths in the outcome are relative to.
    """
    title = f"{outcome.record.pipeline}: {Path(outcome.record.folder).name}"
    return page(title, PAGE_STYLE + _STYLE, "\n".join(_body(outcome, pipeline, cwd)))


def _body(outcome: RunOutcome, pipeline: Pipeline, cwd: Path) -> Iterator[str]:
    record = outcome.record
    yield f"<h1>{escape(pipeline.title or record.pipeline)} {_badge(record.status.value)}</h1>"
    yield f"<p>{escape(_SAID[record.status])}</p>"
    yield _pairs("run", _facts(outcome))
    after = {step.name: step.after for step in pipeline.steps}
    boxes = [GraphStep(step.name, after.get(step.name, ()), step.status.value, _state(step)) for step in record.steps]
    yield f'<div class="scroll" tabindex="0">{draw_graph(boxes)}</div>'
    timeline = draw_timeline(record)
    if timeline:
        yield f'<h2>Timeline</h2>\n<div class="scroll" tabindex="0">{timeline}</div>'
    if outcome.verdict is not None:
        yield f"<h2>Gate</h2><p>{escape(outcome.verdict.summary())}</p>"
        yield _table(HEAD, [result.cells() for result in outcome.verdict.results])
    yield _pairs("metrics", {name: show_number(value) for name, value in record.metrics.items()})
    yield _pairs("parameters", {name: shown_value(value) for name, value in record.parameters.items()})
    for number, step in enumerate(record.steps):
        yield from _section(number, step, cwd, cwd / record.folder)


def _facts(outcome: RunOutcome) -> Mapping[str, str]:
    record = outcome.record
    version = record.model_version
    facts = {
        "pipeline": record.pipeline,
        "folder": record.folder,
        "tracked run": record.run_id,
        "results of run": outcome.reused,
        "git commit": record.lineage.git_commit,
        **{f"data {name}": digest for name, digest in record.lineage.data.items()},
        "model version": f"{version.name} {version.version} {' '.join(version.aliases)}" if version else "",
    }
    return {name: text for name, text in facts.items() if text}


def _section(number: int, step: StepRecord, cwd: Path, folder: Path) -> Iterator[str]:
    is_open = " open" if step.status is StepStatus.FAILED else ""
    yield f'<details id="step-{number}"{is_open}><summary><h2>{escape(step.name)}</h2> {_badge(step.status.value)} '
    yield f'<span class="dim">{escape(", ".join(filter(None, (_state(step), step.reason))))}</span></summary>'
    if step.error is not None:
        place = f"cell {step.error.cell} line {step.error.line}: " if step.error.cell else ""
        yield f"<p>{escape(f'{place}{step.error.name}: {step.error.message}')}</p>"
        yield f"<pre>{escape(step.error.traceback)}</pre><p>{escape(step.error.hint)}</p>"
    yield _pairs("metric", {metric.name: show_number(metric.value) for metric in step.log.metrics})
    if step.notebook:
        target = Path(os.path.relpath(cwd / step.notebook, folder)).as_posix()
        yield f'<p>The executed notebook: <a href="{escape(target)}">{escape(step.notebook)}</a></p>'
        yield from shown_notebook(cwd / step.notebook)
    yield "</details>"


def _state(step: StepRecord) -> str:
    ran = step.status in {StepStatus.EXECUTED, StepStatus.FAILED}
    if not ran:
        return step.status.value
    details = [step.start] if step.start else []
    details += [f"{step.peak / 2**20:.0f} MiB"] if step.peak else []
    return ", ".join([step.status.value, f"{step.seconds:.1f} s", *details])


def _badge(status: str) -> str:
    return f'<span class="badge {status}">{status.replace("_", " ")}</span>'


def _pairs(title: str, values: Mapping[str, str]) -> str:
    return _table((title, ""), list(values.items())) if values else ""


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    cells = "".join(f"<th>{escape(text)}</th>" if text else "<td></td>" for text in head)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table></div>'


def _cell(text: object) -> str:
    shown = str(text)
    if len(shown) > _SHORT:
        return f"<td>{escape(shown)}</td>"
    # A number that is broken is read as two.
    return f'<td class="{_TONES.get(shown, "short")}">{escape(shown)}</td>'
