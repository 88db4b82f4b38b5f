"""What holds where paths meet."""

from __future__ import annotations

from nbmlops.analysis.flow.record import State, join


def test_where_paths_meet_a_variable_may_be_what_it_is_on_each_of_them() -> None:
    start = State(env={"same": frozenset({1}), "changed": frozenset({2}), "gone": frozenset({3})})
    left, right = start.copy(), start.copy()
    left.refer("changed", frozenset({4}))
    right.refer("changed", frozenset({5}))
    right.refer("new", frozenset({6}))
    left.forget("gone")

    assert [left.objects(name) for name in ("same", "changed", "gone")] == [frozenset({1}), frozenset({4}), None]
    assert [start.objects(name) for name in ("same", "changed", "gone")] == [frozenset({n}) for n in (1, 2, 3)]
    assert join([left, right]).next().env == {
        "same": frozenset({1}),
        "changed": frozenset({4, 5}),
        "gone": frozenset({3}),
        "new": frozenset({6}),
    }


def test_joined_states_can_be_joined_again() -> None:
    start = State(env={"name": frozenset({1})})
    inner = start.copy()
    inner.refer("name", frozenset({2}))

    assert join([start, join([start, inner])]).next().env == {"name": frozenset({1, 2})}


def test_what_a_dead_path_refers_to_does_not_count() -> None:
    start = State(env={"name": frozenset({1})})
    dead = start.copy()
    dead.refer("name", frozenset({2}))
    dead.may.add("name")
    dead.dead = True

    assert join([dead, start]) == State(may={"name"}, env={"name": frozenset({1})})


def test_a_variable_that_all_paths_unbind_is_unknown_afterwards() -> None:
    start = State(env={"name": frozenset({1})})
    paths = [start.copy(), start.copy()]
    for path in paths:
        path.forget("name")

    assert join(paths).next() == State()
