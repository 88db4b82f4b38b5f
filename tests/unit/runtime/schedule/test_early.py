from __future__ import annotations

import pytest
from msgspec.structs import replace

from nbmlops.pipeline.run_record import LiveValue, StepLog
from nbmlops.runtime.reuse.plan import Grounds
from nbmlops.runtime.reuse.records import CacheRecord, FileState, KeyParts, StepOutcome
from nbmlops.runtime.schedule.early import Beside, disorder, lasting, obstacles
from nbmlops.runtime.steps.context import Remains, StepReport

PARTS = KeyParts("c", {}, {}, {"x": "1"}, {})
WROTE = StepOutcome(written=("a",))


def test_what_ran_early_counts_if_it_is_what_its_turn_would_give() -> None:
    record = CacheRecord("b", "k", PARTS, StepOutcome(files={"a": FileState("1")}))
    assert obstacles(record, PARTS, Grounds(files={"a": "1"}), []) == ()
    assert obstacles(record, PARTS, Grounds(files={"a": "2"}), []) == ("file changed: a",)
    assert obstacles(record, replace(PARTS, inputs={"x": "2"}), Grounds(files={"a": "1"}), []) == ("input x changed",)


def test_two_that_wrote_the_same_file_and_values_that_cannot_be_stored_are_obstacles() -> None:
    live = replace(WROTE, live=(LiveValue("g", "generator", "no"),))
    found = obstacles(CacheRecord("b", "k", PARTS, live), PARTS, Grounds(), [Beside("a", WROTE)])
    assert found == ("step a changed a, too", "it left values that cannot be stored")


def test_a_file_seen_as_a_later_step_left_it_is_an_error_of_the_earlier_one() -> None:
    read, wrote = Beside("first", StepOutcome(files={"a": FileState("1")})), Beside("second", WROTE)
    found = [disorder(read, [], [wrote], "tea"), disorder(wrote, [read], [], "tea")]
    assert found[0] == found[1]
    assert found[0] is not None
    assert "step 'first' ran at once with others" in found[0].message
    assert found[0].hint.endswith("nbmlops run tea --jobs 1")
    assert disorder(wrote, [], [read], "tea") is None


def failed(remains: Remains | None) -> StepReport:
    return StepReport(None, StepLog(), None, remains)


@pytest.mark.parametrize(
    ("report", "what"),
    [
        (StepReport(WROTE, StepLog(), None), ""),
        (StepReport(replace(WROTE, altered=("log",)), StepLog(), None), "it has changed log already"),
        (failed(Remains((), ("log",))), "it has changed log already"),
        (failed(Remains(("b",), ())), ""),
        (failed(Remains(("a", "b"), ())), "step 'first' may have seen a as it left it when it failed"),
        (failed(None), "it failed, and what it had changed by then is not known; step 'first' may have seen it"),
    ],
)
def test_what_running_again_does_not_mend_is_told(report: StepReport, what: str) -> None:
    assert lasting(report, [Beside("first", StepOutcome(files={"a": FileState("1")}))]) == what


def test_nobody_has_seen_what_a_step_left_that_ran_beside_nobody() -> None:
    assert lasting(failed(None), []) == ""
