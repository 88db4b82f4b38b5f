from __future__ import annotations

import pytest
from msgspec.structs import replace

from nbmlops.core.errors import GateRejected
from nbmlops.gate.verdict import Outcome, RuleResult, Verdict
from nbmlops.pipeline.run_record import Lineage, ModelVersionRef
from nbmlops.registry.audit import faults
from nbmlops.registry.register import finish, register
from nbmlops.registry.registry import Candidate, ModelRegistry, ModelVersion
from nbmlops.registry.transitions import standing
from tests.fakes.failing import FailingRegistry
from tests.fakes.in_memory import InMemoryRegistry

PASS = Verdict(True, (RuleResult("floor", "auc", 0.8, ">= 0.7", None, Outcome.PASS),))
FAIL = Verdict(False, (RuleResult("floor", "auc", 0.6, ">= 0.7", None, Outcome.FAIL, "0.6 is below 0.7"),))


def candidate(run: int) -> Candidate:
    return Candidate("flights", f"run{run}", object(), f"digest{run}", None, Lineage(), {"auc": 0.8})


def stages(registry: InMemoryRegistry) -> dict[str, tuple[tuple[str, ...], str]]:
    return {one.version: (one.aliases, one.tags.get("nbmlops.stage", "")) for one in registry.versions("flights")}


def test_the_fake_keeps_the_protocol() -> None:
    registry: ModelRegistry = InMemoryRegistry()
    assert registry.versions("flights") == ()


def test_the_first_version_is_champion_the_next_ones_challengers() -> None:
    registry = InMemoryRegistry()
    assert register(PASS, candidate(1), registry).ref == ModelVersionRef("flights", "1", ("champion",))
    assert register(PASS, candidate(2), registry).ref == ModelVersionRef("flights", "2", ("challenger",))
    assert register(PASS, candidate(3), registry).ref == ModelVersionRef("flights", "3", ("challenger",))
    assert stages(registry) == {
        "1": (("champion",), "champion"),
        "2": ((), "superseded"),
        "3": (("challenger",), "challenger"),
    }


def test_promote_on_pass_makes_champions_and_archives_the_former() -> None:
    registry = InMemoryRegistry()
    register(PASS, candidate(1), registry, promote_on_pass=True)
    register(PASS, candidate(2), registry, promote_on_pass=True)
    assert stages(registry) == {"1": ((), "archived"), "2": (("champion",), "champion")}


def test_what_was_judged_against_another_champion_does_not_take_the_place_of_this_one() -> None:
    registry = InMemoryRegistry()
    register(PASS, candidate(1), registry)
    judged = replace(PASS, baseline="flights version 1")
    register(judged, candidate(2), registry, promote_on_pass=True)
    register(judged, candidate(3), registry, promote_on_pass=True)
    assert stages(registry) == {
        "1": ((), "archived"),
        "2": (("champion",), "champion"),
        "3": (("challenger",), "challenger"),
    }


def test_of_two_first_versions_at_once_one_becomes_champion() -> None:
    skipped = RuleResult("live", "auc", 0.8, ">= champion", None, Outcome.NOT_APPLICABLE, "no champion")
    first = Verdict(True, (*PASS.results, skipped))

    class Busy(InMemoryRegistry):
        def add(self, added: Candidate, verdict: Verdict) -> ModelVersion:
            made = super().add(added, verdict)
            if added.run_id == "run1":
                register(first, candidate(2), self, promote_on_pass=True)
            return made

    registry = Busy()
    register(first, candidate(1), registry, promote_on_pass=True)
    assert stages(registry) == {"1": (("challenger",), "challenger"), "2": (("champion",), "champion")}


def test_rules_that_found_no_champion_are_judged_again_once_there_is_one() -> None:
    skipped = RuleResult("live", "auc", 0.8, ">= champion", None, Outcome.NOT_APPLICABLE, "no champion")
    first = Verdict(True, (*PASS.results, skipped))
    registry = InMemoryRegistry()
    champion = register(first, candidate(1), registry)
    with pytest.raises(GateRejected) as caught:
        register(first, candidate(2), registry, promote_on_pass=True)
    assert caught.value.message == (
        "flights is not registered: live found no champion to compare with, but version 1 of flights is one"
    )
    assert register(first, candidate(1), registry) == champion
    assert register(PASS, candidate(2), registry).version == "2"


def test_the_same_run_and_model_are_the_same_version() -> None:
    registry = InMemoryRegistry()
    first = register(PASS, candidate(1), registry)
    register(PASS, candidate(2), registry)
    register(PASS, candidate(3), registry)
    before = list(registry.calls)
    assert register(PASS, candidate(1), registry) == first
    assert register(PASS, candidate(2), registry).ref == ModelVersionRef("flights", "2", ())
    assert registry.calls == before


def test_another_model_of_the_same_run_is_another_version() -> None:
    registry = InMemoryRegistry()
    register(PASS, candidate(1), registry)
    assert register(PASS, replace(candidate(1), model_digest="other"), registry).version == "2"


@pytest.mark.parametrize(
    ("verdict", "message"),
    [
        (FAIL, "flights is not registered: the gate rejected the run by floor (0.6 is below 0.7)"),
        (
            Verdict(False, (), refusal="there are no rules", hint="add one"),
            "flights is not registered: there are no rules",
        ),
    ],
)
def test_without_a_passing_verdict_nothing_is_registered(verdict: Verdict, message: str) -> None:
    registry = InMemoryRegistry()
    with pytest.raises(GateRejected) as caught:
        register(verdict, candidate(1), registry)
    assert (caught.value.message, caught.value.hint) == (message, verdict.hint)
    assert registry.calls == []


@pytest.mark.parametrize("before_cut", [1, 2])
def test_a_registration_that_was_cut_off_is_completed(before_cut: int) -> None:
    class Cut(InMemoryRegistry):
        def set_alias(self, name: str, alias: str, version: str) -> None:
            if before_cut == 1:
                raise KeyboardInterrupt
            super().set_alias(name, alias, version)
            raise KeyboardInterrupt

    cut = Cut()
    with pytest.raises(KeyboardInterrupt):
        register(PASS, candidate(1), cut)
    registry = InMemoryRegistry(cut.models, cut.pointers, entries=cut.entries)
    assert register(PASS, candidate(1), registry).ref == ModelVersionRef("flights", "1", ("champion",))
    assert stages(registry) == {"1": (("champion",), "champion")}


@pytest.mark.parametrize("promotes", [False, True])
@pytest.mark.parametrize("before", [0, 1, 2])
def test_wherever_a_process_dies_registering_is_finished_as_if_it_had_not(before: int, promotes: bool) -> None:
    undisturbed = InMemoryRegistry()
    for run in range(1, before + 1):
        register(PASS, candidate(run), undisturbed)
    models, pointers = {name: list(found) for name, found in undisturbed.models.items()}, dict(undisturbed.pointers)
    entries = dict(undisturbed.entries)
    register(PASS, candidate(9), undisturbed, promote_on_pass=promotes)
    for calls in range(1, 20):
        registry = FailingRegistry(
            {name: list(found) for name, found in models.items()}, dict(pointers), entries=dict(entries)
        )
        registry.last, registry.error = calls, SystemExit
        try:
            register(PASS, candidate(9), registry, promote_on_pass=promotes)
        except SystemExit:
            died = True
        else:
            died = False
        registry.last = 1000
        version = finish(registry, "flights", "run9", promote_on_pass=promotes)
        assert version == registry.versions("flights")[0]
        assert stages(registry) == stages(undisturbed)
        now = standing(registry, "flights")
        assert (faults(now.log, now.entry), set(registry.entries)) == ((), {"flights"})
        if not died:
            return
    pytest.fail("it dies for ever")


def test_what_became_no_version_is_given_up() -> None:
    registry = InMemoryRegistry()
    assert finish(registry, "flights", "run9") is None
    assert registry.calls == ["give up run9"]
