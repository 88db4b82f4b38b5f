"""What handing a value over costs beside writing and reading its bytes raw, and beside Parquet: ratios of one run.

    python benchmarks/handover.py [ROWS [REPETITIONS]]

Raw means: the very bytes of the stored form into a file and on the disk (fsync); a file read whole into memory.
Ratios are medians of those of single repetitions, in which all ways follow each other, ours and the raw ones first in
turn. Takes one minute to three for a million rows, half of it for times, half for memory (`handover_memory.py`).
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median

import handover_memory
import pandas as pd  # noqa: TID253 - a script
from handover_memory import frame
from msgspec import Struct
from sklearn.ensemble import RandomForestRegressor  # noqa: TID253 - a script

from nbmlops.runtime.handover import codecs
from nbmlops.runtime.handover.handover import Handover
from nbmlops.runtime.handover.sharing import Walk
from nbmlops.runtime.store.store import Store
from nbmlops.runtime.store.stored import StoredValue


class Ratio(Struct, frozen=True):
    """What is promised of two ways: the seconds of the ones beside those of the others."""

    name: str
    ours: tuple[str, ...]
    beside: tuple[str, ...]
    goal: float | None
    at_least: bool = False


WAYS = ("raw write", "raw read", "save", "load", "unchanged", "parquet write", "parquet read")
RATIOS = (
    Ratio("save beside raw write", ("save",), ("raw write",), 1.5),
    Ratio("load beside raw read", ("load",), ("raw read",), 0.5),
    Ratio("Parquet round trip beside ours", ("parquet write", "parquet read"), ("save", "load"), 4.0, at_least=True),
    Ratio("save what is unchanged beside raw write", ("unchanged",), ("raw write",), None),
)


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Returns the wall and the CPU seconds of one call."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def raw_write(path: Path, parts: Sequence[bytes | memoryview]) -> None:
    """Writes the parts and waits until they are on the disk."""
    with path.open("wb", buffering=0) as stream:
        for part in parts:
            view = memoryview(part).cast("B")
            while view:
                view = view[os.write(stream.fileno(), view[: 1 << 30]) :]
        os.fsync(stream.fileno())


def once(value: object, folder: Path, turn: int, *, parquet: bool = True) -> dict[str, tuple[float, float]]:
    """Returns wall and CPU seconds of each way, in a folder of its own; in every other turn ours come first.

    What was removed before is still worked off by the disk while the first ways go on.
    """
    found: dict[str, tuple[float, float]] = {}

    def raw() -> None:
        encoded = codecs.encode(value, Walk(value))
        found["raw write"] = timed(lambda: raw_write(folder / "raw", encoded.parts))
        found["raw read"] = timed((folder / "raw").read_bytes)

    def ours() -> None:
        store, saved = Store(folder / "store"), list[StoredValue]()
        first = Handover(store, {}, "benchmark")
        found["save"] = timed(lambda: saved.extend(first.save({"value": value}).values))
        second = Handover(store, {one.name: one for one in saved}, "benchmark")
        found["load"] = timed(lambda: second.load("value"))
        found["unchanged"] = timed(lambda: second.save({}))

    os.sync()
    for ways in (ours, raw) if turn % 2 else (raw, ours):
        ways()
    if parquet and isinstance(value, pd.DataFrame):
        path = folder / "value.parquet"
        found["parquet write"] = timed(lambda: value.to_parquet(path, compression="zstd"))
        found["parquet read"] = timed(lambda: pd.read_parquet(path))
    return found


def report(name: str, size: int, times: Sequence[Mapping[str, tuple[float, float]]], *, goals: bool) -> str:
    """Returns the lines of one value: seconds of each way, then each ratio, its goal, and whether it is met."""
    lines = [f"{name}, {size / 1e6:.0f} MB"]
    for way in sorted(times[0], key=WAYS.index):
        wall, cpu = (median(time[way][kind] for time in times) for kind in (0, 1))
        lines.append(f"  {way:14} {wall:7.3f} s, {cpu:7.3f} s of CPU")
    for ratio in RATIOS:
        if not {*ratio.ours, *ratio.beside} <= times[0].keys():
            continue
        wall, cpu = (
            median(sum(t[way][kind] for way in ratio.ours) / sum(t[way][kind] for way in ratio.beside) for t in times)
            for kind in (0, 1)
        )
        goal = ""
        if goals and ratio.goal is not None:
            met = wall >= ratio.goal if ratio.at_least else wall <= ratio.goal
            goal = f"goal {'>=' if ratio.at_least else '<='} {ratio.goal}: {'met' if met else 'NOT MET'}"
        lines.append(f"  {ratio.name:40} {wall:5.2f} x wall, {cpu:5.2f} x CPU   {goal}".rstrip())
    return "\n".join(lines)


def main() -> None:
    """Prints what each value costs, then the memory it needs."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    repetitions = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    mixed = frame(rows)
    numbers = mixed[[name for name in mixed if str(name).startswith("float")]].to_numpy()
    model = RandomForestRegressor(50, max_depth=12, random_state=0).fit(numbers[:20_000], numbers[:20_000, 0])
    print(f"{rows:,} rows; medians of {repetitions}")
    values = {"frame, 15 columns": mixed, "array, 6 columns": numbers, "array, by rows": numbers.copy("C")}
    for name, value in {**values, "forest of 50 trees": model}.items():
        times = []
        for turn in range(repetitions):
            with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
                times.append(once(value, Path(folder), turn))
                size = (Path(folder) / "raw").stat().st_size
        print(report(name, size, times, goals=name in values), flush=True)
    del mixed, numbers, values, model
    print(handover_memory.table(rows))


if __name__ == "__main__":
    main()
