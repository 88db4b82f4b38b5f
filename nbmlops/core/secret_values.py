"""Whether values may be secrets: a quick look, before anything is loaded that knows better."""

from __future__ import annotations

from collections.abc import Mapping

from nbmlops.core.diagnostics import Json
from nbmlops.core.secret_names import Holds, holds

_LEAST = 4
_LONG = 16


def may_hold_secrets(values: Mapping[str, Json], environment: Mapping[str, str]) -> bool:
    """Returns False for values that are certainly no secrets, such as numbers, flags and short words.

    Args:
        values: Name -> value, of parameters for example.
        environment: The variables of this process.
    """
    texts = [text for name, value in values.items() for text in _texts(name, value)]
    if any(holds(name) is not Holds.NOTHING for name in values) or any(len(text) >= _LONG for text in texts):
        return True
    texts = [text for text in texts if len(text) >= _LEAST]
    if not texts:
        return False
    known = [value for name, value in environment.items() if holds(name) is not Holds.NOTHING and len(value) >= _LEAST]
    return any(secret in text for secret in known for text in texts)


def _texts(name: str, value: Json) -> list[str]:
    if isinstance(value, str):
        return [name, value]
    if isinstance(value, Mapping):
        return [text for key, item in value.items() for text in _texts(key, item)]
    if isinstance(value, list | tuple):
        return [text for item in value for text in _texts(name, item)]
    return [name]
