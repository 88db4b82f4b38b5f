"""The fact `drift`: how far the data that a candidate learned from have moved from the champion's, by profiles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nbmlops.app.judging.recorded import Recorded
from nbmlops.core.diagnostics import Json
from nbmlops.core.errors import NbmlopsError
from nbmlops.core.records import DataRecord
from nbmlops.gate.evidence import Found, NotHad, NothingToCompare
from nbmlops.gate.policy import HELD_OUT
from nbmlops.registry.registry import ModelVersion

TRAINING = "training"
"""The context of data that a model learns from, and what they are called in messages."""
Profile = Mapping[str, Json]


def drift_of(
    of: str, run_id: str, recorded: Recorded, champion: ModelVersion | NothingToCompare | NotHad
) -> Found | NothingToCompare | NotHad:
    """Returns the greatest distance of a column of the candidate's data from the champion's.

    Without a name they are the training data: those of the predictions line, else those that were logged with the
    context "training"; of the champion also what it was registered with.

    Args:
        of: The name of logged data; "" for the training data.
        run_id: The candidate's run.
        recorded: Reads runs.
        champion: The version that it is compared with.
    """
    if isinstance(champion, NotHad | NothingToCompare):
        return champion
    name = of or TRAINING
    ours = _logged(of, run_id, recorded) if of else _training(run_id, recorded)
    if isinstance(ours, NotHad):
        return ours
    theirs = [_of_champion(of, champion, recorded)] if of else list(_champions(champion, recorded))
    had = [one for one in theirs if not isinstance(one, NotHad)]
    # Of several only one is of the same columns: the features, not the table that they were made from.
    same = next((one for one in had if _names(one) == _names(ours)), had[0] if had else None)
    if same is None:
        return next((one for one in theirs if isinstance(one, NotHad)), NotHad("the champion's data are not known"))
    return _distance(name, same, ours)


def _training(run_id: str, recorded: Recorded) -> Profile | NotHad:
    """Returns the profile of the rows that a run trained on."""
    held = recorded.of_run(run_id, HELD_OUT)
    if not isinstance(held, NotHad) and held.training:
        return held.training
    found = [one for one in recorded.data(run_id) if one.context == TRAINING and not _is_file(one)]
    if len(found) == 1:
        return found[0].profile
    if found:
        names = ", ".join(sorted(one.name for one in found))
        return NotHad(f"several data were logged for training, of which none is named by `of`: {names}")
    return NotHad("the training data are not known: log them with %mlops predictions ... --training X_train")


def _champions(champion: ModelVersion, recorded: Recorded) -> Iterator[Profile | NotHad]:
    """Yields what is known of the champion's training data, the surest first."""
    try:
        found = _training(champion.run_id, recorded) if champion.run_id else NotHad("the champion names no run")
    except NbmlopsError:  # the message may hold a run id, which a verdict must not
        found = NotHad("the champion's run cannot be read")
    yield NotHad(f"of the champion {found.reason}") if isinstance(found, NotHad) else found
    try:
        stored = recorded.profile(champion)
    except NbmlopsError:
        stored = {}
    yield stored or NotHad("the champion was registered without a profile of its training data")


def _of_champion(of: str, champion: ModelVersion, recorded: Recorded) -> Profile | NotHad:
    try:
        found = _logged(of, champion.run_id, recorded)
    except NbmlopsError:
        return NotHad("the champion's data cannot be read")
    return NotHad(f"the champion's run logged no data {of!r}") if isinstance(found, NotHad) else found


def _logged(of: str, run_id: str, recorded: Recorded) -> Profile | NotHad:
    found = next((one.profile for one in recorded.data(run_id) if one.name == of), None)
    return NotHad(f"no data {of!r} was logged") if found is None else found


def _is_file(record: DataRecord) -> bool:
    # Files that steps and cells were seen to read are inputs, too, and have no columns.
    return record.kind in {"file", "folder"}


def _columns(profile: Profile) -> dict[str, Mapping[str, Any]]:
    columns: Any = profile.get("columns", [])
    return {column["name"]: column for column in columns}


def _names(profile: Profile) -> frozenset[str]:
    return frozenset(_columns(profile))


def _rows(profile: Profile) -> int:
    rows: Any = profile.get("rows", 0)
    return int(rows)


def _distance(name: str, before: Profile, after: Profile) -> Found | NotHad:
    """Returns the greatest distance of any column, and which column that is."""
    from nbmlops.data.profiles.drift import drift_between  # noqa: PLC0415  # only who asks for it needs it

    sides = [_columns(before), _columns(after)]
    if not sides[0] or not sides[1]:
        return NotHad(f"the {_called(name)} have no profile")
    if sides[0].keys() != sides[1].keys():
        other = sorted(sides[0].keys() ^ sides[1].keys())
        return NotHad(f"the {_called(name)} have other columns than the champion's: {', '.join(other[:5])}")
    if left_out := before.get("columns_left_out") or after.get("columns_left_out"):
        return NotHad(f"the profile of the {_called(name)} leaves out {left_out} columns")
    rows = (_rows(before), _rows(after))
    distances: dict[str, float] = {}
    for column in sides[0]:
        pair = (sides[0][column], sides[1][column])
        found = drift_between(*pair, rows)
        if found is not None:
            distances[column] = found.distance
        elif _has_turned(pair, rows):
            return NotHad(
                f"the column {column!r} of the {_called(name)} is of another kind than the champion's, or empty"
            )
    if not distances:
        return NotHad(f"the profiles of the {_called(name)} tell nothing of their spread")
    worst = max(distances, key=lambda column: distances[column])
    return Found(distances[worst], f"column {worst!r} of the {_called(name)}")


def _called(name: str) -> str:
    return "training data" if name == TRAINING else f"data {name!r}"


def _has_turned(pair: tuple[Mapping[str, Any], Mapping[str, Any]], rows: tuple[int, int]) -> bool:
    """Returns whether a column has values on one side only, or numbers here and something else there."""
    from nbmlops.data.profiles.shares import curve_of  # noqa: PLC0415  # as above

    present = [count - int(column.get("nulls", 0)) > 0 for column, count in zip(pair, rows, strict=True)]
    numbers = [curve_of(column) is not None for column in pair]
    return present[0] != present[1] or numbers[0] != numbers[1]
