from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from nbmlops.core.digest import digest_bytes
from nbmlops.core.errors import EnvironmentFault
from nbmlops.runtime.reuse.plan import step_key
from nbmlops.runtime.reuse.records import CacheRecord, KeyParts, StepOutcome, refs_of
from nbmlops.runtime.store.garbage import Garbage, Waste
from nbmlops.runtime.store.shared_files import SharedFiles
from nbmlops.runtime.store.shared_garbage import SharedKeep, collect_shared
from nbmlops.runtime.store.shared_store import RENEWED, SharedStore
from nbmlops.runtime.store.store import ObjectRef, Store
from nbmlops.runtime.store.stored import Codec, StoredValue

DAY = 24 * 3600.0


class Shared:
    """A shared folder, and a machine that pushes to it."""

    def __init__(self, root: Path) -> None:
        self.folder, self.here = root / "shared", Store(root / "here")
        self.url = self.folder.as_uri()
        self.store = SharedStore(self.url)

    def record(self, run: str, step: str, code: str, text: str) -> CacheRecord:
        parts = KeyParts(code, {}, {}, {}, {})
        values = (StoredValue("x", Codec.JSON, self.here.put([text.encode()]), "f", "str"),)
        return CacheRecord(step, step_key(step, parts), parts, StepOutcome(values=values), run=run)

    def ran(self, run: str, step: str, code: str, text: str, *, days: float = 0.0) -> ObjectRef:
        """Shares a record of a step that stored the text, so many days ago."""
        record = self.record(run, step, code, text)
        before = set(self.files())
        self.store.push("tea", record, refs_of(record.outcome), self.here)
        self.age(days, set(self.files()) - before)
        (ref,) = refs_of(record.outcome)
        return ref

    def files(self) -> list[Path]:
        return sorted(path for path in self.folder.rglob("*") if path.is_file())

    def age(self, days: float, paths: set[Path] | None = None) -> None:
        for path in paths if paths is not None else self.files():
            os.utime(path, (time.time() - days * DAY,) * 2)

    def collect(self, days: float | None = 30.0, *, newest: int = 0, remove: bool = True, **keep: Any) -> Garbage:
        now = datetime.now(UTC)
        since = now - timedelta(days=days) if days is not None else None
        return collect_shared(self.url, SharedKeep(newest, since, **keep), now, remove=remove)

    def has(self, *refs: ObjectRef) -> list[bool]:
        return [self.store.has_objects([ref]) for ref in refs]


def counts(garbage: Garbage) -> dict[Waste, int]:
    return {why: number for why, (number, _) in garbage.counts().items() if number}


def test_old_records_and_their_values_go_and_the_latest_of_each_step_stay(tmp_path: Path) -> None:
    shared = Shared(tmp_path)
    old = shared.ran("20260101T000000Z-a", "load", "c1", "one", days=90)
    latest = shared.ran("20260102T000000Z-b", "load", "c2", "two", days=80)
    other = shared.ran("20260101T000000Z-a", "train", "c1", "model", days=90)
    young = shared.ran("20251231T000000Z-c", "load", "c3", "three", days=10)
    orphan = shared.here.put([b"of a killed writer"])
    SharedFiles(shared.url).put(shared.here.path(orphan), f"objects/{orphan.digest[:2]}/{orphan.digest[2:]}")
    shared.age(90, {path for path in shared.files() if path.name == orphan.digest[2:]})
    foreign = shared.folder / "objects/ab/notes.txt"
    foreign.parent.mkdir(exist_ok=True)
    foreign.write_text("not ours")
    (foreign.parent / ".new-0123-x").write_text("half")
    shared.age(90, {foreign, foreign.parent / ".new-0123-x"})
    before = shared.files()
    told = shared.collect(remove=False)
    assert (shared.files(), counts(told)) == (before, {Waste.RECORD: 1, Waste.OBJECT: 2, Waste.LEFTOVER: 1})
    gone = shared.collect()
    assert gone == told
    assert gone.counts()[Waste.OBJECT] == (2, len(b"one") + len(b"of a killed writer"))
    assert shared.has(old, latest, other, young, orphan) == [False, True, True, True, False]
    assert (foreign.exists(), sorted(set(before) - set(shared.files()))) == (
        True, sorted(shared.folder / path for path in gone.files),
    )  # fmt: skip
    assert shared.collect() == Garbage()


def test_a_number_of_runs_and_registered_keys_are_kept_if_asked(tmp_path: Path) -> None:
    shared = Shared(tmp_path)
    texts = ["one", "two", "three", "four"]
    refs = [shared.ran(f"2026010{n}T000000Z-a", "load", f"c{n}", text, days=90) for n, text in enumerate(texts, 1)]
    key = step_key("load", KeyParts("c1", {}, {}, {}, {}))
    shared.collect(None, newest=2, keys=frozenset([key]))
    assert shared.has(*refs) == [True, False, True, True]


def test_what_was_written_in_the_last_two_days_stays_whatever_is_asked(tmp_path: Path) -> None:
    shared = Shared(tmp_path)
    refs = [shared.ran(f"2026010{n}T000000Z-a", "load", f"c{n}", f"text {n}", days=1.9) for n in (1, 2)]
    assert (shared.collect(None), shared.has(*refs)) == (Garbage(), [True, True])
    shared.age(2.1)
    assert counts(shared.collect(None)) == {Waste.RECORD: 1, Waste.OBJECT: 1}
    assert shared.has(*refs) == [False, True]


def test_a_value_that_a_kept_record_mentions_stays_however_old_it_is(tmp_path: Path) -> None:
    shared = Shared(tmp_path)
    same = shared.ran("20260101T000000Z-a", "load", "c1", "same", days=90)
    assert shared.ran("20260401T000000Z-b", "load", "c2", "same") == same
    assert (counts(shared.collect()), shared.has(same)) == ({Waste.RECORD: 1}, [True])


def test_using_a_record_makes_it_young(tmp_path: Path) -> None:
    shared = Shared(tmp_path)
    used = shared.record("20260101T000000Z-a", "load", "c1", "used")
    shared.store.push("tea", used, refs_of(used.outcome), shared.here)
    shared.ran("20260102T000000Z-b", "load", "c2", "latest")
    assert shared.store.has_record("tea", used)
    shared.age(90)
    assert not shared.store.has_record("tea", used)  # it is there, but not for sure much longer
    shared.store.push("tea", used, refs_of(used.outcome), shared.here)
    assert (shared.store.has_record("tea", used), counts(shared.collect())) == (True, {})
    shared.age(1.1 * RENEWED / DAY)
    assert not shared.store.has_record("tea", used)


def test_damaged_records_and_those_whose_values_are_gone_go_when_they_are_old(tmp_path: Path) -> None:
    shared = Shared(tmp_path)
    lost = shared.ran("20260105T000000Z-a", "load", "c1", "lost", days=10)
    good = shared.ran("20260101T000000Z-a", "load", "c2", "good", days=90)
    (shared.folder / "objects" / lost.digest[:2] / lost.digest[2:]).unlink()
    text = b'{"schema": "nbmlops/step-record/9", "mentions": "' + good.digest.encode() + b'"}'
    (folder := shared.folder / "records/tea" / ("1" * 64)).mkdir()
    newer = folder / f"20260101T000000Z-b-{digest_bytes(text)}.json"
    newer.write_bytes(text)
    (damaged := folder / f"20260101T000000Z-b-{'0' * 64}.json").write_bytes(text)
    shared.age(10, {newer, damaged})
    assert counts(shared.collect()) == {Waste.BROKEN: 2}
    assert (newer.exists(), damaged.exists(), shared.has(good)) == (True, False, [True])
    # A record of another version is kept by its age like others, and with it what it mentions.
    shared.age(90, {newer})
    assert (counts(shared.collect()), shared.has(good)) == ({Waste.RECORD: 1}, [True])


def test_the_clock_of_the_store_counts_where_this_machine_is_ahead(tmp_path: Path) -> None:
    shared = Shared(tmp_path)
    ref = shared.ran("20260101T000000Z-a", "load", "c1", "one", days=1)
    shared.ran("20260102T000000Z-a", "load", "c2", "two", days=1)
    future = datetime.now(UTC) + timedelta(days=400)
    assert collect_shared(shared.url, SharedKeep(0), future, remove=True) == Garbage()
    assert shared.has(ref) == [True]


def test_a_store_that_tells_no_times_is_not_cleaned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = Shared(tmp_path)
    shared.ran("20260101T000000Z-a", "load", "c1", "one", days=90)
    monkeypatch.setattr("nbmlops.runtime.store.shared_files._TIMES", ())
    with pytest.raises(EnvironmentFault, match="does not tell when records/tea/"):
        shared.collect(remove=False)


class Meanwhile(SharedFiles):
    """Lets others act at the moments that matter: before a value goes, and before records are looked at again."""

    def __init__(self, address: str, acts: dict[str, Any]) -> None:
        super().__init__(address)
        self.acts = acts

    def remove(self, path: str) -> None:
        if "clock" not in path and (act := self.acts.pop(path.partition("/")[0], None)):
            act()
        super().remove(path)


def cleaning(shared: Shared, monkeypatch: pytest.MonkeyPatch, **acts: Any) -> Garbage:
    monkeypatch.setattr("nbmlops.runtime.store.shared_garbage.SharedFiles", lambda url: Meanwhile(url, acts))
    return shared.collect()


def test_a_value_that_gets_a_record_while_records_go_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = Shared(tmp_path)
    ref = shared.ran("20260101T000000Z-a", "load", "c1", "same", days=90)
    shared.ran("20260102T000000Z-a", "load", "c2", "latest", days=90)
    written = shared.record("20260501T000000Z-b", "load", "c3", "same")

    def write() -> None:
        # It is decided what goes, and the value is there, and old.
        shared.store.push("tea", written, refs_of(written.outcome), shared.here)

    gone = cleaning(shared, monkeypatch, records=write)
    assert (counts(gone), shared.has(ref)) == ({Waste.RECORD: 1}, [True])
    assert list(SharedStore(shared.url).records("tea", written.key)) == [written]


@pytest.mark.parametrize("looks_again", [True, False])
def test_no_record_is_left_whose_value_went_at_the_very_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, looks_again: bool
) -> None:
    shared = Shared(tmp_path)
    ref = shared.ran("20260101T000000Z-a", "load", "c1", "same", days=90)
    shared.ran("20260102T000000Z-a", "load", "c2", "latest", days=90)
    written = shared.record("20260501T000000Z-b", "load", "c3", "same")
    path = shared.folder / "objects" / ref.digest[:2] / ref.digest[2:]

    def write() -> None:
        # The writer has seen the value; its record comes when it has gone, or just before.
        if not looks_again:
            shared.store.push("tea", written, refs_of(written.outcome), shared.here)
            return
        own = SharedStore(shared.url)
        real = own._files.write

        def late(where: str, data: bytes) -> None:
            path.unlink()
            real(where, data)

        monkeypatch.setattr(own._files, "write", late)
        own.push("tea", written, refs_of(written.outcome), shared.here)

    cleaning(shared, monkeypatch, objects=write)
    records = list(SharedStore(shared.url).records("tea", written.key))
    assert all(SharedStore(shared.url).has_objects(refs_of(record.outcome)) for record in records)
    # The next run that uses the step's results shares them again.
    shared.store.push("tea", written, refs_of(written.outcome), shared.here)
    assert (list(SharedStore(shared.url).records("tea", written.key)), shared.has(ref)) == ([written], [True])
