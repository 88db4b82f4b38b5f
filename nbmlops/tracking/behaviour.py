"""Outcomes of behaviour tests as tags of runs: one JSON text each, short enough for every store."""

from __future__ import annotations

import json
from collections.abc import Mapping

from nbmlops.core.digest import canonical_json
from nbmlops.core.errors import UsageError
from nbmlops.core.records import BehaviourOutcome, BehaviourRecord
from nbmlops.pipeline.fields import Fields
from nbmlops.pipeline.run_codec import behaviour_from_fields, finite
from nbmlops.tracking.lineage import TEST


def behaviour_text(record: BehaviourRecord) -> str:
    """Returns the value of the tag `nbmlops.test.NAME`."""
    return canonical_json(finite(record)).decode()


def behaviours_in(tags: Mapping[str, str]) -> tuple[BehaviourRecord, ...]:
    """Returns the outcomes that the tags of a run tell, sorted by name; what cannot be read counts as an error."""
    names = sorted(tag for tag in tags if tag.startswith(TEST))
    return tuple(_read(name.removeprefix(TEST), tags[name]) for name in names)


def _read(name: str, text: str) -> BehaviourRecord:
    try:
        return behaviour_from_fields(Fields(json.loads(text), "behaviour test"))
    except (UsageError, ValueError):
        return BehaviourRecord(name, BehaviourOutcome.ERROR, "its outcome cannot be read")
