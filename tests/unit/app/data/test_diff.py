"""What texts name: files, logged versions, data of runs."""

from pathlib import Path

import pandas as pd
import pytest

from nbmlops.app.data.diff import Versions, diff_in_project, diff_values
from nbmlops.core.errors import UsageError
from nbmlops.data.describe import describe
from nbmlops.pipeline.run_record import StepLog
from nbmlops.tracking.tracker import RunStart
from tests.fakes.in_memory import InMemoryTracker

OLD, NEW = pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"a": [1, 3]})


@pytest.fixture
def tracker() -> InMemoryTracker:
    tracker = InMemoryTracker()
    for frame in (OLD, NEW, NEW):
        run = tracker.start_run(RunStart("e"))
        tracker.log_step(run.run_id, StepLog(data=(describe(frame, "df"), describe(OLD, "other"))))
    return tracker


@pytest.fixture
def versions(tracker: InMemoryTracker, tmp_path: Path) -> Versions:
    return Versions(lambda: tracker, ("e",), tmp_path)


def test_the_newest_version_and_the_one_before(versions: Versions) -> None:
    assert versions.find("df").digest == describe(NEW, "x").digest
    before = versions.find("df~1")
    assert (before.name, before.digest) == ("df~1", describe(OLD, "x").digest)


def test_what_the_open_run_logged_is_the_newest(tracker: InMemoryTracker, tmp_path: Path) -> None:
    own = describe(pd.DataFrame({"a": [7]}), "df")
    versions = Versions(lambda: tracker, ("e",), tmp_path, (own,))
    assert versions.find("df") == own
    assert versions.find("df~1").digest == describe(NEW, "x").digest
    assert versions.find("df~2").digest == describe(OLD, "x").digest


def test_an_experiment_that_nobody_named_is_found(tracker: InMemoryTracker, tmp_path: Path) -> None:
    assert Versions(lambda: tracker, ("another",), tmp_path).find("df").digest == describe(NEW, "x").digest


def test_data_of_a_run(versions: Versions) -> None:
    found = versions.find(f"{1:032x}:df")
    assert (found.name, found.digest) == ("00000000:df", describe(OLD, "x").digest)
    with pytest.raises(UsageError, match="it logged: df, other"):
        raise_with_hint(versions, f"{1:032x}:nothing")


def raise_with_hint(versions: Versions, text: str) -> None:
    try:
        versions.find(text)
    except UsageError as error:
        raise UsageError(f"{error.message}; {error.hint}") from error


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nothing", "there is no file and no logged data named 'nothing'"),
        ("df~9", "only 2 versions of 'df' were logged, so there is no df~9"),
        ("", "an empty text names no data"),
    ],
)
def test_what_is_not_there(versions: Versions, text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        versions.find(text)
    assert caught.value.message == message


def test_files(versions: Versions, tmp_path: Path) -> None:
    OLD.to_csv(tmp_path / "old.csv", index=False)
    NEW.to_parquet(tmp_path / "new.parquet")
    (tmp_path / "note.txt").write_text("x")
    found = diff_values("old.csv", "new.parquet", versions)
    assert [(one.name, one.what) for one in found.columns] == [("a", "values")]
    assert versions.find("note.txt").kind == "file"
    (tmp_path / "broken.parquet").write_text("x")
    with pytest.raises(UsageError, match=r"broken\.parquet cannot be read as \.parquet"):
        versions.find("broken.parquet")


def test_frames_at_hand(versions: Versions) -> None:
    assert diff_values(OLD, NEW, versions).kinds == ("data",)
    assert diff_values(OLD["a"], "df", versions).kinds == ("data",)
    with pytest.raises(UsageError, match="a value of type int cannot be compared"):
        diff_values(1, NEW, versions)


def test_two_runs_name_by_name(tracker: InMemoryTracker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = tracker.start_run(RunStart("e"))
    tracker.log_step(run.run_id, StepLog(data=(describe(NEW, "df"), describe(NEW, "late"))))
    monkeypatch.setattr("nbmlops.app.data.diff.open_existing", lambda *_: type("S", (), {"tracker": tracker}))
    found = diff_in_project(f"{1:032x}", run.run_id, tmp_path)
    assert [(one.names, one.kinds) for one in found.diffs] == [(("df", "df"), ("data",))]
    assert found.alone == (("other", "before"), ("late", "after"))
