"""What changed between two versions of some data, from what was logged of each: nobody needs the data any more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from nbmlops.core.diagnostics import Json
from nbmlops.core.records import DataRecord
from nbmlops.data.fingerprints.parts import kinds_of_change
from nbmlops.data.profiles.drift import Drift, drift_between

SCHEMA = "nbmlops/data-diff/1"
_FACTS = ("nulls", "distinct", "min", "max", "mean", "std")


class ColumnChange(Struct, frozen=True):
    """What changed in one column.

    Attributes:
        name: Its name in the newer version, or in the older one if it was removed.
        what: "added", "removed", "renamed", "type", "values" or "type and values".
        old_name: Its name in the older version where it was renamed, else "".
        types: Its type in both; "" where it is not.
        facts: Name of a fact (missing values, mean, …) -> its value in both.
        drift: How far the values moved; None where the profiles do not tell.
    """

    name: str
    what: str
    old_name: str
    types: tuple[str, str]
    facts: Mapping[str, tuple[Json, Json]]
    drift: Drift | None


class DataDiff(Struct, frozen=True):
    """What changed between two versions.

    Attributes:
        names: What the versions are called.
        digests: Their fingerprints.
        kinds: See `kinds_of_change`; empty if nothing changed.
        rows: How many rows they have, -1 where there are none.
        reordered: Whether the columns that both have are in another order.
        columns: The columns that changed, in the order of the newer version, removed ones last.
        same: How many columns did not change.
        unknown: How many columns are not described, as there are too many.
    """

    names: tuple[str, str]
    digests: tuple[str, str]
    kinds: tuple[str, ...]
    rows: tuple[int, int]
    reordered: bool
    columns: tuple[ColumnChange, ...]
    same: int
    unknown: int

    def to_json(self) -> dict[str, Json]:
        """Returns the document."""
        return {
            "schema": SCHEMA,
            "names": list(self.names),
            "digests": list(self.digests),
            "kinds": list(self.kinds),
            "rows": list(self.rows),
            "reordered": self.reordered,
            "columns": [_column_to_json(column) for column in self.columns],
            "same": self.same,
            "unknown": self.unknown,
        }


def _column_to_json(column: ColumnChange) -> dict[str, Json]:
    drift = column.drift
    return {
        "name": column.name,
        "what": column.what,
        "old_name": column.old_name,
        "types": list(column.types),
        "facts": {name: list(pair) for name, pair in column.facts.items()},
        "drift": None
        if drift is None
        else {
            "distance": round(drift.distance, 6),
            "stability": round(drift.stability, 6),
            "level": drift.level,
            "labels": list(drift.labels),
            "before": [round(share, 6) for share in drift.before],
            "after": [round(share, 6) for share in drift.after],
        },
    }


def diff_records(before: DataRecord, after: DataRecord) -> DataDiff:
    """Returns what changed between two versions of a frame or file, by what was logged of each."""
    kinds = kinds_of_change({"digest": before.digest, **before.parts}, {"digest": after.digest, **after.parts})
    old, new = _columns(before), _columns(after)
    renamed = _renamed(old, new)
    kept = [(name, renamed.get(name, name)) for name in new if renamed.get(name, name) in old]
    changes = [_changed(old[was], new[name], name, was, (before.rows, after.rows)) for name, was in kept]
    found = {change.name: change for change in changes if change is not None}
    added = {name: _alone(name, "added", column) for name, column in new.items() if name not in dict(kept)}
    taken = {was for _, was in kept}
    removed = [_alone(name, "removed", column) for name, column in old.items() if name not in taken]
    in_order = [found.get(name) or added.get(name) for name in new]
    return DataDiff(
        names=(before.name, after.name),
        digests=(before.digest, after.digest),
        kinds=kinds,
        rows=(before.rows, after.rows),
        reordered=[was for _, was in kept] != [name for name in old if name in taken],
        columns=(*(change for change in in_order if change is not None), *removed),
        same=len(kept) - len(found),
        unknown=max(_left_out(before), _left_out(after)),
    )


def _columns(record: DataRecord) -> dict[str, Mapping[str, Any]]:
    """Returns the profiles of the columns by name; of equal names the later ones are numbered."""
    profiles: Any = record.profile.get("columns", ())
    found: dict[str, Mapping[str, Any]] = {}
    for column in profiles:
        name, number = str(column["name"]), 2
        while name in found:
            name, number = f"{column['name']} ({number})", number + 1
        found[name] = column
    return found


def _left_out(record: DataRecord) -> int:
    count = record.profile.get("columns_left_out", 0)
    return count if isinstance(count, int) else 0


def _renamed(old: Mapping[str, Mapping[str, Any]], new: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Returns new name -> old name of columns that are gone and there again with the very same values."""
    gone = {column.get("values"): name for name, column in old.items() if name not in new}
    pairs = {}
    for name, column in new.items():
        was = gone.pop(column.get("values"), None) if name not in old and column.get("values") else None
        if was is not None:
            pairs[name] = was
    return pairs


def _changed(
    old: Mapping[str, Any], new: Mapping[str, Any], name: str, was: str, rows: tuple[int, int]
) -> ColumnChange | None:
    types = str(old["dtype"]), str(new["dtype"])
    values = _facts_differ(old, new) if "values" not in old or "values" not in new else old["values"] != new["values"]
    what = " and ".join(kind for kind, differs in (("type", types[0] != types[1]), ("values", values)) if differs)
    if name != was:
        what = "renamed" if not what else f"renamed, {what}"
    if not what:
        return None
    facts = {fact: (old.get(fact), new.get(fact)) for fact in _FACTS if old.get(fact) != new.get(fact)}
    drift = drift_between(old, new, rows) if values else None
    return ColumnChange(name, what, was if name != was else "", types, facts if values else {}, drift)


def _facts_differ(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    ignored = {"name", "dtype", "digest", "values"}
    return {key: old[key] for key in old.keys() - ignored} != {key: new[key] for key in new.keys() - ignored}


def _alone(name: str, what: str, column: Mapping[str, Any]) -> ColumnChange:
    dtype = str(column["dtype"])
    return ColumnChange(name, what, "", (dtype, "") if what == "removed" else ("", dtype), {}, None)
