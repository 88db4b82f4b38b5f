"""The terms in which knowledge of calls is written: what a call changes, and what it gives back."""

from __future__ import annotations

from enum import IntEnum

from msgspec import Struct


class Change(IntEnum):
    """What a call does to an object: nothing, changes it alone, or also what it holds."""

    NO = 0
    ITSELF = 1
    DEEP = 2


class Returns(IntEnum):
    """What a call gives back, in terms of the objects it was given (receiver and arguments).

    IMMUTABLE: a number, a string, None. NEW: something of its own. FRAME: a new pandas object. PART: something that was
    inside of them. SHALLOW: a new container of their parts. LAZY: the same, but it looks at them when it is asked.
    HOLDS: something new that keeps them. SAME: one of them, or a view of it.
    """

    IMMUTABLE = 0
    NEW = 1
    FRAME = 2
    PART = 3
    SHALLOW = 4
    LAZY = 5
    HOLDS = 6
    SAME = 7


class Knowledge(Struct, frozen=True):
    """What a call does.

    Attributes:
        returns: What it gives back.
        receiver: What it does to the object before the dot.
        changed: Positions of arguments that it changes.
        others: What it does to all other arguments.
        keeps: Whether the receiver keeps the arguments.
        none: Whether a function surely gives None back, so that nothing is displayed.
    """

    returns: Returns = Returns.NEW
    receiver: Change = Change.NO
    changed: tuple[int, ...] = ()
    others: Change = Change.NO
    keeps: bool = False
    none: bool = False
