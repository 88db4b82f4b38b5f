"""Two schemas compared: what changed, and whether data that keeps the old one may break the new one. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from nbmlops.data.schema.model import ColumnSchema, ColumnType, FrameSchema
from nbmlops.data.schema.times import has_offset, order_of

_ABSENT = "none"


class Change(Struct, frozen=True):
    """One rule that changed.

    Attributes:
        column: The column, "" for a rule about the whole frame.
        rule: The rule's key in the file, "column" where the whole column came or went.
        before: What the old schema says, as text.
        after: What the new one says.
        breaking: Whether data that keeps the old schema may break the new one.
        reason: Why it is that, as a sentence.
    """

    column: str
    rule: str
    before: str
    after: str
    breaking: bool
    reason: str


def diff_schemas(old: FrameSchema, new: FrameSchema) -> tuple[Change, ...]:
    """Returns every change: of the frame's own rule, then by column, those of the old schema first, in order."""
    changes: list[Change] = []
    if old.other_columns != new.other_columns:
        changes.append(_of_others(new))
    for name, column in old.columns.items():
        if name not in new.columns:
            changes.append(_gone(name, column, new))
        else:
            changes += _of_column(name, column, new.columns[name])
    changes += (_come(name, column) for name, column in new.columns.items() if name not in old.columns)
    return tuple(changes)


def _of_others(new: FrameSchema) -> Change:
    words = ("allowed", "refused")
    before, after = reversed(words) if new.other_columns else words
    reason = (
        "columns that the schema does not name pass now"
        if new.other_columns
        else "columns that the schema does not name passed before"
    )
    return Change("", "other_columns", before, after, not new.other_columns, reason)


def _gone(name: str, column: ColumnSchema, new: FrameSchema) -> Change:
    if new.other_columns:
        return Change(name, "column", column.type.value, _ABSENT, False, "nothing is asked of the column any more")
    reason = "data has the column, and columns that the schema does not name are refused"
    return Change(name, "column", column.type.value, _ABSENT, True, reason)


def _come(name: str, column: ColumnSchema) -> Change:
    required = "data that the old schema let pass may lack the column"
    reason = required if column.required else "data may do without the column"
    return Change(name, "column", _ABSENT, column.type.value, column.required, reason)


def _of_column(name: str, old: ColumnSchema, new: ColumnSchema) -> Iterator[Change]:
    if old.type is not new.type:
        wider = new.type is ColumnType.ANY or (old.type, new.type) == (ColumnType.INTEGER, ColumnType.NUMBER)
        reason = "every value of the old type is one of the new" if wider else "values of the old type are refused"
        yield Change(name, "type", old.type.value, new.type.value, not wider, reason)
    if old.missing != new.missing:
        reason = "missing values pass now" if new.missing else "missing values passed before"
        yield Change(name, "missing", _text(old.missing), _text(new.missing), old.missing, reason)
    if old.required != new.required:
        reason = "data without the column passed before" if new.required else "data may do without the column now"
        yield Change(name, "required", _text(old.required), _text(new.required), new.required, reason)
    yield from _bound(name, "min", old, new)
    yield from _bound(name, "max", old, new)
    yield from _time(name, "earliest", old, new)
    yield from _time(name, "latest", old, new)
    yield from _zone(name, old, new)
    yield from _values(name, old, new)
    if old.unique != new.unique:
        reason = "values that stand twice passed before" if new.unique else "values may stand twice now"
        yield Change(name, "unique", _text(old.unique), _text(new.unique), new.unique, reason)
    if old.private != new.private:
        reason = "only what messages show is another"
        yield Change(name, "private", _text(old.private), _text(new.private), False, reason)


def _bound(name: str, rule: str, old: ColumnSchema, new: ColumnSchema) -> Iterator[Change]:
    before, after = getattr(old, rule), getattr(new, rule)
    if before == after:
        return
    tighter = after is not None and (before is None or (after > before if rule == "min" else after < before))
    side = "below" if rule == "min" else "above"
    bound, word = (after, "passed before") if tighter else (before, "pass now")
    yield Change(name, rule, _text(before), _text(after), tighter, f"values {side} {_text(bound)} {word}")


def _time(name: str, rule: str, old: ColumnSchema, new: ColumnSchema) -> Iterator[Change]:
    before, after = getattr(old, rule), getattr(new, rule)
    if before == after:
        return
    side = "before" if rule == "earliest" else "after"
    if before and after and has_offset(before) is not has_offset(after):
        reason = "one counts in the zone of the data, the other does not"
        yield Change(name, rule, before, after, True, reason)
        return
    first, last = (before, after) if rule == "earliest" else (after, before)
    tighter = bool(after) and (not before or order_of(last) > order_of(first))
    bound, word = (after, "passed before") if tighter else (before, "pass now")
    yield Change(name, rule, before or _ABSENT, after or _ABSENT, tighter, f"times {side} {bound} {word}")


def _zone(name: str, old: ColumnSchema, new: ColumnSchema) -> Iterator[Change]:
    before, after = old.time_zone, new.time_zone
    if before != after:
        reason = "times of another zone passed before" if after else "times of any zone pass now"
        yield Change(name, "time_zone", before or "any", after or "any", bool(after), reason)


def _values(name: str, old: ColumnSchema, new: ColumnSchema) -> Iterator[Change]:
    before, after = set(old.values), set(new.values)
    if before == after:
        return
    gone = sorted(before - after) if after else []
    if not before:
        said, breaking = "any text passed before", True
    elif not after:
        said, breaking = "any text passes now", False
    elif gone:
        said, breaking = f"no longer allowed: {_listed(gone, new)}", True
    else:
        said, breaking = f"allowed in addition: {_listed(sorted(after - before), new)}", False
    yield Change(name, "values", _count(old), _count(new), breaking, said)


def _listed(values: list[str], column: ColumnSchema) -> str:
    if column.private:
        return f"{len(values)} texts"
    more = ", …" if len(values) > 5 else ""
    return ", ".join(f"{value!r:.40}" for value in values[:5]) + more


def _count(column: ColumnSchema) -> str:
    return f"{len(column.values)} texts" if column.values else _ABSENT


def _text(value: Any) -> str:
    if value is None:
        return _ABSENT
    return str(value).lower() if isinstance(value, bool) else f"{value:g}"
