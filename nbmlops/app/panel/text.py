"""The panel as text, for terminals, logs and screens that show nothing else."""

from __future__ import annotations

from nbmlops.app.panel.model import Cell, Notice, PanelView, Section
from nbmlops.app.show.cards import Card, Table, render_text
from nbmlops.app.show.sparks import spark_text


def panel_text(view: PanelView) -> str:
    """Returns the panel as lines of text without colours: the state, facts, what to know, then the tables."""
    title = " · ".join(part for part in (view.title, view.detail) if part)
    facts = tuple((name, _text(value)) for name, value in view.facts)
    tables = [Table("run", ("fact", "value"), facts)] if facts else []
    outcome = view.progress.outcome
    notes = [line for notice in (*((outcome,) if outcome else ()), *view.notices) for line in _lines(notice)]
    for section in view.sections:
        if section.rows:
            tables.append(_table(section))
        notes += section.notes
    return render_text(Card(view.state, title, tuple(tables), tuple(notes)))


def _lines(notice: Notice) -> list[str]:
    if len(notice.lines) == 1:
        return [f"{notice.title}: {notice.lines[0]}"]
    return [notice.title, *(f"  - {line}" for line in notice.lines)]


def _table(section: Section) -> Table:
    caption = f"{section.title} ({section.badge.text})" if section.badge.text else section.title
    return Table(caption, section.columns, tuple(tuple(map(_text, row)) for row in section.rows))


def _text(cell: Cell) -> str:
    return spark_text(cell.spark) if cell.spark is not None else cell.full or cell.text
