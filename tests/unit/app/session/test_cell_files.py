"""Files that cells read and wrote: every way of reading that the research lists, and what is decided of witnesses."""

from __future__ import annotations

import ctypes
import gzip
import importlib
import json
import mmap
import os
import pickle
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nbmlops.app.session.cell_files import CellFiles, Evidence, FileCapture, decide, is_data, our_folders
from nbmlops.core.threads import own_work
from nbmlops.tracking.inotify import Opened

AUDIT, INOTIFY, LITERAL = Evidence.AUDIT, Evidence.INOTIFY, Evidence.LITERAL
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who opens files")


def library(name: str) -> Any:
    return pytest.importorskip(name)


def _csv(path: Path) -> None:
    path.write_text("a,b\n1,2\n3,4\n")


def _parquet(path: Path) -> None:
    library("pandas").DataFrame({"a": [1, 2]}).to_parquet(path)


def _feather(path: Path) -> None:
    library("pandas").DataFrame({"a": [1, 2]}).to_feather(path)


def _ipc(path: Path) -> None:
    pa = library("pyarrow")
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, pa.schema([("a", pa.int64())])) as writer:
        writer.write_table(pa.table({"a": [1]}))


def _npy(path: Path) -> None:
    np = library("numpy")
    with path.open("wb") as stream:
        np.save(stream, np.arange(10.0))


def _raw(path: Path) -> None:
    path.write_bytes(bytes(range(80)))


def _pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps([1, 2]))


def _joblib(path: Path) -> None:
    library("joblib").dump([1, 2], path)


def _json(path: Path) -> None:
    path.write_text(json.dumps([{"a": 1}]))


def _gz(path: Path) -> None:
    path.write_bytes(gzip.compress(b"a,b\n1,2\n"))


def _sqlite(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("create table t (a)")
    database.close()


def _open_os(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    os.read(descriptor, 10)
    os.close(descriptor)


def _open_mmap(path: Path) -> None:
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert mapped[0] is not None


def _read_sqlite(path: Path) -> None:
    database = sqlite3.connect(path)
    database.execute("select * from t").fetchall()
    database.close()


def _fopen(path: Path) -> None:
    libc = ctypes.CDLL(None)
    libc.fopen.restype = ctypes.c_void_p
    stream = libc.fopen(os.fsencode(path), b"rb")
    libc.fgetc(ctypes.c_void_p(stream))
    libc.fclose(ctypes.c_void_p(stream))


def _duckdb(path: Path) -> None:
    library("duckdb").sql(f"select * from '{path}'").fetchall()


def _h5py(path: Path, mode: str) -> Any:
    return library("h5py").File(path, mode)


def call(name: str, function: str, **options: Any) -> Callable[[Path], Any]:
    """Returns what calls a library's function with the path as text."""

    def read(path: Path) -> Any:
        library(name.partition(".")[0])
        target: Any = importlib.import_module(name)
        for part in function.split("."):
            target = getattr(target, part)
        return target(str(path), **options)

    return read


def _scan(function: str) -> Callable[[Path], Any]:
    return lambda path: getattr(library("polars"), function)(path).collect()


def _fsspec(path: Path) -> None:
    with library("fsspec").open(f"file://{path}") as stream:
        stream.read()


IDIOMS: dict[str, tuple[str, Callable[[Path], Any], Callable[[Path], Any]]] = {
    "open": (".txt", _raw, lambda path: path.read_bytes()),
    "open text": (".txt", _csv, lambda path: open(path).close()),  # noqa: PTH123 - what is tested
    "os.open": (".bin", _raw, _open_os),
    "pathlib": (".txt", _csv, lambda path: path.read_text()),
    "fsspec": (".txt", _raw, _fsspec),
    "joblib": (".joblib", _joblib, call("joblib", "load")),
    "pickle": (".pkl", _pickle, lambda path: pickle.loads(path.read_bytes())),
    "json": (".json", _json, lambda path: json.loads(path.read_text())),
    "gzip": (".gz", _gz, lambda path: gzip.open(path).close()),
    "mmap": (".bin", _raw, _open_mmap),
    "np.load": (".npy", _npy, call("numpy", "load")),
    "np.load mmap": (".npy", _npy, call("numpy", "load", mmap_mode="r")),
    "np.fromfile": (".bin", _raw, call("numpy", "fromfile")),
    "np.loadtxt": (".csv", _csv, call("numpy", "loadtxt", delimiter=",", skiprows=1)),
    "np.genfromtxt": (".csv", _csv, call("numpy", "genfromtxt", delimiter=",")),
    "np.memmap": (".bin", _raw, call("numpy", "memmap", mode="r")),
    "pd.read_csv": (".csv", _csv, call("pandas", "read_csv")),
    "pd.read_csv mmap": (".csv", _csv, call("pandas", "read_csv", memory_map=True)),
    "pd.read_csv gz": (".csv.gz", _gz, call("pandas", "read_csv")),
    "pd.read_csv pyarrow": (".csv", _csv, call("pandas", "read_csv", engine="pyarrow")),
    "pd.read_table": (".csv", _csv, call("pandas", "read_table", sep=",")),
    "pd.read_json": (".json", _json, call("pandas", "read_json")),
    "pd.read_pickle": (".pkl", _pickle, call("pandas", "read_pickle")),
    "pd.read_feather": (".feather", _feather, call("pandas", "read_feather")),
    "pd.read_parquet": (".parquet", _parquet, call("pandas", "read_parquet")),
    "pd.read_hdf": (".h5", lambda path: _h5py(path, "w").close(), lambda path: _h5py(path, "r").close()),
    "pyarrow.csv": (".csv", _csv, call("pyarrow.csv", "read_csv")),
    "pyarrow.parquet": (".parquet", _parquet, call("pyarrow.parquet", "read_table")),
    "pyarrow.dataset": (
        ".parquet", _parquet, lambda path: call("pyarrow.dataset", "dataset")(path).to_table(),
    ),
    "pyarrow.feather": (".feather", _feather, call("pyarrow.feather", "read_table")),
    "pyarrow.memory_map": (".arrow", _ipc, lambda path: call("pyarrow", "memory_map")(path).read()),
    "polars.read_csv": (".csv", _csv, call("polars", "read_csv")),
    "polars.scan_csv": (".csv", _csv, _scan("scan_csv")),
    "polars.read_parquet": (".parquet", _parquet, call("polars", "read_parquet")),
    "polars.scan_parquet": (".parquet", _parquet, _scan("scan_parquet")),
    "polars.read_ipc": (".arrow", _ipc, call("polars", "read_ipc")),
    "polars.scan_ipc": (".arrow", _ipc, _scan("scan_ipc")),
    "duckdb": (".csv", _csv, _duckdb),
    "sqlite3": (".db", _sqlite, _read_sqlite),
    "subprocess cat": (".txt", _csv, lambda path: subprocess.run(["cat", path], check=True, capture_output=True)),
    "ctypes fopen": (".bin", _raw, _fopen),
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("capture")
    (path / "data" / "deep").mkdir(parents=True)
    return path


@pytest.fixture(scope="module")
def capture(folder: Path) -> Iterator[FileCapture]:
    capture = FileCapture(folder)
    yield capture
    capture.stop()


@linux
@pytest.mark.parametrize("idiom", IDIOMS)
def test_every_way_of_reading_is_seen(idiom: str, capture: FileCapture, folder: Path):
    suffix, make, read = IDIOMS[idiom]
    path = folder / "data" / f"{idiom.replace(' ', '_')}{suffix}"
    make(path)
    capture.before("")  # the cell names no file: it has the path in a variable
    kept = read(path)
    files = capture.after()
    del kept
    assert str(path) in files.read
    assert set(files.read) == {str(path)}


def test_what_a_cell_writes_is_no_input(capture: FileCapture, folder: Path):
    path = folder / "data" / "out.csv"
    capture.before("")
    _csv(path)
    path.read_text()
    assert capture.after() == CellFiles({}, (str(path),))


def test_a_file_that_is_read_and_then_written_is_both(capture: FileCapture, folder: Path):
    path = folder / "data" / "both.csv"
    _csv(path)
    capture.before("")
    path.write_text(path.read_text() + "5,6\n")
    files = capture.after()
    assert (files.read, files.written) == ({str(path): AUDIT}, (str(path),))


@linux
def test_folders_that_are_made_later_are_watched(capture: FileCapture, folder: Path):
    (folder / "later").mkdir()
    capture.before("")
    _csv(folder / "later" / "a.csv")
    capture.after()
    capture.before("")
    subprocess.run(["cat", folder / "later" / "a.csv"], check=True, capture_output=True)
    assert capture.after().read == {str(folder / "later" / "a.csv"): INOTIFY}


@linux
def test_a_folder_that_a_cell_names_is_watched(capture: FileCapture, tmp_path: Path):
    path = tmp_path / "elsewhere.csv"
    _csv(path)
    capture.before(f"path = '{path}'")
    subprocess.run(["cat", path], check=True, capture_output=True)
    assert capture.after().read == {str(path): INOTIFY}
    capture.before("path")
    subprocess.run(["cat", path], check=True, capture_output=True)
    assert capture.after().read == {str(path): INOTIFY}


def test_our_own_threads_and_files_are_left_out(capture: FileCapture, folder: Path):
    (folder / "mlflow.db").write_bytes(b"")
    (folder / "nb.ipynb").write_text("{}")
    capture.before("")
    for name in ("mlflow.db", "nb.ipynb"):
        (folder / name).read_bytes()
    with own_work():
        Path(__file__).parents[2].joinpath("conftest.py").exists()
        Path(os.devnull).read_bytes()
    assert capture.after() == CellFiles({})


@linux
def test_bytes_that_no_file_explains_are_counted(capture: FileCapture, tmp_path: Path):
    size = 32 << 20  # copying it takes a while: cells that are over at once are not asked
    hidden = tmp_path / "hidden.bin"
    hidden.write_bytes(bytes(size))
    descriptor = os.open(hidden, os.O_RDONLY)
    for _ in range(10):
        modules = len(sys.modules)
        capture.before("")
        os.pread(descriptor, size, 0)
        unseen = capture.after().unseen
        if len(sys.modules) == modules:  # else a thread of another test has imported something: nothing is counted then
            break
    assert size <= unseen < size + (1 << 20)
    capture.before("")
    capture.after()
    os.pread(descriptor, size, 0)  # between cells: not the next one's
    os.close(descriptor)
    capture.before("")
    assert capture.after().unseen == 0
    capture.before("")
    hidden.read_bytes()
    assert capture.after().unseen == 0


@linux
def test_fonts_of_pictures_are_no_unseen_input(capture: FileCapture, tmp_path: Path):
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    for _ in range(2):  # the second time fonts are known, and read again
        figure = Figure()
        figure.add_subplot().set_title("title")
        capture.before("")
        FigureCanvasAgg(figure).draw()
        assert capture.after().unseen == 0


@pytest.mark.parametrize(
    ("witnesses", "expected"),
    [
        ((["a"], [], [], []), CellFiles({"a": AUDIT})),
        (([], [], [Opened("b", read=True, written=False)], ["b"]), CellFiles({"b": INOTIFY})),
        (([], [], [], ["c"]), CellFiles({"c": LITERAL})),
        ((["a"], [], [Opened("a", read=True, written=False)], ["a"]), CellFiles({"a": AUDIT})),
        (([], ["d"], [Opened("d", read=True, written=True)], ["d"]), CellFiles({}, ("d",))),
        (([], [], [Opened("e", read=True, written=True, made=True)], []), CellFiles({}, ("e",))),
        (([], [], [Opened("f", read=True, written=True)], []), CellFiles({"f": INOTIFY}, ("f",))),
        ((["g"], ["g"], [], []), CellFiles({"g": AUDIT}, ("g",))),
    ],
)
def test_witnesses_are_weighed(witnesses: Any, expected: CellFiles):
    assert decide(*witnesses) == expected


def test_addresses_in_buckets_that_a_cell_names_are_told_without_secrets(capture: FileCapture):
    source = (
        "a = read('lakefs://sales/main/a.parquet'); b = read('s3://me:pw@bucket/b.csv?token=x'); "
        "c = read('https://host/c.csv'); d = 's3://'"
    )
    capture.before(source)
    literal = Evidence.LITERAL
    assert dict(capture.after().read) == {"lakefs://sales/main/a.parquet": literal, "s3://bucket/b.csv": literal}
    capture.before("x = 1")
    assert capture.after() == CellFiles({})


@pytest.mark.parametrize("name", ["schemas", "schemas/flights.yaml", "pipelines/flights/params.py", ".nbmlops/spool"])
def test_what_we_keep_in_a_project_is_no_data_and_neither_are_its_folders(tmp_path: Path, name: str):
    assert not is_data(str(tmp_path / name), our_folders(tmp_path))
    assert is_data(str(tmp_path / "schemas.csv"), our_folders(tmp_path))
