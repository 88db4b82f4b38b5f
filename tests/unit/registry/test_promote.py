from __future__ import annotations

import pytest

from nbmlops.core.errors import Conflict, GateRejected, UsageError
from nbmlops.gate.verdict import Outcome, RuleResult, Verdict
from nbmlops.pipeline.run_record import Lineage
from nbmlops.registry.promote import Promoter, make_champion, promote
from nbmlops.registry.register import register
from nbmlops.registry.registry import Candidate
from tests.fakes.in_memory import InMemoryRegistry

PASS = Verdict(True, (RuleResult("floor", "auc", 0.8, ">= 0.7", None, Outcome.PASS),))
ME = Promoter("ada", "2026-11-21T10:00:00Z", "better in winter")


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
    assert promotion.champion.ref.version == "3"
    assert promotion.champion.aliases == ("champion",)
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
    promotion = promote(registry, "flights", "3", Promoter("bob"))
    assert not promotion.changed
    assert (dict(registry.pointers), registry.versions("flights")) == before


def test_a_former_champion_can_come_back_and_its_old_story_goes(registry: InMemoryRegistry) -> None:
    promote(registry, "flights", "3", ME)
    promote(registry, "flights", "1", Promoter("bob"))
    promote(registry, "flights", "3", Promoter("bob"))
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


def test_an_alias_that_somebody_moved_meanwhile_is_a_conflict(registry: InMemoryRegistry) -> None:
    seen = registry.aliased("flights", "champion")
    third, second = registry.versions("flights")[:2]
    registry.set_alias("flights", "champion", second.version)
    with pytest.raises(Conflict, match="the champion of flights is version 2 now, not 1"):
        make_champion(registry, third, seen, ME)
    assert registry.pointers["flights", "champion"] == "2"
