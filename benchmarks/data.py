"""What fingerprints of data cost beside others' and beside reading memory or the file: ratios of one run.

    python benchmarks/data.py [ROWS [REPETITIONS]]
    python benchmarks/data.py dvc EXECUTABLE     # a file of 1 GiB beside `dvc add` and `dvc status`, whole processes

The candidates take turns; medians are told. Memory is what Python and NumPy hold at most beside the data.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

import blake3
import numpy as np  # noqa: TID253 - a script
import pandas as pd  # noqa: TID253 - a script
from measure import Candidate, compare, table

from nbmlops.data.describe import describe
from nbmlops.data.fingerprints.files import fingerprint_file
from nbmlops.data.fingerprints.fingerprint import fingerprint, fingerprint_frame

GIB = 1 << 30


def numbers(rows: int) -> pd.DataFrame:
    """Returns a frame of ten columns of floats."""
    return pd.DataFrame(np.random.default_rng(0).standard_normal((rows, 10)).T.copy().T)


def mixed(rows: int) -> pd.DataFrame:
    """Returns a frame of three columns of texts, a category and times."""
    random = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "few": random.choice(["aa", "bbb", "cccc"], rows),
            "id": random.integers(0, rows, rows).astype(str),
            "long": random.choice(["x" * 12, "y" * 20], rows),
            "category": pd.Categorical(random.choice(list("xyz"), rows)),
            "time": pd.Timestamp("2024-01-01") + pd.to_timedelta(random.integers(0, 10**6, rows), unit="s"),
        }
    )


def seconds(ways: Mapping[str, Callable[[], object]], repetitions: int) -> dict[str, float]:
    """Returns the median wall seconds of each way; they take turns."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repetitions):
        for name, work in ways.items():
            started = time.perf_counter()
            work()
            found[name].append(time.perf_counter() - started)
    return {name: median(times) for name, times in found.items()}


def tell(title: str, found: Mapping[str, float], unit: str) -> None:
    """Prints the seconds, each with its ratio to the way named `unit`."""
    print(title)
    for name, taken in found.items():
        print(f"  {name:34} {taken * 1000:9.1f} ms {taken / found[unit]:9.2f} x")


def mlflow_digest(frame: pd.DataFrame) -> Callable[[], object]:
    """Returns what makes MLflow's digest of a frame."""
    import mlflow.data

    return lambda: mlflow.data.from_pandas(frame).digest


def frame_ways(frame: pd.DataFrame) -> dict[str, Callable[[], object]]:
    """Returns the ways to digest a frame, and to read as many bytes."""
    size = int(frame.memory_usage(index=False, deep=False).sum())
    memory = np.ones(size // 8)
    return {
        "read (numpy.sum)": memory.sum,
        "fingerprint": lambda: fingerprint(frame),
        "fingerprint with its parts": lambda: fingerprint_frame(frame),
        "with parts and profile": lambda: describe(frame, "x"),
        "hash_pandas_object": lambda: pd.util.hash_pandas_object(frame),
    }


def frames(rows: int, repetitions: int) -> None:
    """Prints the cost of digesting frames."""
    for title, frame in (("numbers", numbers(rows)), ("texts, category, times", mixed(rows))):
        found = seconds(frame_ways(frame), repetitions)
        found |= seconds({"mlflow from_pandas().digest": mlflow_digest(frame)}, 1)
        tell(f"frame of {rows:,} rows: {title}", found, "fingerprint")
        print(f"  beside reading: {found['fingerprint'] / found['read (numpy.sum)']:.2f} x")


def memory(rows: int) -> None:
    """Prints what digesting holds beside the data, for frames of one and of four times the rows."""
    with_gaps = [
        numbers(count).astype("Float64").mask(np.random.default_rng(1).random((count, 10)) < 0.1)
        for count in (rows, 4 * rows)
    ]
    kinds: dict[str, list[Any]] = {
        "numbers": [numbers(rows), numbers(4 * rows)],
        "texts, category, times": [mixed(rows), mixed(4 * rows)],
        "nullable numbers": with_gaps,
    }
    print("memory beside the data, MiB: once, four times the rows")
    for name, pair in kinds.items():
        for way in (fingerprint, fingerprint_frame):
            print(f"  {name + ', ' + way.__name__:44} {peak(way, pair[0]):7.1f} {peak(way, pair[1]):7.1f}")


def peak(work: Callable[[Any], object], value: object) -> float:
    """Returns the MiB that a call holds at most beside what was there before."""
    tracemalloc.start()
    work(value)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most / 2**20


def read(path: Path) -> None:
    """Reads a file through one buffer of 1 MiB."""
    buffer = bytearray(1 << 20)
    with path.open("rb", buffering=0) as stream:
        while stream.readinto(buffer):
            pass


def files(folder: Path, repetitions: int) -> None:
    """Prints the cost of digesting a file of 256 MiB."""
    path = folder / "file"
    path.write_bytes(os.urandom(1 << 24) * 16)

    def md5() -> None:
        with path.open("rb") as stream:
            hashlib.file_digest(stream, "md5")

    ways: dict[str, Callable[[], object]] = {
        "read()": lambda: read(path),
        "xxh3": lambda: fingerprint_file(path),
        "blake3": lambda: fingerprint_file(path, "blake3"),
        "blake3, mapped (not taken)": lambda: blake3.blake3().update_mmap(path),
        "md5": md5,
    }
    tell("file of 256 MiB in the page cache", seconds(ways, repetitions), "read()")


def beside_dvc(executable: str) -> None:
    """Prints whole processes: the first tracking of 1 GiB, and looking again at it unchanged."""
    ours = "import sys; from nbmlops.data.fingerprints.files import fingerprint_file; fingerprint_file(sys.argv[1])"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run(["git", "init", "-q", name], check=True)
        subprocess.run([executable, "init", "-q"], cwd=folder, check=True)
        big = folder / "big"
        with big.open("wb") as stream:
            for _ in range(64):
                stream.write(os.urandom(GIB // 64))

        def forget() -> None:
            subprocess.run(["rm", "-rf", ".dvc/cache", ".dvc/tmp", "big.dvc"], cwd=folder, check=True)

        mine = Candidate("nbmlops fingerprint", [sys.executable, "-c", ours, str(big)])
        env = os.environ | {"DVC_NO_ANALYTICS": "1"}
        first = compare([mine, Candidate("dvc add", [executable, "add", "-q", "big"], forget)], 3, folder, env)
        print(table("first tracking of 1 GiB", first, "dvc add"))
        known = "import sys; from pathlib import Path; from nbmlops.data.fingerprints.known_files import KnownFiles"
        known += "; KnownFiles(Path('files.json')).digest(Path('big'))"
        look = Candidate("nbmlops, known by its state", [sys.executable, "-c", known])
        status = Candidate("dvc status", [executable, "status", "-q"])
        again = compare([mine, look, status], 4, folder, env)
        print(table("looking again at it, unchanged", again, "dvc status"))


def main() -> None:
    """Runs what the command line asks for."""
    if sys.argv[1:2] == ["dvc"]:
        beside_dvc(sys.argv[2])
        return
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    repetitions = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    frames(rows, repetitions)
    memory(rows // 4)
    with tempfile.TemporaryDirectory() as name:
        files(Path(name), repetitions)


if __name__ == "__main__":
    main()
