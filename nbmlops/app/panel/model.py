"""The panel as a record: what it shows, cut to size and safe to show anywhere. What it is made of: `view`.

Three renderers read it: the widget's script (`to_json`), the picture that stays in the notebook's file (`html`)
and the text for terminals and logs (`text`).
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct, field

from nbmlops.app.show.sparks import SPARK_SIZE, Spark, spark_line
from nbmlops.core.diagnostics import Json

MOST_CHARACTERS = 240
_JOINERS = {"\u200c", "\u200d"}  # within words of some scripts, and within emoji


class Tone(StrEnum):
    """What something means; a word says so as well."""

    PLAIN = "plain"
    QUIET = "quiet"
    GOOD = "good"
    BAD = "bad"
    WARN = "warn"
    LIVE = "live"


class Cell(Struct, frozen=True):
    """One value of a table.

    Attributes:
        text: What stands there.
        tone: What it means.
        full: The whole of it, where `text` is an abbreviation.
        spark: A picture in its place.
    """

    text: str
    tone: Tone = Tone.PLAIN
    full: str = ""
    spark: Spark | None = None


class Section(Struct, frozen=True):
    """One part of the panel: a table with what it comes to.

    Attributes:
        key: Which part it is.
        title: Its heading.
        badge: What it comes to, in a few words.
        columns: Their headings; the first cell of a row is the row's heading.
        rows: The table.
        notes: Sentences below it.
        codes: Numbers of the columns that hold names, values and digests of the user's.
    """

    key: str
    title: str
    badge: Cell
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    codes: tuple[int, ...] = ()


class Notice(Struct, frozen=True):
    """Something to know or to do: a headline and sentences."""

    tone: Tone
    title: str
    lines: tuple[str, ...] = ()


class Action(Struct, frozen=True):
    """A button: what it does, why it cannot be pressed ("" if it can), and whether it is the next thing to do."""

    key: str
    label: str
    refusal: str = ""
    is_next: bool = False


class Progress(Struct, frozen=True):
    """What became of the buttons.

    Attributes:
        busy: Key of the action that is being done, or "".
        turn: How many actions are done. One that was asked for on an earlier turn is not done.
        outcome: What the last one came to.
    """

    busy: str = ""
    turn: int = 0
    outcome: Notice | None = None


class PanelView(Struct, frozen=True):
    """All that a panel shows.

    Attributes:
        state: Where the run stands, in a word.
        tone: What that means.
        title: The run's name.
        detail: What goes on, in a few words.
        facts: What the run belongs to.
        notices: What to know or do.
        sections: The parts.
        actions: The buttons.
        progress: What became of the buttons.
    """

    state: str
    tone: Tone
    title: str
    detail: str = ""
    facts: tuple[tuple[str, Cell], ...] = ()
    notices: tuple[Notice, ...] = ()
    sections: tuple[Section, ...] = ()
    actions: tuple[Action, ...] = ()
    progress: Progress = field(default_factory=Progress)


def visible(text: str, most: int = MOST_CHARACTERS) -> str:
    """Returns the text as it can be shown anywhere: cut to size, and what would not be seen written out.

    Line ends, control characters, marks that turn the direction of writing, and halves of characters become escapes, so
    that they cannot forge lines, colours or the order of what stands beside them.

    Args:
        text: Anything.
        most: How many characters to show.
    """
    cut = text[:most]
    safe = "".join(c if c.isprintable() or c in _JOINERS else c.encode("unicode_escape").decode() for c in cut)
    return safe if len(text) <= most else f"{safe}… ({len(text):,} characters)"


def to_json(view: PanelView) -> dict[str, Json]:
    """Returns the panel as plain data for its script."""
    return {
        "state": view.state,
        "tone": view.tone.value,
        "title": view.title,
        "detail": view.detail,
        "facts": [{"name": name, "value": _cell(value)} for name, value in view.facts],
        "notices": [_notice(notice) for notice in view.notices],
        "sections": [_section(section) for section in view.sections],
        "actions": [
            {"key": action.key, "label": action.label, "refusal": action.refusal, "next": action.is_next}
            for action in view.actions
        ],
        "busy": view.progress.busy,
        "turn": view.progress.turn,
        "outcome": None if view.progress.outcome is None else _notice(view.progress.outcome),
    }


def _section(section: Section) -> Json:
    return {
        "key": section.key,
        "title": section.title,
        "badge": _cell(section.badge),
        "columns": list(section.columns),
        "rows": [[_cell(cell) for cell in row] for row in section.rows],
        "notes": list(section.notes),
        "codes": list(section.codes),
    }


def _cell(cell: Cell) -> Json:
    found: dict[str, Json] = {"text": cell.text, "tone": cell.tone.value, "full": cell.full}
    if cell.spark is not None:
        line = spark_line(cell.spark)
        found["spark"] = {
            "caption": cell.spark.caption,
            "size": list(SPARK_SIZE),
            "points": [list(point) for point in line.points],
            "reference": line.reference,
        }
    return found


def _notice(notice: Notice) -> Json:
    return {"tone": notice.tone.value, "title": notice.title, "lines": list(notice.lines)}
