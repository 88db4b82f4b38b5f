from __future__ import annotations

import threading
from pathlib import Path
from uuid import uuid4

import pytest
from msgspec.structs import replace

from nbmlops.core.errors import UsageError
from nbmlops.runtime.reuse.plan import step_key
from nbmlops.runtime.reuse.records import CacheRecord, FileState, KeyParts, StepOutcome, refs_of
from nbmlops.runtime.store.shared_files import SharedStoreFault
from nbmlops.runtime.store.shared_store import SharedStore, as_shared
from nbmlops.runtime.store.store import DamagedObject, ObjectRef, Store
from nbmlops.runtime.store.stored import Codec, StoredValue

PARTS = KeyParts("code", {}, {"depth": "3"}, {}, {"python": "3.11"})
KEY = step_key("train", PARTS)


def record_of(ref: ObjectRef, run: str = "20260101T000000Z-aaaaaa") -> CacheRecord:
    value = StoredValue("model", Codec.PICKLE, ref, "12", "Model")
    outcome = StepOutcome(values=(value,), files={"x.csv": FileState("12", 3, 4)})
    return CacheRecord("train", KEY, PARTS, outcome, {}, "runs/tea/one/01_train.ipynb", run)


def address(kind: str, tmp_path: Path) -> str:
    return f"memory://{uuid4().hex}" if kind == "memory" else (tmp_path / "shared").as_uri()


def pushed(url: str, store: Store, data: bytes = b"a model", run: str = "20260101T000000Z-aaaaaa") -> CacheRecord:
    record = record_of(store.put([data]), run)
    SharedStore(url).push("tea", record, refs_of(record.outcome), store)
    return record


@pytest.mark.parametrize("kind", ["memory", "file"])
def test_what_one_machine_pushes_another_pulls_without_what_holds_there_only(kind: str, tmp_path: Path) -> None:
    url, here, there = address(kind, tmp_path), Store(tmp_path / "here"), Store(tmp_path / "there")
    older, newer = pushed(url, here), pushed(url, here, b"another", "20260102T000000Z-bbbbbb")
    shared = SharedStore(url)
    assert list(shared.records("tea", KEY)) == [as_shared(newer), as_shared(older)]
    assert (as_shared(older).notebook, as_shared(older).outcome.files) == ("", {"x.csv": FileState("12", 3)})
    assert [shared.has_record("tea", older), shared.has_record("tea", replace(older, run="other"))] == [True, False]
    assert list(shared.records("tea", "0" * 64)) == list(shared.records("wine", KEY)) == []
    refs = refs_of(older.outcome) | refs_of(newer.outcome)
    assert (shared.has_objects(refs), shared.pull(refs, there), shared.damaged) == (True, True, set())
    assert {there.read(ref) for ref in refs} == {b"a model", b"another"}


def test_a_shared_folder_holds_whole_files_only_and_says_nothing_twice(tmp_path: Path) -> None:
    url, here = address("file", tmp_path), Store(tmp_path / "here")
    for _ in range(2):
        record = pushed(url, here)
    (ref,) = refs_of(record.outcome)
    files = sorted(path.relative_to(tmp_path / "shared") for path in (tmp_path / "shared").rglob("*") if path.is_file())
    assert [path.parent.as_posix() for path in files] == [f"objects/{ref.digest[:2]}", f"records/tea/{KEY}"]
    assert files[0].name == ref.digest[2:]


@pytest.mark.parametrize("damage", [b"", b"a mode", b"a mOdel", b"a model and more"])
def test_a_damaged_object_is_not_pulled_and_the_next_push_mends_it(tmp_path: Path, damage: bytes) -> None:
    url, here, there = address("file", tmp_path), Store(tmp_path / "here"), Store(tmp_path / "there")
    record = pushed(url, here)
    (ref,) = refs_of(record.outcome)
    path = tmp_path / "shared/objects" / ref.digest[:2] / ref.digest[2:]
    path.write_bytes(damage)
    shared = SharedStore(url)
    assert (shared.pull([ref], there), shared.damaged, there.has(ref)) == (False, {ref}, False)
    assert [path for path in there.folder.rglob("*") if path.is_file()] == []
    shared.push("tea", record, [ref], here)
    assert (path.read_bytes(), shared.pull([ref], there), shared.damaged) == (b"a model", True, set())


def test_a_missing_object_is_not_damaged(tmp_path: Path) -> None:
    shared = SharedStore(address("file", tmp_path))
    assert (shared.pull([ObjectRef("ab" * 32, 3)], Store(tmp_path / "there")), shared.damaged) == (False, set())


def test_records_that_are_not_what_their_names_say_are_left_out(tmp_path: Path) -> None:
    url, here = address("file", tmp_path), Store(tmp_path / "here")
    record = pushed(url, here)
    (path,) = (tmp_path / "shared/records/tea" / KEY).iterdir()
    text = path.read_bytes()
    other = path.parents[1] / ("1" * 64)
    other.mkdir()
    (other / path.name).write_bytes(text)  # a record of another key
    for number, content in enumerate((text[:-1], text.replace(b'"3"', b'"4"'), b"{}", b"")):
        path.with_name(f"2027-{number:064x}.json").write_bytes(content)
    path.with_name(".new-0-x.json").write_bytes(text)
    shared = SharedStore(url)
    assert list(shared.records("tea", KEY)) == [as_shared(record)]
    assert list(shared.records("tea", "1" * 64)) == []


def test_an_object_that_is_damaged_here_is_not_pushed_nor_is_its_record(tmp_path: Path) -> None:
    here, shared = Store(tmp_path / "here"), SharedStore(address("file", tmp_path))
    record = record_of(here.put([b"a model"]))
    (ref,) = refs_of(record.outcome)
    here.path(ref).write_bytes(b"a mOdel")
    with pytest.raises(DamagedObject):
        shared.push("tea", record, [ref], here)
    assert [path for path in (tmp_path / "shared").rglob("*") if path.is_file()] == []


def test_many_writers_and_readers_at_once_see_whole_things_only(tmp_path: Path) -> None:
    url, here = address("file", tmp_path), Store(tmp_path / "here")
    records = [record_of(here.put([b"same" * 1000]), f"run-{number}") for number in range(8)]
    expected = [(as_shared(record), True) for record in records]
    wrong: list[object] = []

    def write(record: CacheRecord) -> None:
        SharedStore(url).push("tea", record, refs_of(record.outcome), here)

    def read(number: int) -> None:
        there = Store(tmp_path / f"there{number}")
        for _ in range(10):
            shared = SharedStore(url)
            found = [(record, shared.pull(refs_of(record.outcome), there)) for record in shared.records("tea", KEY)]
            wrong.extend(pair for pair in found if pair not in expected)

    threads = [threading.Thread(target=write, args=(record,)) for record in records]
    threads += [threading.Thread(target=read, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(list(SharedStore(url).records("tea", KEY))) == 8


def test_a_store_that_cannot_be_used_says_so_without_credentials(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    shared = SharedStore((tmp_path / "file" / "below").as_uri())
    record = record_of(Store(tmp_path / "here").put([b"a model"]))
    with pytest.raises(SharedStoreFault, match="cannot be used: NotADirectoryError"):
        shared.push("tea", record, refs_of(record.outcome), Store(tmp_path / "here"))
    with pytest.raises(UsageError, match=r"^nonsense://there is no address of a shared store: Protocol not known"):
        SharedStore("nonsense://me@there?sig=secret").has_objects([ObjectRef("ab" * 32, 3)])
