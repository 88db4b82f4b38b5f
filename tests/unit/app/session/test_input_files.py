from __future__ import annotations

import site
import sys
import threading
from pathlib import Path

from nbmlops.app.session.cell_files import CellFiles, Evidence, stamp
from nbmlops.app.session.input_files import MOST_FILES, InputFiles, input_name
from nbmlops.core.errors import EnvironmentFault
from nbmlops.core.records import DataRecord
from nbmlops.data.fingerprints.files import fingerprint_file

AUDIT = Evidence.AUDIT
LONG = 30.0


def files(*paths: Path) -> CellFiles:
    return CellFiles({str(path): AUDIT for path in paths}, stamps={str(path): stamp(str(path)) for path in paths})


def record(path: Path, name: str, kind: str = "file") -> DataRecord:
    size = path.stat().st_size
    return DataRecord(name, fingerprint_file(path), kind, profile={"evidence": "audit", "bytes": size})


def test_inputs_are_fingerprinted_once_for_each_version(tmp_path: Path):
    told: list[DataRecord] = []
    inputs = InputFiles(tmp_path, told.append)
    one, two = tmp_path / "one.csv", tmp_path / "data" / "two.csv"
    two.parent.mkdir()
    one.write_text("1")
    two.write_text("22")
    inputs.add(files(one, two))
    inputs.add(files(one))
    assert inputs.settle(LONG)
    assert told == [record(one, "one.csv"), record(two, "data/two.csv")]
    first = told[0]
    one.write_text("333")
    inputs.add(files(one))
    assert inputs.settle(LONG)
    assert told[2:] == [record(one, "one.csv")] != [first]
    assert (inputs.records, inputs.faults) == ((record(two, "data/two.csv"), record(one, "one.csv")), ())


def test_inputs_go_on_after_a_listener_that_breaks(tmp_path: Path):
    told: list[DataRecord] = []

    def tell(record: DataRecord) -> None:
        if record.name == "one.csv":
            raise EnvironmentFault("the disk is full")
        told.append(record)

    inputs = InputFiles(tmp_path, tell)
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    one.write_text("1")
    two.write_text("22")
    inputs.add(files(one))
    inputs.add(files(two))
    assert inputs.settle(LONG)
    assert (told, inputs.faults) == ([record(two, "two.csv")], ("one.csv: EnvironmentFault: the disk is full",))


def test_closing_ends_the_thread_when_all_is_told(tmp_path: Path):
    told: list[DataRecord] = []
    inputs, path = InputFiles(tmp_path, told.append), tmp_path / "a.csv"
    path.write_text("1")
    inputs.add(files(path))
    inputs.close()
    assert inputs._worker is not None
    inputs._worker.join(LONG)
    assert (inputs._worker.is_alive(), told) == (False, [record(path, "a.csv")])


def test_nobody_waits_for_a_fingerprint(tmp_path: Path):
    started, goes_on = threading.Event(), threading.Event()

    def tell(_record: DataRecord) -> None:
        started.set()
        assert goes_on.wait(LONG)

    inputs = InputFiles(tmp_path, tell)
    path = tmp_path / "a.csv"
    path.write_text("1")
    inputs.add(files(path))
    assert started.wait(LONG)
    assert (inputs.waiting, inputs.settle(0.0)) == (1, False)
    goes_on.set()
    assert inputs.settle(LONG)


def test_a_file_that_changed_since_it_was_read_has_no_fingerprint(tmp_path: Path):
    path = tmp_path / "a.csv"
    path.write_text("1")
    read = files(path)
    path.write_text("22")
    inputs = InputFiles(tmp_path, lambda record: None)
    inputs.add(read)
    inputs.add(files(tmp_path / "gone.csv"))
    assert inputs.settle(LONG)
    assert (inputs.records, inputs.faults) == (
        (),
        (
            "a.csv: it changed after a cell had read it, so what was read has no fingerprint",
            f"gone.csv: {tmp_path / 'gone.csv'} does not exist",
        ),
    )


def test_many_files_of_a_folder_are_one_input(tmp_path: Path):
    folder = tmp_path / "images"
    folder.mkdir()
    paths = [folder / f"{number}.txt" for number in range(MOST_FILES + 1)]
    for path in paths:
        path.write_text(path.name)
    inputs = InputFiles(tmp_path, lambda record: None)
    inputs.add(files(*paths))
    assert inputs.settle(LONG)
    assert [(one.name, one.kind, one.digest) for one in inputs.records] == [
        ("images", "folder", fingerprint_file(folder))
    ]


def test_names_are_what_mlflow_takes_and_distinct(tmp_path: Path):
    assert input_name(f"{tmp_path}/data/a b.csv", tmp_path) == "data/a b.csv"
    assert input_name("/elsewhere/a.csv", tmp_path) == "file:/elsewhere/a.csv"
    installed = f"{site.getsitepackages()[0]}/lib/a.csv"
    assert [input_name(installed, root) for root in (tmp_path, Path(sys.prefix).parent)] == ["package:lib/a.csv"] * 2
    names = [input_name(f"{tmp_path}/a{sign}.csv", tmp_path) for sign in "()+_"]
    assert names == ["a_.csv aba29c1a", "a_.csv fa0072a4", "a_.csv 05068ff9", "a_.csv"]
    assert len(input_name(f"{tmp_path}/{'x' * 300}", tmp_path)) == 250


def test_an_input_carries_the_version_that_is_kept_of_it(tmp_path: Path):
    (tmp_path / "sales" / "_delta_log").mkdir(parents=True)
    path = tmp_path / "sales" / "part.parquet"
    path.write_text("1")
    for number in range(3):
        (tmp_path / "sales" / "_delta_log" / f"{number:020}.json").write_text("{}")
    inputs = InputFiles(tmp_path, lambda _record: None)
    inputs.add(files(path))
    assert inputs.settle(LONG)
    assert [one.version for one in inputs.records] == [{"delta_version": "2"}]


def test_an_address_in_a_bucket_has_no_fingerprint_and_says_why(tmp_path: Path):
    told: list[DataRecord] = []
    inputs = InputFiles(tmp_path, told.append)
    inputs.add(CellFiles({"lakefs://sales/main/a.parquet": Evidence.LITERAL}))
    assert inputs.settle(LONG)
    why = "it is in a bucket, which is not read once more; declare the table with `%mlops data`"
    assert (told, inputs.faults) == ([], (f"lakefs://sales/main/a.parquet: {why}",))
