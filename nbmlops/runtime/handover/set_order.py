"""Sets rebuilt so that they iterate in the same order, now and after whatever is added to them later.

The order in which a set iterates is that of its hash table: it depends on the size of the table, on the order in which
colliding elements came, and on elements that were removed since: their slots stay marked. Adding the elements to a new
set in their order of iteration gives another order for many sets. Here a table is planned that gives the wanted order:
its size, which slots to occupy for a while by stand-ins, and in which order to add the elements. Every plan is tried
before it is used: a frozen set must iterate in the same order, and a set must have the very same table.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import chain, permutations
from typing import Any

from msgspec import Struct

_SMALL_TABLE = 8
_ENTRY_BYTES = 16
_LINEAR_PROBES = 9
_PERTURB_SHIFT = 5
_MAX_PROBES = 60
_TRIED_IN_ALL_ORDERS = 6
_HASH_BITS = (1 << 64) - 1


class SetPlan(Struct, frozen=True):
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
    """Returns a plan by which the set becomes what it is now, or None if there is none.

    Args:
        value: A `set` or `frozenset`.
    """
    wanted = tuple(value)
    if isinstance(value, frozenset):
        for plan in chain([SetPlan(wanted)], _frozen_plans(wanted, _table_size(value)), _small_plans(wanted)):
            if all(one is other for one, other in zip(build_set(plan, frozen=True), wanted, strict=True)):
                return plan
        return None
    assert isinstance(value, set)
    table = table_of(value)
    if table is None:
        return None
    for plan in chain([SetPlan(wanted)], _table_plans(wanted, table), _small_plans(wanted)):
        built = build_set(plan, frozen=False)
        assert isinstance(built, set)
        if table_of(built) == table:
            return plan
    return None


class Table(Struct, frozen=True):
    """The hash table of a set.

    Attributes:
        size: Its number of slots.
        slots: Of the elements, in the order in which they iterate, told by their `id`.
        left: Slots whose elements were removed.
    """

    size: int
    slots: Mapping[int, int]
    left: tuple[int, ...]


def table_of(value: set[Any]) -> Table | None:
    """Returns the table as CPython's `setobject.h` lays it out; None if the memory does not look like it."""
    words = ctypes.c_ssize_t * 4
    fill, used, mask, address = words.from_address(id(value) + object.__basicsize__)
    if used != len(value) or not used <= fill <= mask or mask & (mask + 1) or not address:
        return None
    entries = (ctypes.c_size_t * (2 * (mask + 1))).from_address(address)
    keys = entries[::2]
    ids = {id(element) for element in value}
    slots = {key: slot for slot, key in enumerate(keys) if key in ids}
    left = tuple(slot for slot, key in enumerate(keys) if key and key not in ids)
    if len(slots) != used or len(slots) + len(left) != fill or list(slots) != [id(element) for element in value]:
        return None
    return Table(mask + 1, slots, left)


def build_set(plan: SetPlan, *, frozen: bool) -> set[Any] | frozenset[Any]:
    """Returns the set of a plan; a frozen one is made from a mapping or a list, as it cannot be built up."""
    if frozen:
        return frozenset(dict.fromkeys(plan.items) if plan.size else plan.items)
    made: set[Any] = set()
    if plan.size <= _SMALL_TABLE and not plan.stand_ins:
        made.update(plan.items)
        return made
    # A set that grew by itself, or one whose table was made for its length.
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


def _table_plans(wanted: Sequence[Any], table: Table) -> Iterator[SetPlan]:
    slots = [table.slots[id(item)] for item in wanted]
    owners = dict(zip(slots, range(len(wanted)), strict=True))
    if any(slot not in _way(item, table.size) for item, slot in zip(wanted, slots, strict=True)):
        return  # an element whose hash is another one each time
    passed = [_passed(item, slot, table.size) for item, slot in zip(wanted, slots, strict=True)]
    order = _ordered([{owners[other] for other in others if other in owners} for others in passed])
    if order is not None:
        items = tuple(wanted[number] for number in order)
        yield SetPlan(items, table.left, table.size)
        yield SetPlan(items, table.left)


def _frozen_plans(wanted: Sequence[Any], size: int) -> Iterator[SetPlan]:
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
