from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from msgspec.structs import replace

from nbmlops.core.errors import EnvironmentFault, UsageError
from nbmlops.registry.audit import Action, AuditLine, line_tags
from nbmlops.registry.read_story import find_run, read_run_story, read_story, when
from nbmlops.registry.registry import ModelVersion
from nbmlops.registry.story import HistoryLine, LaterVersion, Trace, history_of, later_versions
from nbmlops.registry.story_codec import story_to_json
from nbmlops.tracking.lineage import verdict_tags
from tests.fakes.in_memory import InMemoryRegistry, InMemoryTracker
from tests.fakes.told import COMMITS, provenance, tell

SCHEMA = Path(__file__).parents[3] / "docs" / "reference" / "schemas" / "lineage.json"


@pytest.fixture
def stores() -> tuple[InMemoryTracker, InMemoryRegistry]:
    tracker, registry = InMemoryTracker(), InMemoryRegistry()
    tell(tracker, registry)
    return tracker, registry


WAIVED = '[{"by":"ann","reason":"no smaller one exists","rule":"size"}]'


def test_a_version_tells_the_verdict_that_let_it_in_whatever_its_run_was_judged_later(stores):
    tracker, registry = stores
    version = registry.versions("flights")[-1]
    before = read_story(registry, tracker, version).run
    worse = verdict_tags(passed=False, digest="f" * 64, summary="FAIL (0 of 1 rule passed)")
    tracker.set_tags(version.run_id, worse)
    story = read_story(registry, tracker, version)
    assert before is not None
    assert story.run is not None
    assert story.run.gate == replace(before.gate, verdict=None)
    assert story.notes == ("its run was judged again later; the verdict is the version's own",)
    run = read_run_story(registry, tracker, tracker.run_facts(version.run_id)).run
    assert run is not None
    assert (run.gate.passed, run.gate.summary) == (False, "FAIL (0 of 1 rule passed)")


def test_a_version_tells_where_it_comes_from_and_what_became_of_it(stores):
    tracker, registry = stores
    second, first = registry.versions("flights")
    story = read_story(registry, tracker, first)
    assert story.version is not None
    assert story.run is not None
    assert story.version.transitions == (
        HistoryLine("2026-11-21T10:00:00+00:00", "registered", "ann"),
        HistoryLine("2026-11-21T10:00:00+00:00", "became champion (Production)", "ann"),
        HistoryLine(
            "2026-11-21T11:00:00+00:00",
            "no longer champion (Production): version 2 took over",
            "bob",
            "better <b>AUC</b>",
        ),
    )
    assert story.version.later == (LaterVersion("2", "took over from it as champion"),)
    assert (story.run.commit, story.run.dirty) == (COMMITS[0], False)
    assert story.run.traces == (Trace("load", 0, "executed", 1.5, ("flights",)), Trace("train", 0, "cached", 0.0))
    assert story.run.provenance == provenance(1)
    assert story.run.gate is not None
    assert story.run.gate.verdict is not None
    assert story.notes == ()
    assert [line.what for line in read_story(registry, tracker, second).version.transitions] == [
        "registered",
        "became challenger (Staging)",
        "became champion (Production), taking over from version 1",
    ]


def test_the_log_tells_of_rollbacks_and_of_what_was_given_up():
    lines = (
        AuditLine(1, "t1", "ann", Action.REGISTER, "m", "1", {"champion": "1"}, {"champion": ""}, waived=WAIVED),
        AuditLine(2, "t2", "ann", Action.PROMOTE, "m", "2", {"champion": "2"}, {"champion": "1"}),
        AuditLine(3, "t3", "bob", Action.ROLLBACK, "m", "1", {"champion": "1"}, {"champion": "2"}, "it was slow"),
        AuditLine(4, "t4", "bob", Action.ABANDON, "m", "2", {"champion": "2"}, {"champion": "1"}),
        AuditLine(5, "t5", "bob", Action.ARCHIVE, "m", "2"),
    )
    log = {name: text for line in lines for name, text in line_tags(line).items()}
    first, second = ModelVersion("m", "1", tags=log), ModelVersion("m", "2")
    assert history_of(first, (second, first), "t0") == (
        HistoryLine("t1", "registered, waived: size by ann: no smaller one exists", "ann"),
        HistoryLine("t1", "became champion (Production)", "ann"),
        HistoryLine("t2", "no longer champion (Production): version 2 took over", "ann"),
        HistoryLine("t3", "became champion (Production) again, taking over from version 2", "bob", "it was slow"),
        HistoryLine("t4", "a promotion in its place was given up", "bob"),
    )
    assert history_of(second, (second, first), "t0") == (
        HistoryLine("t0", "registered"),
        HistoryLine("t2", "became champion (Production), taking over from version 1", "ann"),
        HistoryLine("t3", "rolled back champion (Production): version 1 is it again", "bob", "it was slow"),
        HistoryLine("t4", "a promotion of it was given up", "bob"),
        HistoryLine("t5", "archived", "bob"),
    )


def test_versions_from_before_the_log_tell_by_their_tags():
    tags = {"nbmlops.promoted_at": "t1", "nbmlops.promoted_by": "ann", "nbmlops.stage": "archived"}
    first = ModelVersion("m", "1", tags=tags)
    over = {"nbmlops.former_champion": "1", "nbmlops.promoted_at": "t2", "nbmlops.promoted_by": "bob"}
    second = ModelVersion("m", "2", tags={**over, "nbmlops.promoted_why": "better"})
    assert history_of(first, (second, first), "t0") == (
        HistoryLine("t0", "registered"),
        HistoryLine("t1", "became champion (Production)", "ann"),
        HistoryLine("t2", "archived: version 2 became champion", "bob"),
    )
    assert history_of(second, (second, first), "t1")[1] == HistoryLine(
        "t2", "became champion (Production), taking over from version 1", "bob", "better"
    )


def test_a_challenger_and_what_was_judged_against_a_version():
    challenger = ModelVersion("m", "2", tags={"nbmlops.stage": "challenger", "nbmlops.verdict_baseline": "m version 1"})
    superseded = replace(challenger, version="3", tags={"nbmlops.stage": "superseded"})
    assert history_of(challenger, (), "2026") == (
        HistoryLine("2026", "registered"),
        HistoryLine("2026", "became challenger (Staging)"),
    )
    assert history_of(superseded, (), "2026")[-1] == HistoryLine("", "superseded as challenger by a later version")
    first = ModelVersion("m", "1")
    assert later_versions(first, (superseded, challenger, first)) == (LaterVersion("2", "was judged against it"),)
    assert later_versions(superseded, (superseded, challenger, first)) == ()


def test_a_run_tells_which_versions_it_made(stores):
    tracker, registry = stores
    facts = tracker.run_facts(f"{1:032x}")
    story = read_run_story(registry, tracker, facts)
    assert [(one.name, one.version) for one in story.made] == [("flights", "1")]
    assert story.subject == "run run 1"


def test_what_cannot_be_read_is_said(stores, monkeypatch):
    tracker, registry = stores
    (second, _) = registry.versions("flights")

    def away(run_id: str, name: str) -> None:
        raise EnvironmentFault("the disk is gone")

    monkeypatch.setattr(tracker, "read_document", away)
    story = read_story(registry, tracker, second)
    assert story.notes == ("the artifacts of the run cannot be read: the disk is gone",)
    assert story.run.gate.summary == "PASS (2 of 2 rules passed)"
    tracker.runs.clear()
    assert read_story(registry, tracker, second).notes == (f"its run cannot be read: there is no run {2:032x}",)
    foreign = read_story(registry, tracker, ModelVersion("flights", "7"))
    assert foreign.notes == ("the version names no run: it was not registered by nbmlops",)


def test_a_verdict_that_was_replaced_since_is_not_shown_as_the_one_that_counted(stores):
    tracker, registry = stores
    (second, _) = registry.versions("flights")
    tracker.documents[second.run_id, "verdict.json"] = tracker.documents[f"{1:032x}", "verdict.json"]
    assert read_story(registry, tracker, second).run.gate.verdict is None


def test_the_document_keeps_its_schema(stores):
    tracker, registry = stores
    schema = json.loads(SCHEMA.read_text("utf-8"))
    for story in (
        *(read_story(registry, tracker, version) for version in registry.versions("flights")),
        read_run_story(registry, tracker, tracker.run_facts(f"{3:032x}")),
        read_story(registry, tracker, ModelVersion("flights", "7")),
    ):
        document = story_to_json(story)
        jsonschema.validate(document, schema)
        assert json.loads(json.dumps(document, allow_nan=False)) == document


def test_runs_are_found_by_the_beginning_of_their_id(stores):
    tracker, _ = stores
    assert find_run(tracker, f"{2:032x}").name == "run 2"
    with pytest.raises(UsageError, match="the ids of several runs begin with '0000'"):
        find_run(tracker, "0000")
    with pytest.raises(UsageError, match="there is no run 'abcd'; the newest: 00000000 \\(run 2\\)"):
        find_run(tracker, "abcd")


def test_times():
    assert when(0) == ""
    assert when(1_700_000_000_123) == "2023-11-14T22:13:20+00:00"
