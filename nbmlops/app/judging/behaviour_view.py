"""What behaviour tests found, as it shows itself in a notebook and in a step."""

from __future__ import annotations

from msgspec import Struct

from nbmlops.app.show.cards import Card, Table
from nbmlops.app.show.views import View
from nbmlops.core.records import BehaviourOutcome, BehaviourRecord

_WORDS = {
    BehaviourOutcome.PASS: "PASS",
    BehaviourOutcome.FAIL: "FAIL",
    BehaviourOutcome.ERROR: "ERROR",
    BehaviourOutcome.NOT_RUN: "NOT RUN",
}
HEAD = ("outcome", "behaviour test", "what it found")


class BehaviourView(View, Struct, frozen=True):
    """Behaviour tests that were run."""

    records: tuple[BehaviourRecord, ...]

    @property
    def passed(self) -> bool:
        """Whether all of them passed."""
        return all(record.passed for record in self.records)

    def card(self) -> Card:
        """Returns how many passed, and one row for each test."""
        good, count = sum(record.passed for record in self.records), len(self.records)
        title = f"{good} of {count} behaviour test{'' if count == 1 else 's'} passed"
        rows = tuple(behaviour_cells(record) for record in self.records)
        return Card("PASS" if self.passed else "FAIL", title, (Table("behaviour tests", HEAD, rows),))


def behaviour_cells(record: BehaviourRecord) -> tuple[str, str, str]:
    """Returns a test as the row of a table under `HEAD`."""
    said = record.message or "; ".join(map(str, record.expectations))
    return _WORDS[record.outcome], record.name, said
