"""The mark of a name that has no value: what a step hands over for a name that its cells bind on some paths only."""

from __future__ import annotations

from enum import Enum


class Unbound(Enum):
    """The one member stands for a name that is not bound; pickled by reference, it stays the same object."""

    UNBOUND = "unbound"


UNBOUND = Unbound.UNBOUND
