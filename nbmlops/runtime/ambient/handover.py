"""Ambient state between the store and a step's process: read before the step begins, stored when it has ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nbmlops.core.errors import StepFailed
from nbmlops.pipeline.run_record import LiveValue
from nbmlops.runtime.ambient import random_state
from nbmlops.runtime.ambient.ambient import AmbientState, Setting
from nbmlops.runtime.ambient.random_state import RandomState
from nbmlops.runtime.ambient.session import NAMES_OF_PARTS, Items, identity_of, read, written
from nbmlops.runtime.ambient.values import Form, Item
from nbmlops.runtime.handover import plain_text
from nbmlops.runtime.reuse.records import StepOutcome
from nbmlops.runtime.store.store import DamagedObject, ObjectRef, Store


def stored_random(store: Store, state: AmbientState) -> RandomState:
    """Returns the states of the random generators that earlier steps left.

    Raises:
        DamagedObject: they are missing or not those that were written.
    """
    if state.random is None:
        return RandomState()
    data: Any = plain_text.from_text(store.read(state.random).decode())
    return random_state.state_from_json(data)


def store_random(store: Store, state: RandomState) -> ObjectRef | None:
    """Returns where the states of the random generators are now, None for those of which nobody used one.

    Raises:
        EnvironmentFault: the store cannot be written.
    """
    if state == RandomState():
        return None
    return store.put([plain_text.to_text(random_state.state_to_json(state)).encode()])


def stored_settings(store: Store, state: AmbientState) -> dict[str, dict[str, Item]]:
    """Returns part -> items of everything that earlier steps changed.

    Raises:
        StepFailed: what was stored is gone or damaged.
    """
    found = {}
    for part, setting in state.settings.items():
        try:
            found[part] = read(store.read(setting.ref))
        except DamagedObject as error:
            raise StepFailed(
                f"the {part} that an earlier step left cannot be read: {error.message}", error.hint
            ) from error
    return found


def store_settings(store: Store, changed: Mapping[str, Items]) -> dict[str, Setting]:
    """Returns part -> where it is now; items that cannot be stored are left out.

    Args:
        store: Where it goes.
        changed: What the step changed, part by part.

    Raises:
        EnvironmentFault: the store cannot be written.
    """
    found = {}
    for part, items in changed.items():
        kept = {name: item for name, item in items.items() if item.form is not Form.UNSTORABLE}
        found[part] = Setting(store.put([written(kept)]), identity_of(kept))
    return found


def live_settings(changed: Mapping[str, Items]) -> tuple[LiveValue, ...]:
    """Returns the items that live no longer than the process: the steps after this one must run there, too."""
    return tuple(
        LiveValue(f"{part}: {name}", type(item.held).__qualname__, item.body)
        for part, items in changed.items()
        for name, item in items.items()
        if item.form is Form.UNSTORABLE
    )


def refuse_lost_settings(outcomes: Iterable[StepOutcome], step: str, pipeline: str) -> None:
    """Does nothing if all that earlier steps set can be put back in a process of its own.

    Args:
        outcomes: Those of the steps before.
        step: The step that is to run.
        pipeline: The pipeline's name.

    Raises:
        StepFailed: a step has set something that cannot be stored.
    """
    for value in (value for outcome in outcomes for value in outcome.live):
        part, colon, name = value.name.partition(": ")
        if colon and part in NAMES_OF_PARTS:
            raise StepFailed(
                f"step {step!r} runs with a setting ({part}) that cannot be stored: {name!r} is of type "
                f"{value.type!r} ({value.reason})",
                f"run the steps in one process: nbmlops run {pipeline}; or set it in a cell tagged `imports`",
            )
