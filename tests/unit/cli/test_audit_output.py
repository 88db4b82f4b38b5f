from __future__ import annotations

import csv
import io
import json

from msgspec.structs import replace

from nbmlops.app.versions.audit import ModelAudit
from nbmlops.cli.audit_output import audit_blocks, audit_document, csv_text, json_lines, verify_blocks
from nbmlops.cli.blocks import plain
from nbmlops.gate.verdict import Outcome, RuleResult, Verdict, Waiver, waived_text
from nbmlops.registry.audit import Action, AuditLine, line_from_json, table_row

FIRST = AuditLine(
    1, "2026-11-21T10:00:00Z", "ada", Action.REGISTER, "flights", "1", {"champion": "1"}, {"champion": ""}
)
SECOND = AuditLine(
    number=2,
    when="2026-11-21T11:00:00Z",
    who="bob",
    action=Action.ROLLBACK,
    model="flights",
    version="1",
    aliases={"champion": "1"},
    before={"champion": "2"},
    reason='=HYPERLINK("http://x"), "late"',
    verdict="v" * 64,
    previous=FIRST.hash,
)
INTACT = ModelAudit("flights", (FIRST, SECOND))
BROKEN = ModelAudit("trains", (FIRST,), ("line 1 was altered",), "eve (process 7 on host)")


def test_the_log_is_a_table_for_each_model() -> None:
    assert plain(list(audit_blocks((INTACT, BROKEN)))) == (
        "flights\n"
        "  line  when                  who  did       version  moved               why\n"
        "     1  2026-11-21T10:00:00Z  ada  register        1  champion: none → 1\n"
        "     2  2026-11-21T11:00:00Z  bob  rollback        1  champion: 2 → 1     "
        '=HYPERLINK("http://x"), "late"\n'
        "\n"
        "trains\n"
        "  line  when                  who  did       version  moved               why\n"
        "     1  2026-11-21T10:00:00Z  ada  register        1  champion: none → 1\n"
        "\n"
        "trains: line 1 was altered\n"
        "trains: being changed by eve (process 7 on host)\n"
    )
    assert plain(list(audit_blocks(()))) == "no model is registered\n"


def test_waived_rules_stand_beside_the_reason() -> None:
    waived = canonical_waivers(("size", "no smaller one exists"), ("auc floor", "holidays, ticket 81"))
    line = replace(FIRST, reason="ready", waived=waived)
    assert table_row(line)[-1] == (
        "ready; waived: size by ann: no smaller one exists; auc floor by ann: holidays, ticket 81"
    )
    assert table_row(replace(FIRST, waived=waived))[-1].startswith("waived: size by ann")
    assert table_row(replace(FIRST, waived="[7]"))[-1] == "waived: [7]"


def canonical_waivers(*given: tuple[str, str]) -> str:
    waivers = [Waiver(rule, reason, "ann") for rule, reason in given]
    results = tuple(RuleResult(one.rule, "auc", 0.1, "", None, Outcome.WAIVED, "", waiver=one) for one in waivers)
    return waived_text(Verdict(True, results))


def test_verifying_says_one_line_for_each_model_or_what_is_wrong() -> None:
    assert plain(list(verify_blocks((INTACT, BROKEN)))) == (
        "flights: 2 lines, intact\ntrains: line 1 was altered\ntrains: being changed by eve (process 7 on host)\n"
    )


def test_exported_lines_are_read_again_with_their_hashes() -> None:
    rows = [json.loads(row) for row in json_lines((INTACT, BROKEN)).splitlines()]
    hashes = [row.pop("hash") for row in rows]
    lines = [line_from_json(row) for row in rows]
    assert (lines, hashes) == ([FIRST, SECOND, FIRST], [FIRST.hash, SECOND.hash, FIRST.hash])


def test_a_spreadsheet_takes_no_text_of_a_user_for_a_formula() -> None:
    head, first, second = csv.reader(io.StringIO(csv_text((INTACT,))))
    assert head[-4:] == ["reason", "verdict", "waived", "hash"]
    assert first[:7] == ["1", FIRST.when, "ada", "register", "flights", "1", '{"champion": "1"}']
    assert second[-4] == "'" + SECOND.reason


def test_the_document_says_whether_a_log_is_broken() -> None:
    assert audit_document((INTACT,))["status"] == "intact"
    document = audit_document((INTACT, BROKEN))
    assert document["status"] == "broken"
    assert [model["model"] for model in document["models"]] == ["flights", "trains"]
