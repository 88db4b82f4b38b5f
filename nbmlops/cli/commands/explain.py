"""`nbmlops explain`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from nbmlops.app.running.explain import Explanation, explain
from nbmlops.app.running.run import RunRequest
from nbmlops.cli.blocks import Block, Cell, Line, Table, Tone
from nbmlops.cli.documents import EXPLAIN_SCHEMA
from nbmlops.cli.options import emit, format_option
from nbmlops.core.diagnostics import Json
from nbmlops.runtime.reuse.foresee import Foreseen, Prospect

HELP = """\
Say which steps a run would execute or reuse, and why, without running anything. PIPELINE is its folder or its name.
What an executed step will leave is not known before: a step behind it is reused if that is what it left last time.

\b
Examples:
  nbmlops explain churn
  nbmlops explain churn train -p max_depth=8
  nbmlops explain churn --from train --format json
"""
_TONES = {Prospect.EXECUTE: Tone.GOOD, Prospect.REUSE: Tone.DIM, Prospect.DEPENDS: Tone.WARNING}


@click.command(name="explain", help=HELP, short_help="Say which steps a run would execute, and why.")
@click.argument("pipeline")
@click.argument("step", default="")
@click.option(
    "-p", "--parameter", "parameters", multiple=True, metavar="NAME=VALUE", help="Set a parameter; repeatable."
)
@click.option("--force", is_flag=True, help="As in run: execute every step.")
@click.option("--from", "from_step", default="", metavar="STEP", help="As in run: this step and those that need it.")
@click.option("--to", "to_step", default="", metavar="STEP", help="As in run: stop after this step.")
@click.option("--store", default="", metavar="URL", help="As in run: results that others shared count, too.")
@format_option
def command(  # noqa: PLR0913, PLR0917 - one for each option
    pipeline: str,
    step: str,
    parameters: tuple[str, ...],
    force: bool,
    from_step: str,
    to_step: str,
    store: str,
    output: str,
) -> int:
    """Shows what a run would do; returns the exit code."""
    request = RunRequest(
        pipeline=pipeline,
        cwd=Path.cwd(),
        parameters=parameters,
        force=force,
        from_step=from_step,
        to_step=to_step,
        store=store,
    )
    explanation = explain(request, step)
    emit(output, lambda: _document(explanation), lambda: _blocks(explanation))
    return 0


def _document(explanation: Explanation) -> dict[str, Json]:
    return {
        "schema": EXPLAIN_SCHEMA,
        "pipeline": explanation.pipeline,
        "steps": [
            {"name": step.step, "prospect": step.prospect.value, "reason": step.reason, "on": list(step.on)}
            for step in explanation.steps
        ],
        "diagnostics": [],
    }


def _blocks(explanation: Explanation) -> Iterator[Block]:
    rows = tuple(
        (Cell(step.step), Cell(step.prospect.value, _TONES[step.prospect]), Cell(_why(step)))
        for step in explanation.steps
    )
    yield Table("a run would", ("step", "do", "why"), rows)
    counts = {prospect: sum(step.prospect is prospect for step in explanation.steps) for prospect in Prospect}
    yield Line(", ".join(f"{prospect.value} {number}" for prospect, number in counts.items() if number))


def _why(step: Foreseen) -> str:
    if step.prospect is Prospect.DEPENDS:
        return f"reused if {', '.join(step.on)} give{'s' if len(step.on) == 1 else ''} the same as last time"
    return step.reason
