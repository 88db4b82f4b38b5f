from __future__ import annotations

import random
from typing import Any

from nbmlops.runtime.set_order import build_set, plan_set


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
