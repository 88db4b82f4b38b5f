from __future__ import annotations

import pytest
from msgspec.structs import replace

from nbmlops.runtime.ambient.ambient import Setting
from nbmlops.runtime.ambient.figures import FigureDisplay
from nbmlops.runtime.reuse.records import FileState, StepOutcome
from nbmlops.runtime.schedule.conflicts import FORESEEN, changes, clashes, feeds, read_of
from nbmlops.runtime.steps.listings import Listing, Question
from nbmlops.runtime.store.store import ObjectRef

NOTHING = StepOutcome()
WRITES = StepOutcome(written=("out/a.csv",), altered=("log.txt",))
DRAWS = StepOutcome(random_used=True)
SETS = StepOutcome(settings={"pandas": Setting(ObjectRef("0" * 64, 1), "x")})


@pytest.mark.parametrize(
    ("earlier", "later", "found"),
    [
        (NOTHING, NOTHING, ""),
        (DRAWS, DRAWS, "the random generators"),
        (DRAWS, NOTHING, ""),
        (SETS, StepOutcome(settings_before={"pandas": ""}), "pandas"),
        (SETS, StepOutcome(settings_before={"numpy": ""}), ""),
        (WRITES, StepOutcome(files={"out/a.csv": FileState("x")}), "out/a.csv"),
        (WRITES, StepOutcome(files={"log.txt": FileState("x")}), "log.txt"),
        (WRITES, StepOutcome(files={"out/b.csv": FileState("x")}), ""),
        (WRITES, StepOutcome(listings={Listing(Question.GLOB, "out", "*.csv"): ""}), "out/a.csv"),
        (WRITES, StepOutcome(listings={Listing(Question.NAMES, "."): ""}), "log.txt"),
        (WRITES, StepOutcome(listings={Listing(Question.NAMES, "in"): ""}), ""),
    ],
)
def test_what_a_step_may_depend_on_of_another(earlier: StepOutcome, later: StepOutcome, found: str) -> None:
    assert feeds(earlier, later) == found


def test_a_folder_that_is_changed_stands_for_all_that_is_in_it() -> None:
    removes = StepOutcome(altered=("out",))
    assert read_of(StepOutcome(files={"out/a.csv": FileState("x")}), changes(removes)) == "out"
    assert clashes(removes, WRITES) == "out/a.csv"
    assert clashes(removes, replace(WRITES, written=("output",))) == ""


def test_what_a_step_is_given_as_it_is_foreseen_is_no_reason_to_wait() -> None:
    later = StepOutcome(settings_before={"pandas": "", "random": ""})
    assert feeds(SETS, later, {"pandas"}) == ""
    assert feeds(SETS, later, {"numpy"}) == "pandas"
    assert {FigureDisplay.name} == FORESEEN  # anything else may decide where a step writes, or what
