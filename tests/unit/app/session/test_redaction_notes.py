"""What the user is told of what was taken out."""

from __future__ import annotations

from nbmlops.app.session.redaction_notes import redaction_notes
from nbmlops.tracking.redaction import Redaction

TAKEN = "secret taken out of what was stored: "
ALLOW = "no secret? [redaction] allow"


def test_kinds_places_and_the_setting():
    found = [Redaction("value of api_key", f"cell {number}") for number in range(1, 6)]
    found.append(Redaction("AWS Access Key", "parameter x"))
    assert redaction_notes(found) == (
        f'{TAKEN}value of api_key, in cell 1, cell 2, cell 3 and 2 more ({ALLOW} = ["api_key"] in nbmlops.toml)',
        f"{TAKEN}AWS Access Key, in parameter x (no secret? its text in [redaction] allow in nbmlops.toml)",
    )


def test_many_kinds_and_none():
    assert redaction_notes(Redaction(f"kind {number}", "x") for number in range(6))[-1] == (
        "and 2 more kinds of secrets were taken out of what was stored"
    )
    assert redaction_notes(()) == ()
