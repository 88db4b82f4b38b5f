from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from nbmlops.pipeline.run_record import CheckRecord, DataRecord, MetricValue, StepLog
from nbmlops.runtime.ambient.ambient import Setting
from nbmlops.runtime.reuse.cache import StepCache
from nbmlops.runtime.reuse.records import CacheRecord, FileState, KeyParts, StepOutcome
from nbmlops.runtime.steps.listings import Listing, Question
from nbmlops.runtime.store.store import ObjectRef
from nbmlops.runtime.store.stored import Codec, StoredValue

REF = ObjectRef("ab" * 32, 12)
LOG = StepLog(
    {"depth": 3},
    (MetricValue("auc", 0.5, 1), MetricValue("worst", float("-inf"))),
    (DataRecord("flights", "12", "frame", 3, (("a", "int64"),), "training", {"a": {"mean": 1.5}}),),
    (CheckRecord("flights", "flights", False, ("a is missing",)),),
)
OUTCOME = StepOutcome(
    values=(
        StoredValue("model", Codec.PICKLE, REF, "12", "Model", code="90"),
        StoredValue("rows", Codec.BUNDLE, REF, "34", "list", ("rows", "same"), "56"),
    ),
    changed_inputs=("rows",),
    log=LOG,
    files={"x.csv": FileState("12", 3, 4), "gone.csv": FileState("")},
    listings={Listing(Question.PATH_GLOB, "data", "*.csv"): "78"},
    variables={"KEY": "12"},
    written=("report.csv",),
    modules=("pandas",),
    random_before="12",
    random_used=True,
    random=REF,
    settings_before={"pandas options": "12", "locale": ""},
    settings={"pandas options": Setting(REF, "34")},
    unkeyable="",
)
RECORD = CacheRecord(
    "train",
    "key",
    KeyParts("code", {"a.py": "1"}, {"depth": "3"}, {"X": "12"}, {"python": "3.11"}),
    OUTCOME,
    {"pandas": "3.1.0"},
    "runs/flights/one/01_train.ipynb",
    "one",
    1.5,
)


def cache(tmp_path: Path) -> StepCache:
    return StepCache(tmp_path / ".nbmlops" / "cache" / "flights", tmp_path / ".nbmlops" / "state" / "flights")


def test_a_record_comes_back_whole(tmp_path: Path) -> None:
    cache(tmp_path).add(RECORD)
    assert cache(tmp_path).candidates("key") == (RECORD,)
    assert cache(tmp_path).latest("train") == RECORD
    assert [cache(tmp_path).candidates("other"), cache(tmp_path).latest("other")] == [(), None]


def test_records_of_one_key_are_kept_newest_first_one_for_each_ground(tmp_path: Path) -> None:
    other = replace(RECORD, run="two", libraries={"pandas": "3.1.1"})
    again = replace(RECORD, run="three")
    for record in (RECORD, other, again):
        cache(tmp_path).add(record)
    assert cache(tmp_path).candidates("key") == (again, other)
    assert cache(tmp_path).latest("train") == again


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"schema": "nbmlops/step-record/0", "records": []}', b"\xff"])
def test_a_record_that_cannot_be_read_is_none(tmp_path: Path, damage: bytes) -> None:
    cache(tmp_path).add(RECORD)
    for path in (tmp_path / ".nbmlops").rglob("*.json"):
        path.write_bytes(damage)
    assert (cache(tmp_path).candidates("key"), cache(tmp_path).latest("train")) == ((), None)
    cache(tmp_path).add(RECORD)
    assert cache(tmp_path).candidates("key") == (RECORD,)


def test_a_record_without_a_field_is_none(tmp_path: Path) -> None:
    cache(tmp_path).add(RECORD)
    path = tmp_path / ".nbmlops" / "cache" / "flights" / "key.json"
    document = json.loads(path.read_text())
    del document["records"][0]["outcome"]["values"][0]["object"]
    path.write_text(json.dumps(document))
    assert cache(tmp_path).candidates("key") == ()


@pytest.mark.parametrize("name", ["../../../outside", "a/b", "x" * 300, "schön & gut", "CON"])
def test_names_of_steps_are_not_paths(tmp_path: Path, name: str) -> None:
    record = replace(RECORD, step=name)
    cache(tmp_path).add(record)
    assert cache(tmp_path).latest(name) == record
    assert {path.parent.name for path in tmp_path.rglob("*.json")} == {"flights"}


def test_records_are_private(tmp_path: Path) -> None:
    cache(tmp_path).add(RECORD)
    paths = [path for path in (tmp_path / ".nbmlops").rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o777 for path in paths} == {0o600}
    assert (tmp_path / ".nbmlops").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("address", ["../../outside", "/etc/passwd", "ab" * 31, "AB" * 32, "ab" * 32 + "\n"])
def test_an_address_that_is_a_path_makes_the_record_none(tmp_path: Path, address: str) -> None:
    cache(tmp_path).add(RECORD)
    path = tmp_path / ".nbmlops" / "cache" / "flights" / "key.json"
    for holder in ("values", "random"):
        document = json.loads(path.read_text())
        outcome = document["records"][0]["outcome"]
        (outcome["values"][0] if holder == "values" else outcome["random"])["object"] = address
        (path.parent / "other.json").write_text(json.dumps(document))
        assert cache(tmp_path).candidates("other") == ()


def test_a_record_that_is_nested_too_deeply_is_none(tmp_path: Path) -> None:
    cache(tmp_path).add(RECORD)
    (tmp_path / ".nbmlops" / "cache" / "flights" / "key.json").write_text("[" * 200_000)
    assert cache(tmp_path).candidates("key") == ()
