from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from nbmlops.core.errors import UsageError
from nbmlops.pipeline.ir import Pipeline, Step, StepMode
from nbmlops.runtime.reuse.plan import Grounds, ground_changes, part_changes, select, select_only, step_key, why
from nbmlops.runtime.reuse.records import CacheRecord, FileState, KeyParts, StepOutcome
from nbmlops.runtime.steps.listings import Listing, Question
from nbmlops.runtime.store.store import ObjectRef
from nbmlops.runtime.store.stored import Codec, StoredValue

PARTS = KeyParts("code", {}, {"max_depth": "3"}, {"X_train": "frame 12"}, {"python": "3.11.1"})
MONTHS = Listing(Question.PATH_GLOB, "data", "*.csv")
FLAG, OUT, OLD = (Listing(Question.KIND, *place) for place in ((".", "flag"), ("data", "out"), ("data", "old")))
OUTCOME = StepOutcome(
    values=(StoredValue("model", Codec.PICKLE, ObjectRef("ab", 1), "12", "Model"),),
    files={"data/x.csv": FileState("12", 3, 4)},
    written=("report.csv",),
)
RECORD = CacheRecord("train", "key", PARTS, OUTCOME, {"pandas": "3.1.0"})
SAME = Grounds({"data/x.csv": "12"}, {"pandas": "3.1.0"})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"code": "other"}, "code changed"),
        ({"edited": {"flights/train.py": "12"}}, "flights/train.py was edited"),
        ({"parameters": {"max_depth": "4"}}, "parameter max_depth changed"),
        ({"inputs": {"X_train": "frame 34"}}, "input X_train changed"),
        ({"environment": {"python": "3.12.0"}}, "environment changed: python 3.11.1 -> 3.12.0"),
        (
            {"environment": {"python": "3.11.1", "OMP_NUM_THREADS": "2"}},
            "environment changed: OMP_NUM_THREADS absent -> 2",
        ),
    ],
)
def test_everything_in_the_key_changes_it_and_says_so(change: dict[str, Any], reason: str) -> None:
    other = replace(PARTS, **change)
    assert step_key("train", other) != step_key("train", PARTS)
    assert part_changes(other, PARTS) == (reason,)
    assert why(other, RECORD, ()) == reason


def test_the_key_is_that_of_the_step() -> None:
    assert step_key("train", PARTS) == step_key("train", replace(PARTS))
    assert step_key("train", PARTS) != step_key("test", PARTS)


@pytest.mark.parametrize(
    ("record", "now", "reasons"),
    [
        (RECORD, SAME, ()),
        (RECORD, replace(SAME, files={"data/x.csv": "34"}), ("file changed: data/x.csv",)),
        (RECORD, replace(SAME, files={}), ("file changed: data/x.csv",)),
        (
            replace(RECORD, outcome=replace(RECORD.outcome, files={"/data/x.csv": FileState("12")})),
            replace(
                SAME, files={"/data/x.csv": "34"}, missing_files=("/data/y.csv", "z.csv"), root="/data/work/project"
            ),
            ("file changed: ../../x.csv", "file is gone: ../../y.csv", "file is gone: z.csv"),
        ),
        (RECORD, replace(SAME, libraries={"pandas": "3.1.1"}), ("environment changed: pandas 3.1.0 -> 3.1.1",)),
        (RECORD, replace(SAME, libraries={}), ("environment changed: pandas 3.1.0 -> absent",)),
        (RECORD, replace(SAME, missing_files=("report.csv",)), ("file is gone: report.csv",)),
        (RECORD, replace(SAME, missing_values=("model",)), ("stored value of model is gone",)),
        (
            replace(RECORD, outcome=replace(OUTCOME, listings={MONTHS: "12"})),
            replace(SAME, listings={MONTHS: "34"}),
            ("other files match data/*.csv",),
        ),
        (
            replace(RECORD, outcome=replace(OUTCOME, listings={MONTHS: "12"})),
            replace(SAME, listings={MONTHS: "12"}),
            (),
        ),
        (
            replace(RECORD, outcome=replace(OUTCOME, listings={FLAG: "", OUT: "file", OLD: "file"})),
            replace(SAME, listings={FLAG: "file", OUT: "folder", OLD: ""}),
            ("flag is there now", "data/old is gone", "data/out is a folder now"),
        ),
        (
            replace(RECORD, outcome=replace(OUTCOME, variables={"SITE": "12", "OTHER": ""})),
            replace(SAME, variables={"SITE": "34", "OTHER": ""}),
            ("the variable SITE changed",),
        ),
        (RECORD, replace(SAME, random="12"), ()),
        (
            replace(RECORD, outcome=replace(OUTCOME, random_used=True)),
            replace(SAME, random="12"),
            ("the state of the random generators changed",),
        ),
        (
            replace(RECORD, outcome=replace(OUTCOME, settings_before={"pandas options": "12", "locale": ""})),
            replace(SAME, settings={"pandas options": "34", "locale": ""}),
            ("pandas options changed",),
        ),
        (
            replace(RECORD, outcome=replace(OUTCOME, unkeyable="it reads from the network")),
            SAME,
            ("never reused: it reads from the network",),
        ),
    ],
)
def test_a_record_counts_as_long_as_its_ground_holds(
    record: CacheRecord, now: Grounds, reasons: tuple[str, ...]
) -> None:
    assert ground_changes(record, now) == reasons


def test_reasons_are_few() -> None:
    assert why(PARTS, None, ()) == "new"
    assert why(PARTS, RECORD, ()) == "new"
    assert why(PARTS, replace(RECORD, key=""), ("file changed: x",)) == "file changed: x"
    many = replace(PARTS, code="other", parameters={f"p{n}": "1" for n in range(5)})
    assert why(many, RECORD, ()) == "code changed; parameter max_depth changed; parameter p0 changed; and 4 more"


def step(name: str, *after: str) -> Step:
    return Step(name, name, StepMode.FUNCTION, "", (1,), ("a",), (), (), after, (), (), (), "", "")


PIPELINE = Pipeline(
    name="flights",
    title="",
    notebook="",
    root="",
    notebook_digest="",
    cell_digests={},
    version="",
    parameters=(),
    steps=(step("load"), step("clean", "load"), step("plot", "load"), step("train", "clean")),
)


@pytest.mark.parametrize(
    ("first", "last", "force", "steps", "forced"),
    [
        ("", "", False, "load clean plot train", ""),
        ("clean", "", False, "load clean plot train", "clean train"),
        ("", "clean", False, "load clean", ""),
        ("clean", "plot", False, "load clean plot", "clean train"),
        ("", "", True, "load clean plot train", "load clean plot train"),
    ],
)
def test_steps_are_selected_by_name(first: str, last: str, force: bool, steps: str, forced: str) -> None:
    selection = select(PIPELINE, first, last, force=force)
    assert [step.name for step in selection.steps] == steps.split()
    assert selection.forced == frozenset(forced.split())


def test_unknown_steps_are_refused() -> None:
    with pytest.raises(UsageError) as caught:
        select(PIPELINE, "trian", "", force=False)
    assert str(caught.value) == "'trian' is not a step of the pipeline 'flights'\nhint: did you mean 'train'?"
    with pytest.raises(UsageError, match="its steps are: load, clean, plot, train"):
        select(PIPELINE, "", "x", force=False)
    with pytest.raises(UsageError, match="step 'load' stands before step 'train'"):
        select(PIPELINE, "train", "load", force=False)


def test_single_steps_are_selected_with_all_before_them() -> None:
    selection = select_only(PIPELINE, ("plot", "clean"), force=False)
    assert ([step.name for step in selection.steps], selection.forced) == (["load", "clean", "plot"], frozenset())
    assert select_only(PIPELINE, ("clean",), force=True).forced == {"clean"}
    with pytest.raises(UsageError, match="'plod' is not a step of the pipeline 'flights'"):
        select_only(PIPELINE, ("plod",), force=False)
