"""`nbmlops inspect`."""

from __future__ import annotations

from pathlib import Path

import click

from nbmlops.app.compiling.inspect import inspect_notebook
from nbmlops.cli.console import show, show_document
from nbmlops.cli.documents import inspect_document
from nbmlops.cli.options import SARIF, TEXT, emit, sarif_format_option, steps_option
from nbmlops.cli.render import diagnostic_blocks, graph_lines, inspection_blocks
from nbmlops.cli.sarif import inspection_sarif
from nbmlops.pipeline.graph import mermaid

HELP = """\
Show what the compiler sees in NOTEBOOK: steps and what they hand over, parameters, the gate, the model, and every
problem with its place and the edit that helps. Nothing is written.

\b
Examples:
  nbmlops inspect churn.ipynb
  nbmlops inspect churn.ipynb --graph mermaid > graph.mmd
  nbmlops inspect churn.ipynb --format json
  nbmlops inspect churn.ipynb --format sarif > churn.sarif    for code hosts
"""


@click.command(name="inspect", help=HELP, short_help="Show steps, dataflow, parameters and problems.")
@click.argument("notebook")
@click.option(
    "--graph",
    type=click.Choice(["text", "mermaid"]),
    is_flag=False,
    flag_value="text",
    default=None,
    help="Show only the dataflow, as text or as Mermaid, which GitHub draws.",
)
@steps_option
@sarif_format_option
def command(notebook: str, graph: str | None, steps: str, output: str) -> int:
    """Shows what the compiler sees; returns the exit code."""
    inspection = inspect_notebook(notebook, Path.cwd(), steps)
    pipeline = inspection.compiled.pipeline
    if output == SARIF:
        show_document(inspection_sarif(inspection))
    elif graph and output == TEXT and pipeline is not None:
        click.echo(mermaid(pipeline) if graph == "mermaid" else graph_lines(pipeline), nl=graph == "text")
        show(diagnostic_blocks(inspection.compiled.diagnostics), stderr=True)
    else:
        emit(output, lambda: inspect_document(inspection), lambda: inspection_blocks(inspection))
    return int(inspection.exit_code)
