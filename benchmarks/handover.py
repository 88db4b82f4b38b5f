"""What handing a value over costs beside writing and reading its bytes raw, and beside Parquet: ratios of one run.

    python benchmarks/handover.py [ROWS [REPETITIONS]]

Raw means: the very bytes of the stored form into a file and on the disk (fsync); a file read whole into memory.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np  # noqa: TID253 - a script
import pandas as pd  # noqa: TID253 - a script
from sklearn.ensemble import RandomForestRegressor  # noqa: TID253 - a script

from nbmlops.data.fingerprint import fingerprint
from nbmlops.runtime import codecs
from nbmlops.runtime.handover import Handover
from nbmlops.runtime.sharing import Walk
from nbmlops.runtime.store import Store
from nbmlops.runtime.stored import StoredValue

COLUMNS = ("raw write", "raw read", "save", "load", "unchanged", "parquet write", "parquet read")


def frame(rows: int) -> pd.DataFrame:
    """Returns a frame of 15 columns: floats, integers, texts, a category, times, booleans."""
    random = np.random.default_rng(0)
    columns: dict[str, Any] = {f"float{number}": random.standard_normal(rows) for number in range(6)}
    columns |= {f"int{number}": random.integers(0, 1000, rows) for number in range(4)}
    columns |= {"text": random.choice(["aa", "bbb", "cccc"], rows), "id": random.integers(0, rows, rows).astype(str)}
    columns["category"] = pd.Categorical(random.choice(list("xyz"), rows))
    columns["time"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(random.integers(0, 10**6, rows), unit="s")
    return pd.DataFrame(columns).assign(flag=random.random(rows) < 0.5)


def seconds(work: Callable[[], object]) -> float:
    """Returns the wall seconds of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def raw_write(path: Path, parts: list[bytes | memoryview]) -> None:
    """Writes the parts and waits until they are on the disk."""
    with path.open("wb", buffering=0) as stream:
        for part in parts:
            view = memoryview(part).cast("B")
            while view:
                view = view[os.write(stream.fileno(), view[: 1 << 30]) :]
        os.fsync(stream.fileno())


def once(value: object, folder: Path) -> dict[str, float]:
    """Returns the seconds of each way, in a folder of its own."""
    found: dict[str, float] = {}
    encoded = codecs.encode(value, Walk(value), fingerprint)
    found["raw write"] = seconds(lambda: raw_write(folder / "raw", list(encoded.parts)))
    found["raw read"] = seconds((folder / "raw").read_bytes)
    store, saved = Store(folder / "store"), list[StoredValue]()
    first = Handover(store, {}, "benchmark")
    found["save"] = seconds(lambda: saved.extend(first.save({"value": value}).values))
    second = Handover(store, {one.name: one for one in saved}, "benchmark")
    found["load"] = seconds(lambda: second.load("value"))
    found["unchanged"] = seconds(lambda: second.save({}))
    if isinstance(value, pd.DataFrame):
        path = folder / "value.parquet"
        found["parquet write"] = seconds(lambda: value.to_parquet(path, compression="zstd"))
        found["parquet read"] = seconds(lambda: pd.read_parquet(path))
    return found


def main() -> None:
    """Prints a row for each value: seconds, and the ratios that are promised."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    repetitions = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    mixed = frame(rows)
    numbers = mixed[[name for name in mixed if str(name).startswith("float")]].to_numpy()
    model = RandomForestRegressor(50, max_depth=12, random_state=0).fit(numbers[:20_000], numbers[:20_000, 0])
    print(f"{rows:,} rows; medians of {repetitions} in seconds")
    for name, value in {"frame, 15 columns": mixed, "array, 6 columns": numbers, "forest of 50 trees": model}.items():
        times = []
        for _ in range(repetitions):
            with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
                times.append(once(value, Path(folder)))
        middle = {way: median(time[way] for time in times) for way in times[0]}
        print(f"{name}: " + ", ".join(f"{way} {middle[way]:.3f}" for way in COLUMNS if way in middle))
        ratios = {
            "save / raw write": middle["save"] / middle["raw write"],
            "load / raw read": middle["load"] / middle["raw read"],
            "unchanged / raw write": middle["unchanged"] / middle["raw write"],
        }
        if "parquet read" in middle:
            parquet = middle["parquet write"] + middle["parquet read"]
            ratios["parquet round trip / ours"] = parquet / (middle["save"] + middle["load"])
        print("  " + ", ".join(f"{what} {ratio:.2f}" for what, ratio in ratios.items()))


if __name__ == "__main__":
    main()
