"""`nbmlops diff`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path

import click

from nbmlops.app.comparing.diff import diff_of
from nbmlops.app.comparing.diff_view import DiffView, code_heads, diff_html
from nbmlops.cli.blocks import Block, Line, Tone
from nbmlops.cli.card_pages import STDOUT, card_blocks, fragment_page, write_text
from nbmlops.cli.console import stray_output
from nbmlops.cli.options import emit, format_option
from nbmlops.registry.story_diff import StoryDiff, diff_to_json

HELP = """\
Show what differs between two runs or model versions: parameters, metrics, data (rows, schema, drift), code (cell by
cell), environment.

\b
A and B are each one of
  MODEL             its champion, else its newest version
  MODEL@ALIAS, MODEL/VERSION
  RUN               a run's id, or the beginning of it

\b
Examples:
  nbmlops diff churn@champion churn@challenger
  nbmlops diff churn/6 churn/7 --html diff.html
"""
_TONES = {"+": Tone.GOOD, "-": Tone.BAD, "@": Tone.DIM}


@click.command(name="diff", help=HELP, short_help="Show what differs between two runs or versions.")
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@click.option("--html", default="", metavar="FILE", help="Write a page with pictures (- for standard output).")
@format_option
def command(before: str, after: str, html: str, output: str) -> int:
    """Compares; returns the exit code."""
    with redirect_stdout(stray_output()):
        found = diff_of(before, after, Path.cwd())
    if html:
        write_text(html, fragment_page(diff_html(DiffView(found)), " → ".join(found.subjects)))
    if html != STDOUT:
        emit(output, lambda: diff_to_json(found), lambda: _blocks(found))
    return 0


def _blocks(found: StoryDiff) -> Iterator[Block]:
    yield from card_blocks(DiffView(found).card())
    for heading, lines in code_heads(found):
        yield Line()
        yield Line(heading, Tone.STRONG)
        yield from (Line(f"  {line}", _TONES.get(line[:1], Tone.PLAIN)) for line in lines)
