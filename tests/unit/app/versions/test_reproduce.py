from __future__ import annotations

import math
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nbmlops.app.versions import reproduce as module
from nbmlops.app.versions.reproduce import (
    Compared,
    Recorded,
    Reproduction,
    compare,
    facts_of,
    remembered,
    restore,
)
from nbmlops.app.wiring import Stores
from nbmlops.core.errors import EnvironmentFault, StepFailed, UsageError
from nbmlops.data.fingerprints.files import fingerprint_file
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
        self.tracker = InMemoryTracker()
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


def test_where_nothing_is_compared_nothing_is_equal() -> None:
    same = Compared("metric", "auc", "0.5", "0.5")
    assert Reproduction(version().ref, COMMIT, (same,)).is_equal
    assert not Reproduction(version().ref, COMMIT, ()).is_equal


def recorded_files(files: dict[str, str]) -> Recorded:
    return Recorded(version(), COMMIT, "points", {}, files, {})


def test_data_is_put_where_the_run_had_it_and_checked(tmp_path: Path) -> None:
    root, tree = tmp_path / "project", tmp_path / "tree"
    (root / "data").mkdir(parents=True)
    tree.mkdir()
    (root / "data/x.csv").write_text("1\n", encoding="utf-8")
    digest = fingerprint_file(root / "data/x.csv")
    told = list[str]()
    restore(recorded_files({"data/x.csv": digest}), root, tree, told.append)
    assert ((tree / "data/x.csv").read_text(encoding="utf-8"), told) == ("1\n", ["restoring data/x.csv"])
    (tree / "data/x.csv").write_text("2\n", encoding="utf-8")
    with pytest.raises(EnvironmentFault, match=r"data/x\.csv is not the file that the run has read"):
        restore(recorded_files({"data/x.csv": digest}), root, tree, told.append)
    with pytest.raises(EnvironmentFault, match="data is not the file that the run has read"):
        restore(recorded_files({"data": "f" * 32}), root, tree, told.append)


def test_nothing_is_written_outside_of_the_working_tree(tmp_path: Path) -> None:
    root, tree = tmp_path / "a/project", tmp_path / "b/c/tree"
    root.mkdir(parents=True)
    tree.mkdir(parents=True)
    (tmp_path / "a/x.csv").write_text("1\n", encoding="utf-8")
    digest = fingerprint_file(tmp_path / "a/x.csv")
    with pytest.raises(EnvironmentFault, match=r"x\.csv is gone"):
        restore(recorded_files({"../x.csv": digest}), root, tree, print)
    assert not (tmp_path / "b/c/x.csv").exists()
    restore(recorded_files({str(tmp_path / "a/x.csv"): digest}), root, tree, print)


def test_files_of_libraries_are_those_of_the_lock(tmp_path: Path) -> None:
    restore(
        recorded_files({"/elsewhere/lib/python3.11/site-packages/sklearn/wine.csv": "f" * 32}),
        tmp_path,
        tmp_path,
        print,
    )


def test_an_environment_of_its_own_gets_no_libraries_from_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given = list[dict[str, str]]()

    def run(command: list[str], **options: Any) -> SimpleNamespace:
        given.append(options["env"])
        return SimpleNamespace(returncode=1, stdout=b"")

    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setattr(module, "subprocess", SimpleNamespace(run=run, PIPE=-1))
    for python in (sys.executable, "/env/bin/python"):
        with pytest.raises(StepFailed, match=r"of a{12} does not run any more: exit code 1; its own"):
            module._run(python, recorded_files({}), tmp_path, ())
    assert [one.get("PYTHONPATH") for one in given] == ["/elsewhere", None]
    store = f"sqlite:///{tmp_path / '.nbmlops-reproduced.db'}"
    assert [one["MLFLOW_TRACKING_URI"] for one in given] == [store, store]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (
            '{"steps": [{"name": "load", "error": null}, {"name": "fit", "error": {"message": "boom"}}]}',
            "step fit: boom",
        ),
        ('{"steps": [], "diagnostics": [{"message": "no kernel"}]}', "no kernel"),
        ('{"steps": [], "diagnostics": []}', ""),
        ("[1]", ""),
        ("", ""),
    ],
)
def test_why_a_run_failed_is_told_in_its_words(said: str, why: str) -> None:
    assert module._failure(said.encode()) == why
