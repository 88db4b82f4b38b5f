from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping

import pytest
from msgspec import to_builtins
from msgspec.structs import replace

from nbmlops.core.errors import Conflict, EnvironmentFault
from nbmlops.registry.lease import STALE_SECONDS, Holder, intent_of, lease
from nbmlops.tracking.process import ProcessMark, this_process
from tests.fakes.in_memory import InMemoryRegistry

NAME = "nbmlops.lease.flights"
ELSEWHERE = ProcessMark(7, "another machine")


def left(registry: InMemoryRegistry, holder: Holder, intent: str = "") -> None:
    plain = to_builtins(holder)
    registry.make_entry(NAME, {"nbmlops.holder": json.dumps(plain), f"nbmlops.intent.{holder.token}": intent})


def fail_within(registry: InMemoryRegistry, recover: Callable[[str], object]) -> None:
    with lease(registry, "flights", "ada", recover) as held:
        held.intend("move the alias")
        raise ValueError("by hand")


def gone_process() -> ProcessMark:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return replace(this_process(), pid=child.pid, start="")


def test_a_lease_is_taken_and_given_back() -> None:
    registry, done = InMemoryRegistry(), list[str]()
    with lease(registry, "flights", "ada", done.append) as held:
        held.check()
        found = intent_of(registry, "flights")
        assert found is not None
        assert (found[0].who, found[1]) == ("ada", "")
        assert str(found[0]) == f"ada (process {os.getpid()} on {this_process().host.partition(' ')[0]})"
    assert (done, registry.entries, intent_of(registry, "flights")) == ([], {}, None)


def test_who_comes_while_somebody_has_it_is_told_who() -> None:
    registry = InMemoryRegistry()
    left(registry, Holder("bob", time.time(), "t1", ELSEWHERE))
    with (
        pytest.raises(Conflict, match=r"flights is being changed by bob \(process 7 on another\)"),
        lease(registry, "flights", "ada", lambda _: None, wait=0),
    ):
        pytest.fail("two have it")
    assert list(registry.entries) == [NAME]


class LosingAnswers(InMemoryRegistry):
    """Makes every name, and says that it was there: the answer was lost, and MLflow's client asked again."""

    def make_entry(self, name: str, tags: Mapping[str, str]) -> bool:
        super().make_entry(name, tags)
        return False


@pytest.mark.parametrize("is_left", [False, True])
def test_a_lease_whose_making_was_answered_by_silence_is_had(is_left: bool) -> None:
    registry, done = LosingAnswers(), list[str]()
    if is_left:
        left(registry, Holder("bob", 0.0, "t1", ELSEWHERE), "move the alias")
    with lease(registry, "flights", "ada", done.append, wait=0) as held:
        held.check()
    assert (done, registry.entries) == (["move the alias"] if is_left else [], {})


def test_who_waits_gets_it_next() -> None:
    registry, order = InMemoryRegistry(), list[str]()
    inside, leave = threading.Event(), threading.Event()

    def first() -> None:
        with lease(registry, "flights", "ada", lambda _: None):
            inside.set()
            leave.wait(10)
            order.append("ada")

    thread = threading.Thread(target=first)
    thread.start()
    inside.wait(10)
    threading.Timer(0.2, leave.set).start()
    with lease(registry, "flights", "bob", lambda _: None):
        order.append("bob")
    thread.join()
    assert (order, registry.entries) == (["ada", "bob"], {})


@pytest.mark.parametrize(
    "holder",
    [
        Holder("bob", time.time() - STALE_SECONDS - 1, "t1", ELSEWHERE),
        Holder("bob", time.time(), "t1", gone_process()),
        Holder("bob", time.time(), "t1", this_process()),
    ],
    ids=["old", "its process is gone", "of this process, and not held"],
)
def test_a_lease_left_behind_is_taken_over_with_what_it_intends(holder: Holder) -> None:
    registry, done = InMemoryRegistry(), list[str]()
    left(registry, holder, "move the alias")
    with lease(registry, "flights", "ada", done.append, wait=0):
        assert done == ["move the alias"]
        assert set(registry.entries) == {NAME}
    assert registry.entries == {}


def test_a_claim_left_behind_is_taken_over_as_well() -> None:
    registry, done = InMemoryRegistry(), list[str]()
    gone = Holder("bob", time.time(), "t1", gone_process())
    left(registry, gone, "move the alias")
    claim = json.dumps(to_builtins(replace(gone, who="eve", token="t2")))
    registry.make_entry(f"{NAME}.t1", {"nbmlops.holder": claim})
    with lease(registry, "flights", "ada", done.append, wait=0):
        assert done == ["move the alias"]
    assert registry.entries == {}


def test_a_holder_that_cannot_be_read_is_nobody() -> None:
    registry = InMemoryRegistry()
    registry.make_entry(NAME, {"nbmlops.holder": "{}"})
    assert intent_of(registry, "flights") is None
    with lease(registry, "flights", "ada", lambda _: None, wait=0):
        pass
    assert registry.entries == {}


def test_who_was_away_too_long_is_told_who_took_it() -> None:
    registry = InMemoryRegistry()

    def overslept() -> None:
        with lease(registry, "flights", "ada", lambda _: None) as held:
            registry.drop_entry(NAME)
            left(registry, Holder("bob", time.time(), "t1", ELSEWHERE))
            held.check()

    with pytest.raises(Conflict, match=r"taken over by bob \(process 7 on another\): it took over 120 s"):
        overslept()
    assert list(registry.entries) == [NAME]  # it is bob's


def test_who_was_away_too_long_writes_over_nothing() -> None:
    class Sleeps(InMemoryRegistry):
        """Somebody takes the lease over in the moment between looking and writing."""

        is_asleep = False

        def tag_entry(self, name: str, tags: Mapping[str, str]) -> None:
            if self.is_asleep:
                self.drop_entry(NAME)
                left(self, Holder("bob", time.time(), "t1", ELSEWHERE), "move another alias")
            super().tag_entry(name, tags)

    registry = Sleeps()

    def overslept() -> None:
        with lease(registry, "flights", "ada", lambda _: None) as held:
            registry.is_asleep = True
            held.intend("move the alias")

    with pytest.raises(Conflict, match="taken over by bob"):
        overslept()
    found = intent_of(registry, "flights")
    assert found is not None
    assert (found[0].who, found[1]) == ("bob", "move another alias")


def test_a_lease_that_was_left_behind_twice_is_settled_once_for_each() -> None:
    registry, done = InMemoryRegistry(), list[str]()
    left(registry, Holder("bob", time.time(), "t2", gone_process(), ("t1",)), "second")
    registry.tag_entry(NAME, {"nbmlops.intent.t1": "first", "nbmlops.intent.t0": "of nobody"})
    found = intent_of(registry, "flights")
    assert found is not None
    assert found[1] == "first"
    with lease(registry, "flights", "ada", done.append, wait=0):
        assert done == ["first", "second"]
    assert registry.entries == {}


def test_what_was_begun_is_settled_when_the_holder_fails() -> None:
    registry, done = InMemoryRegistry(), list[str]()
    with pytest.raises(ValueError, match="by hand"):
        fail_within(registry, done.append)
    assert (done, registry.entries) == (["move the alias"], {})


def test_a_registry_that_goes_away_leaves_the_lease_for_the_next_one() -> None:
    class Away(InMemoryRegistry):
        def drop_entry(self, name: str) -> None:
            raise EnvironmentFault("the server is away")

    away, done = Away(), list[str]()
    with pytest.raises(ValueError, match="by hand"):
        fail_within(away, lambda _: away.drop_entry(NAME))
    back = InMemoryRegistry(entries=away.entries)
    with lease(back, "flights", "bob", done.append, wait=0):
        pass
    assert (done, back.entries) == (["move the alias"], {})


def test_a_name_that_can_be_neither_made_nor_read_is_waited_for_and_no_longer() -> None:
    class Odd(InMemoryRegistry):
        def make_entry(self, name: str, tags: Mapping[str, str]) -> bool:
            return False

    with (
        pytest.raises(Conflict, match="flights is being changed by somebody"),
        lease(Odd(), "flights", "ada", lambda _: None, wait=0.01),
    ):
        pytest.fail("nobody has it")
