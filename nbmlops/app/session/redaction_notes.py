"""Tells the user what was taken out of what nbmlops wrote, where, and how to keep a false alarm in. Never the value."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbmlops.tracking.redaction import Redaction

_MOST_KINDS = 4
_MOST_PLACES = 3
_VALUE_OF = "value of "


def process_notes() -> tuple[str, ...]:
    """Returns what was taken out in this process; () where nothing was looked at."""
    module = sys.modules.get("nbmlops.tracking.redaction")
    return redaction_notes(module.process_redactor().found) if module is not None else ()


def forget_notes() -> None:
    """Begins anew, for another run in this process."""
    module = sys.modules.get("nbmlops.tracking.redaction")
    if module is not None:
        module.process_redactor().forget_found()


def redaction_notes(found: Iterable[Redaction]) -> tuple[str, ...]:
    """Returns one note for each kind of secret, with its places and the setting that would let it stay.

    Args:
        found: What was taken out.
    """
    places: dict[str, list[str]] = {}
    for one in found:
        places.setdefault(one.what, []).append(one.where)
    notes = [_note(what, where) for what, where in list(places.items())[:_MOST_KINDS]]
    if len(places) > _MOST_KINDS:
        notes.append(f"and {len(places) - _MOST_KINDS} more kinds of secrets were taken out of what was stored")
    return tuple(notes)


def _note(what: str, places: list[str]) -> str:
    more = f" and {len(places) - _MOST_PLACES} more" if len(places) > _MOST_PLACES else ""
    is_named = what.startswith(_VALUE_OF)
    allow = f'[redaction] allow = ["{what.removeprefix(_VALUE_OF)}"]' if is_named else "its text in [redaction] allow"
    return (
        f"secret taken out of what was stored: {what}, in {', '.join(places[:_MOST_PLACES])}{more} "
        f"(no secret? {allow} in nbmlops.toml)"
    )
