from __future__ import annotations

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from nbmlops.runtime.handover.set_order import build_set, plan_set, table_of


def some_sets(seed: int, count: int) -> list[Any]:
    generator, found = random.Random(seed), []
    for _ in range(count):
        size = generator.choice([0, 1, 3, 10, 50, 300])
        value: set[Any] = set(generator.sample(range(max(1, size) * 200), size))
        if generator.random() < 0.3:
            value = {str(element) for element in value}
        for element in generator.sample(sorted(value), generator.choice([0, size // 2, size * 9 // 10])):
            value.discard(element)
        found += [value, frozenset(value)]
    return found


def test_a_plan_gives_the_order_and_nearly_every_set_has_one() -> None:
    values = some_sets(0, 500)
    plans = [(value, plan) for value in values if (plan := plan_set(value)) is not None]
    for value, plan in plans:
        built = build_set(plan, frozen=isinstance(value, frozenset))
        assert list(built) == list(value)
        assert type(built) is type(value)
    assert len(plans) >= 0.97 * len(values)


def test_a_set_without_collisions_needs_no_table() -> None:
    plan = plan_set({3, 1, 2})
    assert plan is not None
    assert (plan.items, plan.stand_ins, plan.size) == ((1, 2, 3), (), 0)


_ELEMENTS = st.one_of(st.integers(-3, 60), st.integers(), st.text(max_size=2), st.tuples(st.integers(0, 3)))


@given(
    begun=st.lists(_ELEMENTS, max_size=80),
    removed=st.lists(_ELEMENTS, max_size=80),
    later=st.lists(_ELEMENTS, max_size=80),
    way=st.sampled_from(["grown", "copied", "subtracted"]),
)
def test_a_rebuilt_set_goes_on_as_the_original_does(
    begun: list[Any], removed: list[Any], later: list[Any], way: str
) -> None:
    value = set(begun) - set(removed) if way == "subtracted" else set(begun)
    if way == "copied":
        value = value.copy()
    for element in removed:
        value.discard(element)
    plan = plan_set(value)
    if plan is None:
        return  # such a set stays in its process
    built = build_set(plan, frozen=False)
    assert isinstance(built, set)
    assert table_of(built) == table_of(value)
    for element in later:
        value.add(element)
        built.add(element)
        assert list(built) == list(value)


def test_nearly_every_set_has_a_plan_that_gives_its_table() -> None:
    values = [value for value in some_sets(1, 500) if isinstance(value, set)]
    assert sum(plan_set(value) is None for value in values) <= len(values) // 100
