from __future__ import annotations

import pytest

from nbmlops.app.show.cards import tone
from nbmlops.app.versions.audit import ModelAudit
from nbmlops.app.versions.promote import PromoteOutcome
from nbmlops.core.errors import UsageError
from nbmlops.ipython.registry_commands import AuditView, PromoteView, audit
from nbmlops.pipeline.run_record import Lineage, ModelVersionRef
from nbmlops.registry.audit import Action, AuditLine

FIRST = AuditLine(
    1, "2026-11-21T10:00:00Z", "ada", Action.REGISTER, "flights", "1", {"champion": "1"}, {"champion": ""}
)
VERSION, FORMER = ModelVersionRef("flights", "2", ("champion",)), ModelVersionRef("flights", "1")


def test_a_promotion_says_what_the_version_is_and_what_became_of_the_former_one() -> None:
    view = PromoteView(PromoteOutcome(VERSION, "champion", Lineage(), FORMER, changed=True))
    assert repr(view) == "CHAMPION flights version 2\narchived: version 1, the champion until now"
    again = PromoteView(PromoteOutcome(VERSION, "champion", Lineage(), None, changed=False))
    assert repr(again) == "UNCHANGED flights version 2 was champion already"


def test_an_audit_shows_lines_and_what_is_wrong() -> None:
    view = AuditView((ModelAudit("flights", (FIRST,), ("line 1 was altered",)),))
    assert repr(view).splitlines() == [
        "BROKEN audit log of flights",
        "flights:",
        "  line  when                  who  did       version  moved               why",
        "  1     2026-11-21T10:00:00Z  ada  register  1        champion: none → 1",
        "flights: line 1 was altered",
    ]
    assert tone(view.card()) == "bad"
    assert tone(AuditView((ModelAudit("flights", (FIRST,)),)).card()) == "good"
    assert repr(AuditView(())) == "AUDIT no model is registered"


def test_what_the_command_line_says_is_answered_with_how_a_notebook_says_it() -> None:
    with pytest.raises(UsageError, match="'verify' is no model") as caught:
        audit({"model": "verify"})
    assert caught.value.hint.startswith("write `%mlops audit MODEL --against FILE`")
