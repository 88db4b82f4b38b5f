"""Stored values that are gone or are not what was written, found before a step reads them."""

from __future__ import annotations

from collections.abc import Iterable

from nbmlops.pipeline.ir import Step
from nbmlops.runtime.ambient.ambient import AmbientState
from nbmlops.runtime.handover.namespace import Namespace, names_read
from nbmlops.runtime.reuse.records import StepOutcome, refs_of
from nbmlops.runtime.store.store import DamagedObject, ObjectRef, Store


def damaged_inputs(store: Store, step: Step, values: Namespace, ambient: AmbientState) -> dict[str, ObjectRef]:
    """Returns what the step begins with and cannot be read: name or part of the ambient state -> where it should be.

    Raises:
        EnvironmentFault: a damaged object cannot be put aside.
    """
    wanted = {name: values[name].ref for name in names_read(step, values)}
    wanted |= {part: setting.ref for part, setting in ambient.settings.items()}
    wanted |= {"random state": ambient.random} if ambient.random else {}
    damaged = {ref for ref in set(wanted.values()) if not _is_intact(store, ref)}
    return {name: ref for name, ref in wanted.items() if ref in damaged}


def maker_of(refs: Iterable[ObjectRef], outcomes: Iterable[StepOutcome]) -> int:
    """Returns the place of the first of the steps with these outcomes that left one of the objects."""
    wanted = set(refs)
    return next(place for place, outcome in enumerate(outcomes) if not wanted.isdisjoint(refs_of(outcome)))


def _is_intact(store: Store, ref: ObjectRef) -> bool:
    try:
        store.verify(ref)
    except DamagedObject:
        return False
    return True
