"""`nbmlops runs`."""

from __future__ import annotations

from contextlib import redirect_stdout
from pathlib import Path

import click

from nbmlops.app.comparing.runs import MOST_RUNS, STARTED, RunsQuery, RunTable, compare_runs
from nbmlops.app.comparing.runs_view import RunsView, runs_html
from nbmlops.cli.card_pages import STDOUT, card_blocks, fragment_page, write_text
from nbmlops.cli.console import stray_output
from nbmlops.cli.options import emit, format_option
from nbmlops.core.diagnostics import Json
from nbmlops.pipeline.run_codec import finite
from nbmlops.registry.read_story import when
from nbmlops.registry.story_codec import reference

RUNS_SCHEMA = "nbmlops/runs/1"
HELP = """\
Compare recent runs: parameters, metrics, the gate's answers, which made the champion. SCOPE is a pipeline's name or
folder, a notebook, or an experiment; without it, the runs of the project.

\b
Examples:
  nbmlops runs
  nbmlops runs churn --sort auc
  nbmlops runs --html runs.html
"""


@click.command(name="runs", help=HELP, short_help="Compare recent runs.")
@click.argument("scope", metavar="[SCOPE]", default="")
@click.option(
    "--sort", default=STARTED, metavar="NAME", help="A metric (the best first), a parameter, started, seconds or name."
)
@click.option("--reverse", is_flag=True, help="The other way round.")
@click.option("--most", type=click.IntRange(1), default=MOST_RUNS, show_default=True, help="How many, the newest ones.")
@click.option("--html", default="", metavar="FILE", help="Write a page with pictures (- for standard output).")
@format_option
def command(scope: str, sort: str, reverse: bool, most: int, html: str, output: str) -> int:
    """Compares; returns the exit code."""
    with redirect_stdout(stray_output()):
        table = compare_runs(RunsQuery(scope, sort, reverse, most), Path.cwd())
    if html:
        write_text(html, fragment_page(runs_html(table, "page"), f"runs of {table.scope}"))
    if html != STDOUT:
        emit(output, lambda: runs_document(table), lambda: card_blocks(RunsView(table, "").card()))
    return 0


def runs_document(table: RunTable) -> dict[str, Json]:
    """Returns the document of `runs --format json`."""
    return {
        "schema": RUNS_SCHEMA,
        "scope": table.scope,
        "sort": table.sort,
        "reverse": table.reverse,
        "directions": {name: direction.value for name, direction in table.directions.items()},
        "runs": [
            {
                "run_id": row.facts.run_id,
                "name": row.facts.name,
                "experiment": row.facts.experiment,
                "status": row.facts.state.value.lower(),
                "started": when(row.facts.started),
                "seconds": row.seconds,
                "parameters": dict(row.facts.params),
                "metrics": finite(row.facts.metrics),
                "verdict": row.verdict,
                "versions": [reference(version) for version in row.versions],
                "champion": row.is_champion,
            }
            for row in table.rows
        ],
        "diagnostics": [],
    }
