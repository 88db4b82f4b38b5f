"""`nbmlops lineage`."""

from __future__ import annotations

from contextlib import redirect_stdout
from pathlib import Path

import click

from nbmlops.app.versions.lineage import Made, lineage_of, made_from_commit, made_from_data
from nbmlops.app.versions.lineage_picture import draw_story
from nbmlops.app.versions.lineage_views import LineageView, MadeView
from nbmlops.cli.card_pages import card_blocks, card_page, write_text
from nbmlops.cli.console import stray_output
from nbmlops.cli.options import emit, format_option
from nbmlops.core.diagnostics import Json
from nbmlops.core.errors import UsageError
from nbmlops.registry.read_story import when
from nbmlops.registry.story import Story
from nbmlops.registry.story_codec import reference, story_to_json

MADE_SCHEMA = "nbmlops/made/1"
HELP = """\
Tell where a model version comes from: run, commit, data, cells or steps, environment, parameters, metrics, gate, and
what became of it since. Or the other way round: what was made from some data or from a commit.

\b
MODEL is one of
  MODEL             its champion, else its newest version
  MODEL@ALIAS, MODEL/VERSION
  RUN               a run's id, or the beginning of it

\b
Examples:
  nbmlops lineage churn
  nbmlops lineage churn/7 --svg lineage.svg
  nbmlops lineage --data data/customers.parquet
  nbmlops lineage --commit HEAD~1
"""


@click.command(name="lineage", help=HELP, short_help="Tell where a model version or a run comes from.")
@click.argument("model", metavar="[MODEL]", default="")
@click.option("--data", default="", metavar="HASH|FILE|NAME", help="Show what was made from this data.")
@click.option("--commit", default="", metavar="SHA", help="Show what was made from this commit.")
@click.option("--svg", default="", metavar="FILE", help="Write the picture to a file (- for standard output).")
@click.option("--html", default="", metavar="FILE", help="Write everything as a page that needs nothing else.")
@format_option
def command(model: str, data: str, commit: str, svg: str, html: str, output: str) -> int:
    """Tells; returns the exit code.

    Raises:
        UsageError: options exclude each other.
    """
    if sum(map(bool, (model, data, commit))) > 1:
        raise UsageError("MODEL, --data and --commit exclude each other", "ask one of them at a time")
    if svg and (data or commit):
        raise UsageError("--svg draws the lineage of a version or a run", "name one: nbmlops lineage MODEL --svg FILE")
    with redirect_stdout(stray_output()):
        if data or commit:
            made = made_from_data(data, Path.cwd()) if data else made_from_commit(commit, Path.cwd())
        else:
            made = None
            story = lineage_of(model, Path.cwd())
    if made is not None:
        _show_made(made, html, output)
    else:
        _show_story(story, svg, html, output)
    return 0


def _show_story(story: Story, svg: str, html: str, output: str) -> None:
    if svg:
        write_text(svg, draw_story(story).svg_file())
    if html:
        write_text(html, card_page(LineageView(story).card(), f"lineage of {story.subject}"))
    if "-" not in {svg, html}:
        emit(output, lambda: story_to_json(story), lambda: card_blocks(LineageView(story).card()))


def _show_made(made: Made, html: str, output: str) -> None:
    if html:
        write_text(html, card_page(MadeView(made).card(), f"made from {made.source}"))
    if html != "-":
        emit(output, lambda: made_document(made), lambda: card_blocks(MadeView(made).card()))


def made_document(made: Made) -> dict[str, Json]:
    """Returns the document of `lineage --data` and `lineage --commit`."""
    return {
        "schema": MADE_SCHEMA,
        "source": made.source,
        "digests": list(made.digests),
        "runs": [
            {
                "run_id": run.facts.run_id,
                "name": run.facts.name,
                "experiment": run.facts.experiment,
                "status": run.facts.state.value.lower(),
                "started": when(run.facts.started),
                "versions": [reference(version) for version in run.versions],
            }
            for run in made.runs
        ],
        "diagnostics": [],
    }
