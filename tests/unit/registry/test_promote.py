from __future__ import annotations

from collections.abc import Mapping

import pytest

from nbmlops.core.errors import Conflict, EnvironmentFault, GateRejected, UsageError
from nbmlops.gate.verdict import Outcome, RuleResult, Verdict
from nbmlops.pipeline.run_record import Lineage
from nbmlops.registry.audit import faults
from nbmlops.registry.promote import promote, rollback
from nbmlops.registry.register import register
from nbmlops.registry.registry import Candidate
from nbmlops.registry.transitions import Actor, standing
from tests.fakes.in_memory import InMemoryRegistry

PASS = Verdict(True, (RuleResult("floor", "auc", 0.8, ">= 0.7", None, Outcome.PASS),))
ME = Actor("ada", "2026-11-21T10:00:00Z", "better in winter")


@pytest.fixture
def registry() -> InMemoryRegistry:
    made = InMemoryRegistry()
    for run in (1, 2, 3):
        register(PASS, Candidate("flights", f"run{run}", object(), f"digest{run}", None, Lineage()), made)
    return made


def story(registry: InMemoryRegistry, version: str) -> dict[str, str]:
    tags = next(one.tags for one in registry.versions("flights") if one.version == version)
    names = ("stage", "promoted_by", "promoted_at", "promoted_why", "former_champion")
    return {name: tags[f"nbmlops.{name}"] for name in names if f"nbmlops.{name}" in tags}


@pytest.mark.parametrize("selector", ["3", "challenger"])
def test_promoting_moves_the_alias_archives_the_former_and_tells_who_when_why(
    registry: InMemoryRegistry, selector: str
) -> None:
    promotion = promote(registry, "flights", selector, ME)
    assert promotion.changed
    assert promotion.version.ref.version == "3"
    assert promotion.version.aliases == ("champion",)
    assert promotion.former is not None
    assert promotion.former.ref.aliases == ()
    assert story(registry, "3") == {
        "stage": "champion",
        "promoted_by": "ada",
        "promoted_at": "2026-11-21T10:00:00Z",
        "promoted_why": "better in winter",
        "former_champion": "1",
    }
    assert story(registry, "1") == {"stage": "archived"}


def test_promoting_the_champion_again_changes_nothing(registry: InMemoryRegistry) -> None:
    promote(registry, "flights", "3", ME)
    before = (dict(registry.pointers), registry.versions("flights"))
    promotion = promote(registry, "flights", "3", Actor("bob"))
    assert not promotion.changed
    assert (dict(registry.pointers), registry.versions("flights")) == before


def test_a_former_champion_can_come_back_and_its_old_story_goes(registry: InMemoryRegistry) -> None:
    promote(registry, "flights", "3", ME)
    promote(registry, "flights", "1", Actor("bob"))
    promote(registry, "flights", "3", Actor("bob"))
    assert story(registry, "3") == {
        "stage": "champion",
        "promoted_by": "bob",
        "promoted_at": "",
        "promoted_why": "",
        "former_champion": "1",
    }
    assert story(registry, "1")["stage"] == "archived"


def test_a_promotion_that_was_cut_off_is_completed_by_promoting_again(registry: InMemoryRegistry) -> None:
    registry.set_tags("flights", "3", {"nbmlops.former_champion": "1"})
    registry.set_alias("flights", "champion", "3")
    promote(registry, "flights", "3", ME)
    assert [story(registry, version)["stage"] for version in ("1", "3")] == ["archived", "champion"]
    assert registry.aliased("flights", "challenger") is None


@pytest.mark.parametrize(
    ("name", "selector", "message", "hint"),
    [
        ("flihgts", "1", "no model 'flihgts' is registered; registered: flights", "did you mean 'flights'?"),
        (
            "flights",
            "chalenger",
            "flights has no version or alias 'chalenger'; versions: 3, 2, 1; aliases: challenger, champion",
            "did you mean 'challenger'?",
        ),
        (
            "flights",
            "99",
            "flights has no version or alias '99'; versions: 3, 2, 1; aliases: challenger, champion",
            "",
        ),
    ],
)
def test_unknown_names_are_answered_with_the_known_ones(
    registry: InMemoryRegistry, name: str, selector: str, message: str, hint: str
) -> None:
    with pytest.raises(UsageError) as caught:
        promote(registry, name, selector, ME)
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_a_version_without_a_passing_verdict_is_not_promoted(registry: InMemoryRegistry) -> None:
    registry.set_tags("flights", "2", {"nbmlops.verdict": "fail"})
    with pytest.raises(GateRejected, match="flights version 2 has no passing verdict"):
        promote(registry, "flights", "2", ME)


@pytest.mark.parametrize(("to", "seen"), [("champion", "1"), ("challenger", "3")])
def test_an_alias_that_somebody_moved_meanwhile_is_a_conflict_that_names_them(
    registry: InMemoryRegistry, to: str, seen: str
) -> None:
    class Raced(InMemoryRegistry):
        def make_entry(self, name: str, tags: Mapping[str, str]) -> bool:
            if not self.calls:
                self.calls.append("bob was faster")
                promote(registry, "flights", "2", Actor("bob", "2026-11-21T10:00:01Z"), to=to)
            return super().make_entry(name, tags)

    raced = Raced(registry.models, registry.pointers, entries=registry.entries)
    with pytest.raises(Conflict) as caught:
        promote(raced, "flights", "3", ME, to=to)
    assert caught.value.message == (
        f"the {to} of flights is version 2 now, not {seen}, made so by bob at 2026-11-21T10:00:01Z"
    )
    assert registry.pointers["flights", to] == "2"
    assert set(registry.entries) == {"flights"}


def test_a_champion_that_is_not_the_expected_one_is_a_conflict(registry: InMemoryRegistry) -> None:
    with pytest.raises(Conflict, match="the champion of flights is version 1 now, not 2"):
        promote(registry, "flights", "3", ME, expected="2")
    assert promote(registry, "flights", "3", ME, expected="1").changed


@pytest.mark.parametrize("to", ["challenger", "staging", "Staging"])
def test_an_earlier_version_becomes_challenger_again(registry: InMemoryRegistry, to: str) -> None:
    promotion = promote(registry, "flights", "2", ME, to=to)
    assert (promotion.version.ref.aliases, promotion.stage, promotion.changed) == (("challenger",), "challenger", True)
    assert promotion.former is not None
    assert promotion.former.version == "3"
    assert [story(registry, version)["stage"] for version in ("1", "2", "3")] == [
        "champion",
        "challenger",
        "superseded",
    ]
    assert not promote(registry, "flights", "2", ME, to=to).changed


def test_production_and_staging_are_other_names_of_the_aliases(registry: InMemoryRegistry) -> None:
    assert promote(registry, "flights", "staging", ME, to="production").version.version == "3"
    assert promote(registry, "flights", "production", ME).changed is False


def test_a_challenger_is_archived_and_loses_its_alias(registry: InMemoryRegistry) -> None:
    promotion = promote(registry, "flights", "3", ME, to="archived")
    assert (promotion.version.aliases, story(registry, "3")["stage"]) == ((), "archived")
    assert not promote(registry, "flights", "3", ME, to="archived").changed


@pytest.mark.parametrize(
    ("to", "message"),
    [
        ("archived", "flights version 1 is the champion; without one nothing would be live"),
        ("challenger", "flights version 1 is the champion, so it cannot be its own challenger"),
        ("champoin", "a version cannot become 'champoin'"),
    ],
)
def test_the_champion_stays_what_it_is(registry: InMemoryRegistry, to: str, message: str) -> None:
    before = (dict(registry.pointers), registry.versions("flights"))
    with pytest.raises(UsageError, match=message):
        promote(registry, "flights", "1", ME, to=to)
    assert (dict(registry.pointers), registry.versions("flights")) == before


def test_rolling_back_goes_back_step_by_step(registry: InMemoryRegistry) -> None:
    promote(registry, "flights", "2", ME)
    promote(registry, "flights", "3", ME)
    first = rollback(registry, "flights", Actor("bob", "2026-11-21T11:00:00Z", "wrong since noon"))
    assert first.former is not None
    assert (first.version.version, first.former.version, first.former.aliases) == ("2", "3", ())
    assert story(registry, "2") == {
        "stage": "champion",
        "promoted_by": "bob",
        "promoted_at": "2026-11-21T11:00:00Z",
        "promoted_why": "wrong since noon",
        "former_champion": "1",
    }
    assert story(registry, "3")["stage"] == "archived"
    assert rollback(registry, "flights", ME).version.version == "1"
    with pytest.raises(UsageError, match="flights version 1 is the first champion: there is none to") as alone:
        rollback(registry, "flights", ME)
    assert alone.value.hint == "return to a later one: nbmlops rollback flights --to VERSION (3, 2) --reason TEXT"
    assert rollback(registry, "flights", ME, to="3").version.version == "3"
    lines = standing(registry, "flights").log.lines
    assert [(line.action.value, line.version, line.before.get("champion")) for line in lines] == [
        ("register", "1", ""),
        ("register", "2", None),
        ("register", "3", None),
        ("promote", "2", "1"),
        ("promote", "3", "2"),
        ("rollback", "2", "3"),
        ("rollback", "1", "2"),
        ("rollback", "3", "1"),
    ]


def test_what_cannot_be_returned_to_is_refused_with_what_can(registry: InMemoryRegistry) -> None:
    promote(registry, "flights", "3", ME)
    with pytest.raises(UsageError, match="flights version 2 never was champion"):
        rollback(registry, "flights", ME, to="2")
    with pytest.raises(UsageError, match="flights version 3 is the champion already"):
        rollback(registry, "flights", ME, to="3")
    with pytest.raises(UsageError, match="flights has no version 9"):
        rollback(registry, "flights", ME, to="9")
    promote(registry, "flights", "2", ME)
    registry.lost.add(("flights", "3"))
    with pytest.raises(EnvironmentFault) as caught:
        rollback(registry, "flights", ME)
    assert caught.value.message == ("the stored model of flights version 3 is gone, so it cannot be champion again")
    assert caught.value.hint == "return to another one: nbmlops rollback flights --to VERSION (1)"
    assert registry.pointers["flights", "champion"] == "2"


def test_a_version_whose_stored_model_is_gone_is_not_promoted(registry: InMemoryRegistry) -> None:
    registry.lost.add(("flights", "3"))
    for to in ("champion", "challenger"):
        with pytest.raises(EnvironmentFault, match=f"the stored model of flights version 3 is gone, .* be {to}"):
            promote(registry, "flights", "3", ME, to=to)
    assert registry.pointers["flights", "champion"] == "1"
    assert promote(registry, "flights", "3", ME, to="archived").changed


def test_rolling_back_from_a_champion_that_lost_its_alias_meanwhile_is_a_conflict(registry: InMemoryRegistry) -> None:
    promote(registry, "flights", "3", ME)

    class Raced(InMemoryRegistry):
        def make_entry(self, name: str, tags: Mapping[str, str]) -> bool:
            self.pointers.pop(("flights", "champion"), None)
            return super().make_entry(name, tags)

    raced = Raced(registry.models, registry.pointers, entries=registry.entries)
    with pytest.raises(Conflict, match="the champion of flights is version none now, not 3"):
        rollback(raced, "flights", ME)
    assert ("flights", "champion") not in registry.pointers


def test_a_champion_that_others_made_is_told_in_the_log_once_it_is_promoted(registry: InMemoryRegistry) -> None:
    registry.set_alias("flights", "champion", "2")
    now = standing(registry, "flights")
    assert faults(now.log, now.entry) == (
        "the champion is version 2, and the log says 1: it was moved without nbmlops",
    )
    assert promote(registry, "flights", "2", ME).changed
    now = standing(registry, "flights")
    assert faults(now.log, now.entry) == ()
    last = now.log.lines[-1]
    assert (last.action.value, last.version, dict(last.aliases), last.reason) == (
        "complete",
        "2",
        {"champion": "2"},
        "better in winter",
    )
    assert not promote(registry, "flights", "2", ME).changed


def test_a_model_without_champion_has_nothing_to_return_from(registry: InMemoryRegistry) -> None:
    registry.remove_alias("flights", "champion")
    with pytest.raises(UsageError, match="flights has no version or alias 'champion'"):
        rollback(registry, "flights", ME)


def test_the_beginning_of_a_stage_is_a_hint(registry: InMemoryRegistry) -> None:
    with pytest.raises(UsageError) as caught:
        promote(registry, "flights", "2", ME, to="prod")
    assert caught.value.hint == "did you mean 'production'?"
