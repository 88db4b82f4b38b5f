"""How a difference between two versions of some data shows itself: sentences, a table, and small pictures."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from nbmlops.app.show.cards import Card, Table
from nbmlops.app.show.pictures import Bars, bars_text
from nbmlops.app.show.views import View
from nbmlops.core.diagnostics import Json
from nbmlops.data.profiles.diff import ColumnChange, DataDiff

MOST_COLUMNS = 50
MOST_PICTURES = 20
_KINDS = {
    "schema": "names or types changed",
    "index": "labels of rows changed",
    "data": "values changed",
    "order": "the same rows are in another order",
    "storage": "values are equal, but stored otherwise (1 and True, None and NaN, 0.0 and -0.0)",
    "content": "the content changed",
}
HEAD = ("column", "change", "drift", "distance", "stability", "before", "after", "facts")


class DataDiffView(View, Struct, frozen=True):
    """What changed between two versions of some data."""

    diff: DataDiff

    def card(self) -> Card:
        """Returns the kinds of change in words, the columns that changed, and pictures of those that drifted most."""
        diff = self.diff
        state = "CHANGED" if diff.kinds else "EQUAL"
        rows = table_rows(diff.columns[:MOST_COLUMNS])
        tables = (Table("columns", HEAD, rows),) if rows else ()
        return Card(state, headline(diff), tables, tuple(notes(diff)), pictures(diff))


def headline(diff: DataDiff) -> str:
    """Returns what is compared, and what kinds of change there are, in one line."""
    names = " and ".join(dict.fromkeys(diff.names)) if diff.names[0] == diff.names[1] else " → ".join(diff.names)
    return f"{names}: {'; '.join(_KINDS[kind] for kind in diff.kinds) or 'the two are the same'}"


def notes(diff: DataDiff) -> list[str]:
    """Returns sentences on rows, order of columns, and what is not shown."""
    found = []
    if diff.rows[0] != diff.rows[1]:
        found.append(f"rows: {diff.rows[0]:,} before, {diff.rows[1]:,} after")
    if diff.reordered:
        found.append("the columns are in another order")
    if diff.same and diff.kinds:
        found.append(f"{diff.same} column{'' if diff.same == 1 else 's'} without a change")
    if len(diff.columns) > MOST_COLUMNS:
        found.append(f"{len(diff.columns) - MOST_COLUMNS} more columns changed")
    if diff.unknown:
        found.append(f"{diff.unknown} columns are not described: there are too many")
    found.append(f"fingerprints: {diff.digests[0]} before, {diff.digests[1]} after")
    return found


def table_rows(columns: Sequence[ColumnChange]) -> tuple[tuple[str, ...], ...]:
    """Returns one row of texts for each column, with its spread before and after as bars of text."""
    return tuple(map(_row, columns))


def _row(column: ColumnChange) -> tuple[str, ...]:
    drift = column.drift
    name = f"{column.old_name} → {column.name}" if column.old_name else column.name
    what = column.what
    if "type" in what or what in {"added", "removed"}:
        what += f": {' → '.join(kind for kind in column.types if kind)}"
    facts = ", ".join(f"{fact} {_shown(old)} → {_shown(new)}" for fact, (old, new) in column.facts.items())
    if drift is None:
        return name, what, "", "", "", "", "", facts
    measures = f"{drift.distance:.3f}", f"{drift.stability:.3f}"
    return name, what, drift.level, *measures, bars_text(drift.before), bars_text(drift.after), facts


def _shown(value: Json) -> str:
    return "none" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


def _of(level: str) -> str:
    return "no" if level == "none" else level


def pictures(diff: DataDiff) -> tuple[Bars, ...]:
    """Returns pictures of the columns that moved, those that moved most first."""
    moved = [column for column in diff.columns if column.drift is not None]
    moved.sort(key=lambda column: -column.drift.stability if column.drift else 0.0)
    return tuple(
        Bars(
            f"{column.name}: {_of(column.drift.level)} drift, distance {column.drift.distance:.3f}",
            column.drift.labels,
            column.drift.before,
            column.drift.after,
        )
        for column in moved[:MOST_PICTURES]
        if column.drift is not None
    )
