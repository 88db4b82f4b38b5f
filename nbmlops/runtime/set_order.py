"""Sets rebuilt so that they iterate in the same order.

The order in which a set iterates is that of its hash table: it depends on the size of the table, on the order in which
colliding elements came, and on elements that were removed since. Adding the elements to a new set in their order of
iteration gives another order for many sets. Here a table is planned that gives the wanted order: its size, which slots
to occupy for a while by stand-ins, and in which order to add the elements. Every plan is tried before it is used.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import chain, permutations
from typing import Any

_SMALL_TABLE = 8
_ENTRY_BYTES = 16
_LINEAR_PROBES = 9
_PERTURB_SHIFT = 5
_MAX_PROBES = 60
_TRIED_IN_ALL_ORDERS = 6
_HASH_BITS = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class SetPlan:
    """How to build a set.

    Attributes:
        items: The elements in the order in which to add them.
        stand_ins: Slots that are occupied while they are added.
        size: Slots of the table to add them to; 0 for a table that grows by itself.
    """

    items: tuple[Any, ...]
    stand_ins: tuple[int, ...] = ()
    size: int = 0


def plan_set(value: AbstractSet[Any]) -> SetPlan | None:
    """Returns a plan by which the set iterates as it does now, or None if there is none.

    Args:
        value: A `set` or `frozenset`.
    """
    wanted = tuple(value)
    for plan in chain([SetPlan(wanted)], _table_plans(wanted, _table_size(value)), _small_plans(wanted)):
        built = build_set(plan, frozen=isinstance(value, frozenset))
        if all(one is other for one, other in zip(built, wanted, strict=True)):
            return plan
    return None


def build_set(plan: SetPlan, *, frozen: bool) -> set[Any] | frozenset[Any]:
    """Returns the set of a plan; a frozen one is made from a mapping or a list, as it cannot be built up."""
    if frozen:
        return frozenset(dict.fromkeys(plan.items) if plan.size else plan.items)
    made: set[Any] = set()
    if plan.size <= _SMALL_TABLE and not plan.stand_ins:
        made.update(plan.items)
        return made
    stand_ins = [_StandIn(slot) for slot in plan.stand_ins]
    sequence = [*stand_ins, *plan.items]
    # A set that is updated from a mapping makes room once for twice its length, and then adds in its order. What is
    # needed to reach the size comes last, where it displaces nothing.
    room = (plan.size - 1) // 2
    fillers = [_StandIn(id(plan) + number) for number in range(max(0, plan.size // 4 - len(sequence)))]
    if plan.size > _SMALL_TABLE:
        made.update(dict.fromkeys([*sequence[:room], *fillers]))
        sequence = sequence[room:]
    for item in sequence:
        made.add(item)
    for item in (*stand_ins, *fillers):
        made.discard(item)  # `difference_update` would clean the table up
    return made


class _StandIn:
    __slots__ = ("_slot",)

    def __init__(self, slot: int) -> None:
        self._slot = slot

    def __hash__(self) -> int:
        return self._slot

    __eq__ = object.__eq__


def _table_size(value: AbstractSet[Any]) -> int:
    extra = sys.getsizeof(value) - sys.getsizeof(set())
    return extra // _ENTRY_BYTES or _SMALL_TABLE


def _table_plans(wanted: Sequence[Any], size: int) -> Iterator[SetPlan]:
    slots = _slots(wanted, size)
    if slots is None:
        return
    owners = dict(zip(slots, range(len(wanted)), strict=True))
    stand_ins: set[int] = set()
    needs: list[set[int]] = []
    for item, slot in zip(wanted, slots, strict=True):
        passed = _passed(item, slot, size)
        needs.append({owners[other] for other in passed if other in owners})
        stand_ins |= {other for other in passed if other not in owners}
    order = _ordered(needs)
    if order is not None:
        items = tuple(wanted[number] for number in order)
        yield SetPlan(items, tuple(sorted(stand_ins)), size)
        yield SetPlan(items)  # for frozen sets that grew element by element


def _small_plans(wanted: tuple[Any, ...]) -> Iterator[SetPlan]:
    if len(wanted) <= _TRIED_IN_ALL_ORDERS:
        for items in permutations(wanted):
            yield SetPlan(items)
            yield SetPlan(items, (), _SMALL_TABLE)


def _slots(wanted: Sequence[Any], size: int) -> list[int] | None:
    """Returns a slot for each element: on its way through the table, and behind that of the element before it."""
    latest: list[int] = []
    bound = size
    for item in reversed(wanted):
        possible = [slot for slot in _way(item, size) if slot < bound]
        if not possible:
            return None
        bound = max(possible)
        latest.append(bound)
    slots: list[int] = []
    before = -1
    for item, bound in zip(wanted, reversed(latest), strict=True):
        before = next(slot for slot in _way(item, size) if before < slot <= bound)
        slots.append(before)
    return slots


def _passed(item: Any, slot: int, size: int) -> set[int]:
    way = list(_way(item, size))
    return set(way[: way.index(slot)])


def _way(item: Any, size: int) -> Iterator[int]:
    """Yields the slots in which CPython looks for an element, in its order."""
    mask, number = size - 1, 0
    perturb = hash(item) & _HASH_BITS
    place = perturb & mask
    while number < _MAX_PROBES:
        run = _LINEAR_PROBES + 1 if place + _LINEAR_PROBES <= mask else 1
        yield from range(place, place + run)
        number += run
        perturb >>= _PERTURB_SHIFT
        place = (place * 5 + 1 + perturb) & mask


def _ordered(needs: Sequence[set[int]]) -> list[int] | None:
    """Returns the numbers so that each stands behind those it needs, elements that need none first; None for a ring."""
    order = [number for number, needed in enumerate(needs) if not needed]
    done = set(order)
    waiting = [number for number, needed in enumerate(needs) if needed]
    while waiting:
        ready = [number for number in waiting if needs[number] <= done]
        if not ready:
            return None
        order += ready
        done.update(ready)
        waiting = [number for number in waiting if number not in done]
    return order
