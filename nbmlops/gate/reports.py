"""The verdict for people: HTML for notebooks, Markdown for job summaries (plain text: `nbmlops.gate.verdict`)."""

from __future__ import annotations

import re
from html import escape

from nbmlops.gate.verdict import HEAD, Verdict, one_line

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+!|~&@-])")


def verdict_to_html(verdict: Verdict) -> str:
    """Returns a semantic table with a caption; every text is escaped, outcomes are words as well as classes."""
    caption = f"<caption>gate: {escape(one_line(verdict.summary()))}</caption>"
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in HEAD)
    rows = []
    for result in verdict.results:
        cells = "".join(f"<td>{escape(one_line(cell))}</td>" for cell in result.cells())
        rows.append(f'<tr class="nbmlops-{result.outcome.value.replace(" ", "-")}">{cells}</tr>')
    parts = ['<table class="nbmlops-verdict">', caption, f"<thead><tr>{head}</tr></thead>"]
    parts += ["<tbody>", *rows, "</tbody>", "</table>"]
    if verdict.hint:
        parts.append(f"<pre>{escape(verdict.hint)}</pre>")
    return "\n".join(parts)


def verdict_to_markdown(verdict: Verdict) -> str:
    """Returns the summary and a table in GitHub's Markdown; texts are escaped, so that they stay texts."""
    lines = [f"**gate: {_escape(verdict.summary())}**"]
    if verdict.results:
        lines += ["", _row(HEAD), _row(["---"] * len(HEAD))]
        lines += [_row([_escape(cell) for cell in result.cells()]) for result in verdict.results]
    if verdict.hint:
        lines += ["", *(f"    {line}".rstrip() for line in verdict.hint.splitlines())]
    return "\n".join(lines)


def _row(cells: list[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def _escape(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", one_line(text))
