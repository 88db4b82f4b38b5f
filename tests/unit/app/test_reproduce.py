from __future__ import annotations

import math

import pytest

from nbmlops.app.reproduce import Compared, compare, facts_of, remembered
from nbmlops.app.wiring import Stores
from nbmlops.core.errors import UsageError
from nbmlops.pipeline.run_codec import run_to_json
from nbmlops.pipeline.run_record import Lineage, RunRecord, RunStatus, StepRecord, StepStatus
from nbmlops.registry.registry import ModelVersion
from nbmlops.tracking.lineage import lineage_tags
from nbmlops.tracking.tracker import RunStart
from tests.fakes.in_memory import InMemoryTracker

COMMIT = "a" * 40
RUN_ID = f"{1:032x}"
LINEAGE = Lineage(RUN_ID, COMMIT, {"data/x.csv": "f" * 32}, "n" * 64, "p" * 64)
RUN = RunRecord(
    status=RunStatus.SUCCEEDED,
    run_id=RUN_ID,
    pipeline="points",
    steps=(StepRecord("load", StepStatus.EXECUTED, files={"data/x.csv": "f" * 32}),),
    parameters={"depth": 3},
    metrics={"auc": 0.75},
    lineage=LINEAGE,
)


class Kept(Stores):
    """Stores whose tracker has one run with its document."""

    def __init__(self, *, with_document: bool = True) -> None:
        self.tracker = InMemoryTracker()  # type: ignore[misc]
        self.tracker.start_run(RunStart("points"))
        if with_document:
            self.tracker.documents[RUN_ID, "run.json"] = run_to_json(RUN)


def version(lineage: Lineage = LINEAGE, **tags: str) -> ModelVersion:
    kept = {"nbmlops.metrics": '{"auc": 0.1}', "nbmlops.model_digest": "m" * 32}
    return ModelVersion("points", "7", RUN_ID, (), {**lineage_tags(lineage), **kept, **tags})


def test_a_version_remembers_what_its_run_wrote_down() -> None:
    found = remembered(Kept(), version())
    assert (found.commit, found.pipeline, found.parameters, found.files) == (
        COMMIT,
        "points",
        {"depth": 3},
        {"data/x.csv": "f" * 32},
    )
    assert found.facts == {
        "metric": {"auc": "0.1"},
        "data": {"data/x.csv": "f" * 32},
        "code": {"pipeline": "p" * 64, "notebook": "n" * 64},
        "model": {"content": "m" * 32},
    }


@pytest.mark.parametrize(
    ("lineage", "with_document", "message"),
    [
        (Lineage(RUN_ID), True, "points version 7 remembers no commit"),
        (Lineage(RUN_ID, f"{COMMIT}-dirty"), True, "with changes that were not committed"),
        (LINEAGE, False, "was registered in a notebook, not by a run of a pipeline"),
    ],
)
def test_a_version_that_does_not_remember_enough_is_refused(
    lineage: Lineage, with_document: bool, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        remembered(Kept(with_document=with_document), version(lineage))


def test_metrics_are_compared_to_the_last_digit() -> None:
    third, less = facts_of(version(**{"nbmlops.metrics": '{"x": 0.3}'}), RUN), {"metric": {"x": repr(0.1 + 0.2)}}
    assert compare(third, less)[0] == Compared("metric", "x", "0.3", "0.30000000000000004")
    nan = facts_of(version(**{"nbmlops.metrics": '{"x": "nan"}'}), RUN)
    assert math.isnan(float(nan["metric"]["x"]))
    assert compare(nan, nan)[0].is_equal


def test_what_only_one_side_has_is_different() -> None:
    assert compare({"metric": {"a": "1"}}, {"metric": {"b": "2"}}) == (
        Compared("metric", "a", "1", ""),
        Compared("metric", "b", "", "2"),
    )
