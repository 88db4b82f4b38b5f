"""What two processes tell each other about a watched notebook survives the way."""

import json
from pathlib import Path

from nbmlops.pipeline.fields import Fields
from nbmlops.pipeline.run_record import MetricValue, StepLog
from nbmlops.runtime.store.store import ObjectRef
from nbmlops.runtime.store.stored import Codec
from nbmlops.runtime.witness.records import (
    Border,
    SeenValue,
    WatchPlan,
    border_from_json,
    border_to_json,
    read_borders,
    read_plan,
    write_plan,
)

BORDER = Border(
    "train",
    (
        SeenValue(
            "model", "__main__.Model", "f" * 32, "", {"layout": "rows first"}, Codec.PICKLE, ObjectRef("a" * 64, 7)
        ),
        SeenValue("handle", "_io.TextIOWrapper", "", "it cannot be pickled"),
    ),
    (("a", "b"), ("c", "d", "e")),
    StepLog(metrics=(MetricValue("auc", 0.5),)),
)


def test_a_border_comes_back() -> None:
    assert border_from_json(Fields(json.loads(json.dumps(border_to_json(BORDER))), "border")) == BORDER


def test_borders_are_read_as_far_as_the_kernel_came(tmp_path: Path) -> None:
    report = tmp_path / "report.jsonl"
    assert read_borders(report) == {}
    report.write_text(json.dumps(border_to_json(BORDER)) + "\n")
    assert read_borders(report) == {"train": BORDER}


def test_a_plan_comes_back(tmp_path: Path) -> None:
    plan = WatchPlan(
        frozenset({"__main__", "churn"}), tmp_path, tmp_path / "store", tmp_path / "r", ("", "one", "", "two"),
        {"one": ("a", "b"), "two": ()},
    )  # fmt: skip
    write_plan(tmp_path / "plan.json", plan)
    assert read_plan(tmp_path / "plan.json") == plan
