"""What can be decided about a piece of IPython syntax: what takes its place, or why nothing can."""

from __future__ import annotations

from msgspec import Struct

from nbmlops.notebook.model import MagicAction


class Decision(Struct, frozen=True):
    """What takes the place of a magic.

    Attributes:
        action: What compiling does.
        reason: Why, as a sentence for the report.
        python: An expression or statement, or "" for nothing.
        unseen: Whether what it does cannot be observed, so that its step is not taken from the cache.
    """

    action: MagicAction
    reason: str
    python: str = ""
    unseen: bool = False


class Refusal(Struct, frozen=True):
    """Why a magic cannot be compiled, and the edit that helps."""

    code: str
    message: str
    hint: str


def shortened(text: str, limit: int = 60) -> str:
    """Returns a command or a line of a magic as messages quote it."""
    plain = " ".join(text.split())
    return plain if len(plain) <= limit else plain[: limit - 1] + "…"
