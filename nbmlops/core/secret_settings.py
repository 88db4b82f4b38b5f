"""What the project says of secrets: kept here until something is redacted, which loads more than this."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace


class SecretSettings(Struct, frozen=True):
    """What the settings say.

    Attributes:
        allowed: Texts that are no secrets, and names whose values are none.
        variables: Further variables of the environment that hold secrets.
        address: Of the store; its password is a secret.
    """

    allowed: frozenset[str] = frozenset()
    variables: frozenset[str] = frozenset()
    address: str = ""


class _Process:
    """What holds in this process."""

    __slots__ = ("settings",)

    def __init__(self) -> None:
        self.settings = SecretSettings()


_PROCESS = _Process()


def know_secrets(settings: SecretSettings, address: str = "") -> None:
    """Lets the settings hold in this process from now on.

    Args:
        settings: Those of the pipeline or notebook.
        address: Of the store, as configured.
    """
    _PROCESS.settings = replace(settings, address=address)


def secret_settings() -> SecretSettings:
    """Returns the settings that hold in this process."""
    return _PROCESS.settings
