"""`nbmlops card`."""

from __future__ import annotations

from contextlib import redirect_stdout
from pathlib import Path

import click

from nbmlops.app.versions.model_card import card_html, model_card
from nbmlops.cli.blocks import Line
from nbmlops.cli.card_pages import STDOUT, fragment_page, write_text
from nbmlops.cli.console import show, stray_output
from nbmlops.cli.options import emit, format_option
from nbmlops.registry.model_card import card_markdown, card_to_json

HELP = """\
Write the card of a model version as Markdown: data, schema, parameters, metrics, slices and fairness, gate, lineage,
and what its makers say of intended use and limits, in [card] of nbmlops.toml or in Markdown cells tagged "card".
Nothing is made up: what nobody told is shown as missing.

\b
Examples:
  nbmlops card churn > CARD.md
  nbmlops card churn@challenger --html card.html
  nbmlops card churn/7 --store
"""


@click.command(name="card", help=HELP, short_help="Write the card of a model version.")
@click.argument("model", metavar="[MODEL[@ALIAS|/VERSION]]", default="")
@click.option("--html", default="", metavar="FILE", help="Write it as a page (- for standard output).")
@click.option("--store", is_flag=True, help="Keep it with the version.")
@format_option
def command(model: str, html: str, store: bool, output: str) -> int:
    """Writes; returns the exit code."""
    with redirect_stdout(stray_output()):
        view = model_card(model, Path.cwd(), store=store)
    card = view.model_card
    if html:
        write_text(html, fragment_page(card_html(card), f"card of {card.title}"))
    if html != STDOUT:
        emit(output, lambda: card_to_json(card), lambda: (Line(card_markdown(card).rstrip()),))
    if card.missing:
        show((Line(f"missing: {', '.join(card.missing)}"),), stderr=True)
    if view.stored:
        show((Line(f"stored with the version: {view.stored}"),), stderr=True)
    return 0
