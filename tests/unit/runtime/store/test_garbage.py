from __future__ import annotations

import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec.structs import replace

from nbmlops.pipeline.run_record import PredictionsRecord, StepLog
from nbmlops.runtime.lock import locked
from nbmlops.runtime.reuse.cache import StepCache, read_records
from nbmlops.runtime.reuse.records import CacheRecord, FileState, KeyParts, StepOutcome
from nbmlops.runtime.store.garbage import Garbage, Keep, Waste, collect
from nbmlops.runtime.store.store import ObjectRef, Store
from nbmlops.runtime.store.stored import Codec, StoredValue

NOW = datetime(2026, 5, 20, tzinfo=UTC)
LONG_AGO = (NOW - timedelta(days=1)).timestamp()
PARTS = KeyParts("code", {}, {}, {}, {})


class Project:
    """A project with one pipeline, whose steps store texts."""

    def __init__(self, root: Path) -> None:
        self.root, self.state = root, root / ".nbmlops"
        self.store = Store(self.state / "store")
        self.cache = StepCache(self.state / "cache" / "flights", self.state / "state" / "flights")

    def ran(self, run: str, step: str, key: str, text: str) -> ObjectRef:
        """Keeps a record of a step that stored the text, having read a file of that content."""
        ref = self.store.put([text.encode()])
        value = StoredValue("x", Codec.JSON, ref, "f", "str")
        outcome = StepOutcome(values=(value,), log=StepLog(), files={"data.csv": FileState(text)})
        self.cache.add(CacheRecord(step, key * 32, PARTS, outcome, run=run))
        return ref

    def age(self) -> None:
        for path in self.state.rglob("*"):
            os.utime(path, (LONG_AGO, LONG_AGO))

    def collect(self, keep: Keep, *, remove: bool = True) -> Garbage:
        return collect(self.root, keep, NOW, remove=remove)

    def kept(self, *refs: ObjectRef) -> list[bool]:
        return [self.store.has(ref) for ref in refs]


def test_what_no_kept_record_mentions_goes_and_the_rest_stays(tmp_path: Path) -> None:
    project = Project(tmp_path)
    first = project.ran("20260501T000000Z-a", "load", "aa", "one")
    second = project.ran("20260502T000000Z-b", "load", "bb", "two")
    third = project.ran("20260503T000000Z-c", "load", "cc", "three")
    orphan = project.store.put([b"of a killed step"])
    project.age()
    shown = project.collect(Keep(newest=2), remove=False)
    assert project.kept(first, second, third, orphan) == [True, True, True, True]
    gone = project.collect(Keep(newest=2))
    assert (gone.files, gone.busy) == (shown.files, ())
    assert gone.counts() == {
        Waste.RECORD: (1, gone.sizes[project.state / "cache" / "flights" / f"{'aa' * 32}.json"]),
        Waste.OBJECT: (2, len(b"one") + len(b"of a killed step")),
        Waste.PREDICTIONS: (0, 0),
        Waste.DAMAGED: (0, 0),
        Waste.BROKEN: (0, 0),
        Waste.LEFTOVER: (0, 0),
    }
    assert project.kept(first, second, third, orphan) == [False, True, True, False]
    assert project.cache.candidates("aa" * 32) == ()
    assert project.collect(Keep(newest=2)).files == {}


def test_the_latest_record_of_a_step_stays_reusable_however_old_it_is(tmp_path: Path) -> None:
    project = Project(tmp_path)
    loaded = project.ran("20260501T000000Z-a", "load", "aa", "one")
    trained = [project.ran(f"2026050{day}T000000Z-b", "train", f"b{day}", f"model {day}") for day in (2, 3)]
    project.age()
    project.collect(Keep(newest=0))
    assert project.kept(loaded, *trained) == [True, False, True]
    assert [record.run for record in project.cache.candidates("aa" * 32)] == ["20260501T000000Z-a"]


def test_of_the_records_of_one_key_those_of_kept_runs_stay(tmp_path: Path) -> None:
    project = Project(tmp_path)
    refs = [project.ran(f"2026050{day}T000000Z-a", "load", "aa", f"data of day {day}") for day in (1, 2, 3)]
    project.age()
    garbage = project.collect(Keep(newest=2))
    assert garbage.counts()[Waste.RECORD] == (1, 0)
    assert project.kept(*refs) == [False, True, True]
    assert [record.run[:8] for record in project.cache.candidates("aa" * 32)] == ["20260503", "20260502"]


def test_runs_are_kept_by_age_and_records_by_key(tmp_path: Path) -> None:
    project = Project(tmp_path)
    registered = project.ran("20260501T000000Z-a", "load", "aa", "registered")
    old = project.ran("20260502T000000Z-b", "load", "bb", "old")
    young = project.ran("20260515T000000Z-c", "load", "cc", "young")
    unnamed = project.ran("by hand", "load", "dd", "unnamed")
    project.ran("20260519T000000Z-d", "load", "ee", "latest")
    project.age()
    project.collect(Keep(0, NOW - timedelta(days=7), frozenset(["aa" * 32])))
    assert project.kept(registered, old, young, unnamed) == [True, False, True, True]


def test_a_kept_run_keeps_what_it_took_from_the_cache(tmp_path: Path) -> None:
    project = Project(tmp_path)
    loaded = project.ran("20260501T000000Z-a", "load", "aa", "one")
    other = project.ran("20260501T000000Z-a", "split", "bb", "half")
    project.ran("20260502T000000Z-b", "train", "cc", "model")
    project.ran("20260503T000000Z-c", "load", "dd", "two")
    project.ran("20260503T000000Z-c", "split", "ee", "half of two")
    document = tmp_path / "runs" / "flights" / "20260502T000000Z-b" / "run.json"
    document.parent.mkdir(parents=True)
    document.write_text(f'{{"steps": [{{"name": "load", "key": "{"aa" * 32}"}}]}}')
    project.age()
    project.collect(Keep(newest=2))
    assert project.kept(loaded, other) == [True, False]


def test_young_things_stay_also_those_that_are_stored_again(tmp_path: Path) -> None:
    project = Project(tmp_path)
    orphan, again = project.store.put([b"orphan"]), project.store.put([b"again"])
    leftover = project.store.folder / ".new-abc"
    leftover.write_bytes(b"half")
    project.age()
    (project.store.folder / ".new-def").write_bytes(b"being written")
    before = datetime.now(UTC)
    assert project.store.put([b"again"]) == again
    young = project.store.put([b"young"])
    collect(tmp_path, Keep(0), before, remove=True)
    assert project.kept(orphan, again, young) == [False, True, True]
    assert [path.name for path in project.store.folder.glob(".new-*")] == [".new-def"]


def test_what_was_put_aside_and_temporary_records_go(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.ran("20260501T000000Z-a", "load", "aa", "one")
    aside, half = project.store.folder / "quarantine" / "ab.1", project.state / "state" / "flights" / ".load.json.x1"
    aside.parent.mkdir()
    aside.write_bytes(b"damaged")
    half.write_bytes(b"half")
    project.age()
    assert project.collect(Keep(newest=1)).files == {half: Waste.LEFTOVER, aside: Waste.DAMAGED}
    assert (aside.exists(), half.exists()) == (False, False)


def predictions(project: Project, *names: str) -> list[Path]:
    folder = project.state / "predictions"
    folder.mkdir(exist_ok=True)
    paths = [folder / f"{name * 64}.parquet" for name in names]
    for path in paths:
        path.write_bytes(b"rows")
    return paths


def test_predictions_go_that_no_kept_record_and_no_waiting_run_mentions(tmp_path: Path) -> None:
    project = Project(tmp_path)
    for run, name in (("20260501T000000Z-a", "a"), ("20260502T000000Z-b", "b")):
        log = StepLog(predictions=(PredictionsRecord("held_out", name * 64, 3),))
        project.cache.add(CacheRecord("evaluate", f"{name}c" * 32, PARTS, StepOutcome(log=log), run=run))
    gone, kept, waiting, young = predictions(project, "a", "b", "d", "e")
    spool = project.state / "spool" / "1.jsonl"
    spool.parent.mkdir()
    spool.write_text(f'{{"digest": "{"d" * 64}"}}')
    project.age()
    last_hours = (NOW - timedelta(hours=5)).timestamp()
    os.utime(young, (last_hours, last_hours))
    assert project.collect(Keep(newest=1), remove=False).counts()[Waste.PREDICTIONS] == (0, 0)  # just a day old
    longer = (NOW - timedelta(hours=25)).timestamp()
    for path in (gone, kept, waiting):
        os.utime(path, (longer, longer))
    with locked(project.state / "state" / "flights" / "run.lock", "now", 0.0, lambda _: None):
        assert project.collect(Keep(newest=1)).counts()[Waste.PREDICTIONS] == (0, 0)
    assert project.collect(Keep(newest=1)).counts()[Waste.PREDICTIONS] == (1, 4)
    assert [path.exists() for path in (gone, kept, waiting, young)] == [False, True, True, True]


def test_records_of_another_version_keep_what_they_mention(tmp_path: Path) -> None:
    project = Project(tmp_path)
    ref = project.store.put([b"of another version"])
    path = project.state / "cache" / "flights" / "key.json"
    path.parent.mkdir(parents=True)
    path.write_text(f'{{"schema": "nbmlops/step-record/99", "everything": "{ref.digest}"}}')
    project.age()
    assert project.collect(Keep(newest=0)).files == {}
    assert read_records(path) == ()


def test_a_pipeline_that_is_being_run_keeps_everything(tmp_path: Path) -> None:
    project = Project(tmp_path)
    first = project.ran("20260501T000000Z-a", "load", "aa", "one")
    project.ran("20260502T000000Z-b", "load", "bb", "two")
    project.age()
    with locked(project.state / "state" / "flights" / "run.lock", "now", 0.0, lambda _: None, shared=True):
        garbage = project.collect(Keep(newest=0))
    assert (garbage.files, garbage.busy) == ({}, ("flights",))
    assert project.kept(first) == [True]
    project.collect(Keep(newest=0))
    assert project.kept(first) == [False]


def test_nothing_that_is_mentioned_goes_while_others_read_and_write(tmp_path: Path) -> None:
    project = Project(tmp_path)
    latest = project.ran("20260502T000000Z-b", "load", "bb", "two")
    project.age()
    read: list[bytes] = []
    over = threading.Event()

    def read_and_write() -> None:
        number = 0
        while not over.is_set():
            number += 1
            project.store.put([f"value {number % 7}".encode()])  # again and again the same: old ones become young
            read.append(project.store.read(latest))

    reader = threading.Thread(target=read_and_write)
    reader.start()
    try:
        for _ in range(50):
            for path in project.store.folder.glob("*/*"):
                _make_old(path)
            project.collect(Keep(newest=0))
    finally:
        over.set()
        reader.join()
    assert set(read) == {b"two"}


def _make_old(path: Path) -> None:
    try:
        os.utime(path, (LONG_AGO, LONG_AGO))
    except FileNotFoundError:
        return


def test_a_project_without_anything_has_no_garbage(tmp_path: Path) -> None:
    assert collect(tmp_path, Keep(0), NOW, remove=True) == Garbage()
    assert replace(Garbage(), busy=("x",)).counts() == dict.fromkeys(Waste, (0, 0))
