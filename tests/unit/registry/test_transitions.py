from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from nbmlops.core.errors import EnvironmentFault
from nbmlops.gate.verdict import Outcome, RuleResult, Verdict
from nbmlops.pipeline.run_record import Lineage
from nbmlops.registry.audit import Action, faults
from nbmlops.registry.promote import promote
from nbmlops.registry.register import register
from nbmlops.registry.registry import Candidate
from nbmlops.registry.transitions import Actor, change, standing
from tests.fakes.failing import FailingRegistry
from tests.fakes.in_memory import InMemoryRegistry

PASS = Verdict(True, (RuleResult("floor", "auc", 0.8, ">= 0.7", None, Outcome.PASS),))
ADA = Actor("ada", "2026-11-21T10:00:00Z", "better in winter")
BOB = Actor("bob", "2026-11-21T10:05:00Z", "look")


def registered() -> FailingRegistry:
    made = FailingRegistry()
    for run in (1, 2, 3):
        register(PASS, Candidate("flights", f"run{run}", object(), f"digest{run}", None, Lineage()), made)
    return made


def state(registry: InMemoryRegistry) -> dict[str, tuple[tuple[str, ...], str]]:
    return {one.version: (one.aliases, one.tags["nbmlops.stage"]) for one in registry.versions("flights")}


@pytest.mark.parametrize("error", [EnvironmentFault, SystemExit], ids=["away", "dead"])
def test_wherever_it_is_cut_off_it_is_done_or_not_and_the_log_tells_which(error: type[BaseException]) -> None:
    undisturbed = registered()
    before = state(undisturbed)
    promote(undisturbed, "flights", "3", ADA)
    after = state(undisturbed)
    outcomes = set[tuple[str, ...]]()
    for calls in range(40):
        registry = registered()
        registry.last, registry.error = calls, error
        try:
            promote(registry, "flights", "3", ADA)
        except error:
            died = True
        else:
            died = False
        registry.last = 1000
        change(registry, "flights", BOB, lambda _: None, wait=0)
        now = standing(registry, "flights")
        assert faults(now.log, now.entry) == ()
        assert set(registry.entries) == {"flights"}
        actions = tuple(line.action.value for line in now.log.lines[3:])
        assert state(registry) == (after if "promote" in actions else before)
        outcomes.add(actions)
        if not died:
            break
    else:
        pytest.fail("it fails for ever")
    assert outcomes == {(), ("abandon",), ("promote", "complete"), ("promote",)}


def test_what_another_one_finished_tells_both() -> None:
    registry = registered()
    registry.last, registry.error = 4, SystemExit
    with pytest.raises(SystemExit):
        promote(registry, "flights", "3", ADA)
    registry.last = 1000
    assert promote(registry, "flights", "3", BOB).changed is False
    lines = standing(registry, "flights").log.lines[3:]
    assert [(line.action, line.who, line.reason) for line in lines] == [
        (Action.PROMOTE, "ada", "better in winter"),
        (Action.COMPLETE, "bob", "line 4 was cut off, and has been completed"),
    ]


def test_a_plan_that_finds_nothing_to_do_leaves_no_line() -> None:
    registry = registered()
    lines = standing(registry, "flights").log.lines
    assert change(registry, "flights", ADA, lambda _: None) is False
    assert standing(registry, "flights").log.lines == lines


@pytest.mark.parametrize(
    "change_it",
    [lambda _: {}, lambda it: {**it, "writes": []}, lambda it: {**it, "line": {**it["line"], "model": "trains"}}],
)
def test_an_intent_that_nobody_can_read_or_do_any_more_is_dropped(change_it: Callable[[Any], Any]) -> None:
    registry = registered()
    registry.last, registry.error = 3, SystemExit
    with pytest.raises(SystemExit):
        promote(registry, "flights", "3", ADA)
    registry.last = 1000
    (name,) = set(registry.entries) - {"flights"}
    (tag,) = [one for one in registry.entries[name].tags if one.startswith("nbmlops.intent.")]
    intent = json.loads(registry.entries[name].tags[tag])
    assert intent["line"]["model"] == "flights"
    registry.tag_entry(name, {tag: json.dumps(change_it(intent))})
    assert promote(registry, "flights", "2", BOB).version.version == "2"
    assert set(registry.entries) == {"flights"}


def test_an_intent_that_came_too_late_is_dropped() -> None:
    registry = registered()
    registry.last, registry.error = 2, SystemExit
    with pytest.raises(SystemExit):
        promote(registry, "flights", "3", ADA)
    registry.last = 1000
    left = registry.entries.pop("nbmlops.lease.flights")
    promote(registry, "flights", "2", BOB)
    lines = standing(registry, "flights").log.lines
    registry.entries["nbmlops.lease.flights"] = left
    assert change(registry, "flights", BOB, lambda _: None, wait=0) is False
    now = standing(registry, "flights")
    assert (now.log.lines, now.entry.aliases["champion"], faults(now.log, now.entry)) == (lines, "2", ())
