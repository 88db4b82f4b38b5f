"""Behaviour tests: run by the names of their parameters; whatever is unclear does not pass."""

from __future__ import annotations

import sys
from types import ModuleType

import numpy as np
import pytest

from nbmlops.api import directional, invariance
from nbmlops.app.judging.behaviour import run_tests
from nbmlops.app.judging.behaviour_view import BehaviourView
from nbmlops.core.errors import UsageError
from nbmlops.core.records import BehaviourOutcome, BehaviourRecord, Expectation

PASS, FAIL, ERROR = BehaviourOutcome.PASS, BehaviourOutcome.FAIL, BehaviourOutcome.ERROR
VALUES = {"x": np.array([1.0, 2.0]), "up": 1.0}


def outcome(test) -> tuple[BehaviourOutcome, str]:
    (record,) = run_tests([test], VALUES)
    return record.outcome, record.message


def test_values_go_by_name_and_defaults_stay() -> None:
    def test_all(x, /, up=5.0, *more, **named):
        assert (list(x), up, more, named) == ([1.0, 2.0], 5.0, (), {})

    def test_named(*, up):
        assert up == 1.0

    assert run_tests([test_all, test_named], VALUES) == (
        BehaviourRecord("test_all", PASS),
        BehaviourRecord("test_named", PASS),
    )


def test_assertions_fail_with_their_text_or_their_line() -> None:
    def test_said(x):
        assert x.sum() < 0, "the sum is\n negative"

    def test_plain(x):
        assert x.sum() < 0

    assert outcome(test_said)[0] is FAIL
    assert "the sum is negative" in outcome(test_said)[1]
    # pytest rewrites assertions of this file; in a notebook the line itself is told.
    assert outcome(test_plain)[0] is FAIL


def test_the_line_of_an_assertion_without_words_is_told() -> None:
    import linecache

    source = "def test_plain(x):\n    assert x.sum() < 0  # why\n"
    linecache.cache["<cell 3>"] = (len(source), None, source.splitlines(keepends=True), "<cell 3>")
    namespace: dict[str, object] = {}
    exec(compile(source, "<cell 3>", "exec"), namespace)
    assert outcome(namespace["test_plain"]) == (FAIL, "does not hold: assert x.sum() < 0 # why")


def test_other_errors_are_errors_and_hold_no_addresses() -> None:
    def test_broken(x):
        raise RuntimeError(f"<object at 0x7f{0:010x}>")

    def test_wanting(model, x):
        raise NotImplementedError

    assert outcome(test_broken) == (ERROR, "RuntimeError: <object at 0x…>")
    assert outcome(test_wanting) == (ERROR, "UsageError: it asks for model, but was given x, up")


def test_skipping_and_exiting_are_no_pass_and_keep_no_other_test_from_running() -> None:
    def test_skipped(x):
        pytest.skip("not today")

    def test_left(x):
        raise SystemExit(0)

    def test_said_by_pytest(x):
        pytest.fail("too late")

    def test_plain(x): ...

    assert [(one.outcome, one.message) for one in run_tests([test_skipped, test_left, test_plain], VALUES)] == [
        (ERROR, "Skipped: not today"),
        (ERROR, "SystemExit: 0"),
        (PASS, ""),
    ]
    assert outcome(test_said_by_pytest) == (ERROR, "Failed: too late")


def test_interruptions_are_nobody_elses() -> None:
    def test_slow(x):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_tests([test_slow], VALUES)


@pytest.mark.parametrize(
    ("returned", "expected"),
    [
        (None, (PASS, "")),
        (True, (PASS, "")),
        (np.True_, (PASS, "")),
        (np.False_, (FAIL, "it returned False")),
        (0.3, (ERROR, "it returned a value of type float: a test asserts, or states what it expects")),
        ("", (ERROR, "it returned a value of type str: a test asserts, or states what it expects")),
        (Expectation("invariance", "a", 2, 1), (FAIL, "1 of 2 rows (50 %) broke 'a'")),
        (Expectation("invariance", "a", 2, 1, 0.5), (PASS, "")),
    ],
)
def test_what_a_test_returns(returned: object, expected: tuple[BehaviourOutcome, str]) -> None:
    def test_it():
        return returned

    assert outcome(test_it) == expected


def test_a_coroutine_is_no_test() -> None:
    async def test_later(x):
        raise AssertionError

    assert outcome(test_later)[0] is ERROR


def test_what_a_test_states_must_hold_even_if_it_does_not_look_at_it() -> None:
    def test_forgot(x):
        directional(x, x + 1, "up")
        invariance(x, x + np.array([0, 1]))

    (record,) = run_tests([test_forgot], VALUES)
    assert record == BehaviourRecord(
        "test_forgot",
        FAIL,
        "1 of 2 rows (50 %) broke 'does not change'; for example row 1: 2 -> 3",
        (
            Expectation("invariance", "does not change", 2, 1, 0.0, ("row 1: 2 -> 3",)),
            Expectation("directional", "does not go down", 2, 0),
        ),
    )

    def test_asserted(x):
        assert invariance(x, x + np.array([0, 1]))

    assert outcome(test_asserted)[1] == record.message
    assert not invariance(VALUES["x"], VALUES["x"] + 1)  # outside of a test it is a value like others


def test_the_tests_of_a_module_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("checks")
    exec("def helper(): 1 / 0\ndef test_b(): pass\ndef test_a(x): pass\ntest_no = 3", vars(module))
    monkeypatch.setitem(sys.modules, "checks", module)
    assert [record.name for record in run_tests([module], VALUES)] == ["test_b", "test_a"]
    with pytest.raises(UsageError, match=r"the module 'empty' has no function test_\.\.\."):
        run_tests([ModuleType("empty")], VALUES)
    with pytest.raises(UsageError, match="two behaviour tests are called 'test_a'"):
        run_tests([module, vars(module)["test_a"]], VALUES)


@pytest.mark.parametrize("given", [[], [3], [lambda: None]])
def test_what_is_no_test_is_refused(given: list[object]) -> None:
    with pytest.raises(UsageError):
        run_tests(given, VALUES)


def test_the_view_says_what_was_found() -> None:
    held = Expectation("directional", "does not go down", 300, 1, 0.01, ("row 3: 0.5 -> 0.4",))
    view = BehaviourView((BehaviourRecord("test_a", PASS, "", (held,)), BehaviourRecord("test_b", ERROR, "Boom: x")))
    assert repr(view).splitlines() == [
        "FAIL 1 of 2 behaviour tests passed",
        "behaviour tests:",
        "  outcome  behaviour test  what it found",
        f"  PASS     test_a          {held}",
        "  ERROR    test_b          Boom: x",
    ]
