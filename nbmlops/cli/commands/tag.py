"""`nbmlops tag`."""

from __future__ import annotations

from pathlib import Path

import click

from nbmlops.app.compiling.tag import TagRequest, tag
from nbmlops.cli.options import WAYS_TO_STEPS, emit, format_option
from nbmlops.cli.render_tag import tag_blocks
from nbmlops.cli.tag_document import tag_document

HELP = """\
Propose steps for NOTEBOOK, which has no step tags yet: where each begins, what it is called, and why - the heading
above it, what its cells do, and which names cross the border. Compiling an untagged notebook uses the same steps. With
--write the tags are put into the file, and nothing else in it changes: close the notebook in Jupyter before, or reload
it afterwards.

\b
Examples:
  nbmlops tag raw.ipynb                      show the proposal; nothing is written
  nbmlops tag raw.ipynb --write              put the tags into the notebook
  nbmlops tag raw.ipynb --steps headings     one step below each heading

Exit codes: 0 proposed or written; 2 the notebook cannot be read, or has step tags already; 4 the file cannot be
written; 6 it was changed meanwhile.
"""


@click.command(name="tag", help=HELP, short_help="Propose steps for a notebook without tags, and write them.")
@click.argument("notebook")
@click.option("--write", is_flag=True, help="Put the tags into the notebook.")
@click.option("--retag", is_flag=True, help="Put the proposed steps in the place of the step tags that it has.")
@click.option(
    "--steps",
    type=click.Choice(WAYS_TO_STEPS[:-1]),
    default=WAYS_TO_STEPS[0],
    show_default=True,
    help="What the borders come from: everything, headings alone, or a step for each cell.",
)
@format_option
def command(notebook: str, write: bool, retag: bool, steps: str, output: str) -> int:
    """Proposes steps; returns the exit code."""
    outcome = tag(TagRequest(notebook, Path.cwd(), steps, write, retag))
    emit(output, lambda: tag_document(outcome), lambda: tag_blocks(outcome))
    return 0
