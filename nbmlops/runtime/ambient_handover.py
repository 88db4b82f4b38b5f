"""Settings between the store and a step's process: read before the step begins, stored when it has ended."""

from __future__ import annotations

from collections.abc import Mapping

from nbmlops.core.errors import StepFailed
from nbmlops.runtime.ambient import AmbientState, Setting
from nbmlops.runtime.ambient_session import Items, identity_of, read, written
from nbmlops.runtime.ambient_values import Form, Item
from nbmlops.runtime.store import DamagedObject, Store


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


def store_settings(store: Store, changed: Mapping[str, Items], step: str) -> dict[str, Setting]:
    """Returns part -> where it is now.

    Args:
        store: Where it goes.
        changed: What the step changed, part by part.
        step: The step's name, for errors.

    Raises:
        StepFailed: a value cannot be stored; the message names the setting and says why.
        EnvironmentFault: the store cannot be written.
    """
    for part, items in changed.items():
        for name, item in items.items():
            if item.form is Form.UNSTORABLE:
                raise StepFailed(
                    f"step {step!r} sets {name!r} ({part}) to {type(item.held).__qualname__!r}, "
                    f"which cannot be handed over to the next step: {item.body}",
                    "set it in a cell tagged `imports`, above the first step, or use a value that needs nothing "
                    "else: a lambda over its arguments, a function of a cell tagged `functions`",
                )
    return {part: Setting(store.put([written(items)]), identity_of(items)) for part, items in changed.items()}
