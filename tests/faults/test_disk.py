"""Rows 13, 14, 17 and 21 of the catalogue: writers that are killed, full disks, no descriptors left."""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbmlops.core.documents import write_atomically
from nbmlops.core.errors import EnvironmentFault
from nbmlops.runtime.store.store import Store

ROUNDS = int(os.environ.get("NBMLOPS_SOAK", "6"))
"""How often something is killed; `make soak` makes it 200."""

WRITER = """
import sys
from pathlib import Path
from nbmlops.runtime.schedule.execute import _write_notebook
cells = [{"source": "x", "outputs": [{"text": "y" * 100_000}]} for _ in range(100)]
for number in range(10 ** 6):
    _write_notebook(Path(sys.argv[1]), {"cells": cells, "number": number})
    print(number, flush=True)
"""


def test_a_writer_that_is_killed_leaves_a_whole_notebook(tmp_path: Path) -> None:
    target, chance = tmp_path / "01_a.ipynb", random.Random(1)
    for _ in range(ROUNDS):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(target)], stdout=subprocess.PIPE, cwd=tmp_path
        ) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(chance.uniform(0.0, 0.2))
            writer.kill()
        document = json.loads(target.read_bytes())
        assert (len(document["cells"]), document["number"] >= 0) == (100, True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 3 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_leaves_old_files_and_no_remains(small_disk: Path) -> None:
    document = small_disk / "run.json"
    write_atomically(document, b"old")
    with pytest.raises(EnvironmentFault, match=r"cannot write .*run\.json: No space left on device"):
        write_atomically(document, b"x" * (8 << 20))
    assert document.read_bytes() == b"old"
    assert [path.name for path in small_disk.iterdir()] == ["run.json"]
    write_atomically(document, b"new")
    assert document.read_bytes() == b"new"


def test_a_full_disk_stops_the_store_and_frees_what_was_begun(small_disk: Path) -> None:
    store = Store(small_disk / "store")
    kept = store.put([b"a" * 1000])
    with pytest.raises(EnvironmentFault, match="No space left on device"):
        store.put([b"b" * (8 << 20)])
    assert bytes(store.read(kept)) == b"a" * 1000
    assert sum(path.stat().st_size for path in small_disk.rglob("*") if path.is_file()) < 2000


def test_without_descriptors_writing_fails_by_name_and_old_files_stay(tmp_path: Path) -> None:
    document = tmp_path / "run.json"
    write_atomically(document, b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.open(os.devnull, os.O_RDONLY)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
    try:
        with pytest.raises(EnvironmentFault, match="Too many open files"):
            write_atomically(document, b"new")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert document.read_bytes() == b"old"


def test_writing_a_thousand_times_leaks_no_descriptor(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    write_atomically(tmp_path / "a", b"0")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for number in range(1000):
        store.read(store.put([str(number % 10).encode()]))
    assert len(list(Path("/proc/self/fd").iterdir())) == before
