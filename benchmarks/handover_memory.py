"""How much memory saving and loading a value needs beside the value itself, each in a process of its own.

    python benchmarks/handover_memory.py [ROWS]

Extra copies are (peak - before) / size when saving, and one less when loading, where the value itself is new. The size
is that of the value in memory, gaps in it included. Peaks are those that Linux keeps (VmHWM), with pages of mapped
files.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np  # noqa: TID253 - a script
import pandas as pd  # noqa: TID253 - a script
from msgspec import Struct

from nbmlops.runtime.handover.codecs import Codec
from nbmlops.runtime.handover.handover import Handover
from nbmlops.runtime.store.store import ObjectRef, Store
from nbmlops.runtime.store.stored import StoredValue

GOAL = 1.0
SLACK = 8 << 20  # what libraries set up once, whatever the size


def frame(rows: int) -> pd.DataFrame:
    """Returns a frame of 15 columns: floats, integers, texts, a category, times, booleans."""
    random = np.random.default_rng(0)
    columns: dict[str, Any] = {f"float{number}": random.standard_normal(rows) for number in range(6)}
    columns |= {f"int{number}": random.integers(0, 1000, rows) for number in range(4)}
    columns |= {"text": random.choice(["aa", "bbb", "cccc"], rows), "id": random.integers(0, rows, rows).astype(str)}
    columns["category"] = pd.Categorical(random.choice(list("xyz"), rows))
    columns["time"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(random.integers(0, 10**6, rows), unit="s")
    return pd.DataFrame(columns).assign(flag=random.random(rows) < 0.5)


def _objects(rows: int) -> pd.DataFrame:
    texts = np.array([f"text {number} " + "x" * 80 for number in range(rows // 2)], dtype=object)
    return pd.DataFrame({"text": pd.Series(texts, dtype=object), "number": np.arange(rows // 2)})


def _texts(rows: int) -> pd.Series[Any]:
    return pd.Series([f"text {number} " + "x" * 80 if number % 9 else None for number in range(rows // 2)], dtype="str")


def _two_frames(rows: int) -> dict[str, pd.DataFrame]:
    return {"a": frame(rows // 2), "b": frame(rows // 2)}


def _numbers(rows: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(0).standard_normal((rows, 12))


def _missing(rows: int) -> np.ndarray[Any, Any]:
    numbers = _numbers(rows)
    numbers[::7] = np.nan
    return numbers


def _forest(rows: int) -> Any:
    from sklearn.ensemble import RandomForestRegressor

    numbers = np.random.default_rng(0).standard_normal((max(rows // 20, 100), 6))
    return RandomForestRegressor(30, random_state=0).fit(numbers, numbers[:, 0])


def _arrays_of(value: Any) -> int:
    return sum(tree.tree_.__getstate__()["nodes"].nbytes + tree.tree_.value.nbytes for tree in value.estimators_)


def _deep(value: pd.DataFrame) -> int:
    return int(value.memory_usage(deep=True).sum())


class Kind(Struct, frozen=True):
    """A kind of value: what makes one, and how many bytes one takes."""

    make: Callable[[int], Any]
    size: Callable[[Any], int]


KINDS: dict[str, Kind] = {
    "mixed frame": Kind(frame, _deep),
    "frame by rows": Kind(lambda rows: pd.DataFrame(_numbers(rows), copy=False), _deep),
    "frame with objects": Kind(_objects, _deep),
    "texts, some missing": Kind(_texts, lambda value: value.memory_usage(index=False, deep=True)),
    "dict of frames": Kind(_two_frames, lambda value: sum(map(_deep, value.values()))),
    "array": Kind(_numbers, lambda value: value.nbytes),
    "array with NaN": Kind(_missing, lambda value: value.nbytes),
    "array with gaps": Kind(lambda rows: _numbers(rows)[:, ::2], lambda value: value.base.nbytes),
    "list of texts": Kind(
        lambda rows: [f"{number} " + "y" * 200 for number in range(rows // 2)],
        lambda value: sum(map(sys.getsizeof, value)),
    ),
    "long text": Kind(lambda rows: "z" * 100 * rows, sys.getsizeof),
    "forest": Kind(_forest, _arrays_of),
}  # fmt: skip


def _memory(name: str) -> int:
    status = Path("/proc/self/status").read_text().split()
    return int(status[status.index(f"{name}:") + 1]) << 10


def _peak_of(work: Callable[[], Any]) -> tuple[int, Any]:
    """Returns by how many bytes the memory of this process grew at most, and what the work returned."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # the peak is forgotten
    before = _memory("VmRSS")
    found = work()
    return _memory("VmHWM") - before, found


def _save(kind: Kind, rows: int, store: Store) -> dict[str, Any]:
    Handover(store, {}, "benchmark").save({"value": kind.make(100)})  # libraries are loaded
    value = kind.make(rows)
    peak, saved = _peak_of(lambda: Handover(store, {}, "benchmark").save({"value": value}))
    (stored,) = saved.values
    ref = stored.ref
    return {"peak": peak, "size": kind.size(value), "codec": stored.codec, "stored": [ref.digest, ref.size]}


def _load(kind: Kind, store: Store, codec: str, stored: list[Any]) -> dict[str, Any]:
    (small,) = Handover(store, {}, "benchmark").save({"value": kind.make(100)}).values
    Handover(store, {"value": small}, "benchmark").load("value")
    entry = StoredValue("value", Codec(codec), ObjectRef(*stored), "", "")
    peak, _value = _peak_of(lambda: Handover(store, {"value": entry}, "benchmark").load("value"))
    return {"peak": peak}


def measured(name: str, rows: int, folder: Path) -> tuple[str, float, float, int]:
    """Returns the stored form, the extra copies when saving and when loading, and the size of a kind of value."""

    def child(*arguments: str) -> Any:
        command = [sys.executable, __file__, "child", str(folder), name, *arguments]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    saved = child("save", str(rows))
    loaded = child("load", saved["codec"], json.dumps(saved["stored"]))
    size = saved["size"]
    return saved["codec"], saved["peak"] / size, (loaded["peak"] - size) / size, size


def table(rows: int) -> str:
    """Returns a line for each kind of value; takes about a minute for a million rows."""
    lines = [f"Memory beside the value, {rows:,} rows: extra copies (goal: at most {GOAL:.0f})"]
    lines.append(f"  {'value':20} {'MB':>6} {'stored as':>9} {'save':>6} {'load':>6}  met")
    for name in KINDS:
        with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
            codec, saving, loading, size = measured(name, rows, Path(folder))
        met = max(saving, loading) <= GOAL + SLACK / size
        lines.append(f"  {name:20} {size / 1e6:6.0f} {codec:>9} {saving:6.2f} {loading:6.2f}  {'yes' if met else 'NO'}")
    return "\n".join(lines)


def _child(arguments: list[str]) -> None:
    folder, name, way, *rest = arguments
    kind, store = KINDS[name], Store(Path(folder))
    found = _save(kind, int(rest[0]), store) if way == "save" else _load(kind, store, rest[0], json.loads(rest[1]))
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    if sys.argv[1:2] == ["child"]:
        _child(sys.argv[2:])
    else:
        print(table(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
