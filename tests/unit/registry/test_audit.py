from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from nbmlops.core.errors import UsageError
from nbmlops.gate.verdict import Outcome, RuleResult, Verdict
from nbmlops.pipeline.run_record import Lineage
from nbmlops.registry.audit import (
    Action,
    AuditLine,
    AuditLog,
    Head,
    faults,
    head_tags,
    line_from_json,
    line_tags,
    line_to_json,
    read_log,
)
from nbmlops.registry.promote import promote
from nbmlops.registry.register import register
from nbmlops.registry.registry import Candidate, ModelVersion, NameEntry
from nbmlops.registry.transitions import Actor, standing
from tests.fakes.in_memory import InMemoryRegistry

PASS = Verdict(True, (RuleResult("floor", "auc", 0.8, ">= 0.7", None, Outcome.PASS),))
FIRST = AuditLine(
    1, "2026-11-21T10:00:00Z", "ada", Action.REGISTER, "flights", "1", {"champion": "1"}, {"champion": ""}
)
SECOND = replace(FIRST, number=2, action=Action.PROMOTE, version="2", reason="b\u00e4tter", previous=FIRST.hash)


@pytest.fixture
def registry() -> InMemoryRegistry:
    made = InMemoryRegistry()
    for run in (1, 2, 3):
        me = Actor("ada", f"2026-11-21T10:00:0{run}Z")
        register(PASS, Candidate("flights", f"run{run}", object(), f"digest{run}", None, Lineage()), made, actor=me)
    promote(made, "flights", "3", Actor("bob", "2026-11-21T11:00:00Z", "better in winter"))
    return made


def found(registry: InMemoryRegistry, *seen: AuditLine) -> tuple[str, ...]:
    now = standing(registry, "flights")
    return faults(now.log, now.entry, seen)


def rewrite(registry: InMemoryRegistry, version: str, tag: str, text: str | None) -> None:
    versions = registry.models["flights"]
    index = int(version) - 1
    tags = {name: value for name, value in versions[index].tags.items() if name != tag}
    versions[index] = replace(versions[index], tags=tags if text is None else {**tags, tag: text})


def test_every_change_is_one_line(registry: InMemoryRegistry) -> None:
    lines = standing(registry, "flights").log.lines
    told = [(line.number, line.who, line.action, line.version, dict(line.before), dict(line.aliases)) for line in lines]
    assert told == [
        (1, "ada", Action.REGISTER, "1", {"champion": ""}, {"champion": "1"}),
        (2, "ada", Action.REGISTER, "2", {"challenger": ""}, {"challenger": "2"}),
        (3, "ada", Action.REGISTER, "3", {"challenger": "2"}, {"challenger": "3"}),
        (
            4, "bob", Action.PROMOTE, "3",
            {"champion": "1", "challenger": "3"}, {"champion": "3", "challenger": ""},
        ),
    ]  # fmt: skip
    assert lines[-1].reason == "better in winter"
    assert [line.previous for line in lines] == ["", *(line.hash for line in lines[:-1])]
    assert found(registry, *lines[:2]) == ()


def test_a_line_is_read_as_it_was_written() -> None:
    assert line_from_json(json.loads(json.dumps(line_to_json(SECOND)))) == SECOND
    version = ModelVersion("flights", "2", tags={**line_tags(SECOND), "nbmlops.audit_head": "no line"})
    assert read_log(NameEntry("flights", head_tags(SECOND)), [version]) == AuditLog((SECOND,), Head(2, SECOND.hash))


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "nbmlops/audit/2"},
        {"number": "1"},
        {"number": True},
        {"action": "forget"},
        {"who": None},
        {"aliases": {"champion": 1}},
        {"aliases": []},
        {"more": "text"},
    ],
)
def test_what_is_no_line_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="line of an audit log"):
        line_from_json({**line_to_json(FIRST), **change})


def test_an_altered_line_is_found(registry: InMemoryRegistry) -> None:
    lines = standing(registry, "flights").log.lines
    rewrite(registry, "2", "nbmlops.audit.000002", line_tags(replace(lines[1], who="eve"))["nbmlops.audit.000002"])
    assert found(registry) == ("line 2 was altered, or line 3 does not belong here",)


def test_an_altered_last_line_is_found_by_the_head(registry: InMemoryRegistry) -> None:
    lines = standing(registry, "flights").log.lines
    rewrite(registry, "3", "nbmlops.audit.000004", line_tags(replace(lines[3], reason=""))["nbmlops.audit.000004"])
    assert found(registry) == ("line 4 was altered",)


def test_a_removed_line_is_found(registry: InMemoryRegistry) -> None:
    rewrite(registry, "2", "nbmlops.audit.000002", None)
    assert found(registry) == ("line 2 is missing",)


def test_a_cut_off_end_is_found(registry: InMemoryRegistry) -> None:
    rewrite(registry, "3", "nbmlops.audit.000004", None)
    assert found(registry) == ("line 4 is missing",)


def test_a_line_that_is_no_json_is_found(registry: InMemoryRegistry) -> None:
    rewrite(registry, "2", "nbmlops.audit.000002", "{")
    assert found(registry) == ("the tag nbmlops.audit.000002 of version 2 holds no line", "line 2 is missing")


def test_a_missing_or_stale_head_is_found(registry: InMemoryRegistry) -> None:
    head = registry.entries["flights"].tags["nbmlops.audit_head"]
    registry.tag_entry("flights", {"nbmlops.audit_head": "nothing"})
    assert found(registry) == ("the name says nothing of the last line",)
    first = standing(registry, "flights").log.lines[0]
    registry.tag_entry("flights", {"nbmlops.audit_head": f"1 {first.hash}"})
    assert found(registry) == ("the name says that line 1 is the last one, and there is line 4",)
    registry.tag_entry("flights", {"nbmlops.audit_head": head})
    assert found(registry) == ()


def test_a_log_written_anew_is_found_by_what_was_exported(registry: InMemoryRegistry) -> None:
    exported = standing(registry, "flights").log.lines
    head = ""
    for line in exported:
        forged = replace(line, who="eve", previous=head)
        head = forged.hash
        (tag, text) = next(iter(line_tags(forged).items()))
        rewrite(registry, line.version, tag, text)
    registry.tag_entry("flights", {"nbmlops.audit_head": f"4 {head}"})
    assert found(registry) == ()
    assert found(registry, *exported[:2]) == (
        "line 1 is not what it was when it was exported",
        "line 2 is not what it was when it was exported",
    )


def test_an_alias_that_others_moved_is_told(registry: InMemoryRegistry) -> None:
    registry.set_alias("flights", "champion", "2")
    assert found(registry) == ("the champion is version 2, and the log says 3: it was moved without nbmlops",)


def test_the_next_line_follows_what_is_known_last(registry: InMemoryRegistry) -> None:
    log = standing(registry, "flights").log
    last = log.lines[-1]
    assert log.end == Head(4, last.hash)
    assert replace(log, head=None).end == Head(4, last.hash)
    assert replace(log, head=Head(1, "x")).end == Head(4, last.hash)
    assert replace(log, lines=()).end == Head(4, last.hash)
    assert AuditLog().end == Head(0, "")
