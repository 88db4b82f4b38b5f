"""The panel as it stays in the notebook's file: HTML without script, for readers who have no kernel.

Semantic tables that say everything in words, so that nothing is lost where styles are taken away (code hosts, notebooks
that are not trusted). Colours follow the front end's theme. What is not a literal of this module is escaped.
"""

from __future__ import annotations

from html import escape

from nbmlops.app.panel.model import Cell, Notice, PanelView, Section, Tone
from nbmlops.app.show.cards import PLAIN_CLASSES
from nbmlops.app.show.sparks import spark_svg

_INK = "var(--jp-ui-font-color1, var(--vscode-foreground, inherit))"
_LINE = "var(--jp-border-color2, var(--vscode-panel-border, #8c959f66))"
_COLOURS = {
    Tone.GOOD: "var(--jp-success-color1, var(--vscode-testing-iconPassed, #1a7f37))",
    Tone.BAD: "var(--jp-error-color1, var(--vscode-errorForeground, #b3261e))",
    Tone.WARN: "var(--jp-warn-color1, var(--vscode-editorWarning-foreground, #9a6700))",
    Tone.LIVE: "var(--jp-brand-color1, var(--vscode-textLink-foreground, #1f6feb))",
}
_PLAIN = "var(--jp-border-color1, var(--vscode-panel-border, #8c959f))"
_BOX = f"color:{_INK};border:1px solid {_LINE};border-radius:6px;padding:8px 14px 10px;max-width:1100px;font-size:13px"
_CELL = (
    f"border-bottom:1px solid {_LINE};padding:3px 14px 3px 0;text-align:left;vertical-align:top;unicode-bidi:isolate"
)
_CODE = "font-family:var(--jp-code-font-family, ui-monospace, monospace);overflow-wrap:anywhere"


def panel_html(view: PanelView, hints: tuple[Notice, ...] = ()) -> str:
    """Returns the panel as one section of HTML.

    Args:
        view: What it shows.
        hints: More to know.
    """
    edge = _COLOURS.get(view.tone, _PLAIN)
    parts = [
        f'<section class="{PLAIN_CLASSES}" aria-label="nbmlops panel" style="{_BOX};border-left:4px solid {edge}">',
        f'<p style="margin:0 0 4px"><strong>{escape(view.state)}</strong> {escape(view.title)} ',
        f"<small>{escape(view.detail)}</small></p>",
    ]
    if view.facts:
        facts = "".join(_fact(name, value) for name, value in view.facts)
        parts.append(f'<p style="margin:0 0 4px">{facts}</p>')
    outcome = (view.progress.outcome,) if view.progress.outcome else ()
    parts += map(_notice, (*outcome, *view.notices, *hints))
    tables = "".join(map(_section, view.sections))
    parts += [f'<div style="display:flex;flex-wrap:wrap;gap:0 36px">{tables}</div>'] if tables else []
    parts.append("</section>")
    return "\n".join(parts)


def _fact(name: str, value: Cell) -> str:
    return (
        f'<span style="display:inline-block;margin-right:18px"><small>{escape(name)}</small> '
        f'<span style="{_CODE}" title="{escape(value.full)}">{escape(value.text)}</span></span> '
    )


def _notice(notice: Notice) -> str:
    lines = "".join(f"<li>{escape(line)}</li>" for line in notice.lines)
    edge = _COLOURS.get(notice.tone, _PLAIN)
    return (
        f'<div style="border-left:3px solid {edge};padding:2px 0 2px 10px;margin:6px 0">'
        f"<strong>{escape(notice.title)}</strong>"
        f'{f"""<ul style="margin:2px 0 0 18px;padding:0">{lines}</ul>""" if lines else ""}</div>'
    )


def _section(section: Section) -> str:
    badge = f"<small>{escape(section.badge.text)}</small>" if section.badge.text else ""
    caption = f'<strong>{escape(section.title)}</strong> <span style="{_ink(section.badge)}">{badge}</span>'
    notes = "".join(f'<p style="margin:3px 0"><small>{escape(note)}</small></p>' for note in section.notes)
    if not section.rows:
        return f'<div style="margin:6px 0"><p style="margin:0;padding:4px 0">{caption}</p>{notes}</div>'
    head = "".join(
        f'<th scope="col" style="{_CELL};font-weight:normal">{escape(name)}</th>' for name in section.columns
    )
    rows = "".join(f"<tr>{_row(section, row)}</tr>" for row in section.rows)
    return (
        '<div style="margin:6px 0;overflow-x:auto">'
        f'<table style="border-collapse:collapse;color:{_INK}">'
        f'<caption style="text-align:left;padding:4px 0;caption-side:top;color:{_INK}">{caption}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{notes}</div>"
    )


def _row(section: Section, row: tuple[Cell, ...]) -> str:
    parts = []
    for place, cell in enumerate(row):
        style = f"{_CELL}{f';{_CODE}' if place in section.codes else ''}{_ink(cell)}"
        title = f' title="{escape(cell.full)}"' if cell.full else ""
        inner = spark_svg(cell.spark) if cell.spark is not None else escape(cell.text)
        start, end = ('<th scope="row" ', "th") if place == 0 else ("<td ", "td")
        weight = ";font-weight:normal" if place == 0 else ""
        parts.append(f'{start}style="{style}{weight}"{title}>{inner}</{end}>')
    return "".join(parts)


def _ink(cell: Cell) -> str:
    """Returns the colour that repeats what a word says."""
    return f";color:{_COLOURS[cell.tone]};font-weight:600" if cell.tone in _COLOURS else ""
