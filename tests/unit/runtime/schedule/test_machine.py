from __future__ import annotations

import os
from pathlib import Path

from nbmlops.runtime.schedule.machine import available_memory, peak_memory, usable_cores


def test_what_is_free_is_the_less_of_the_machine_and_the_container(tmp_path: Path) -> None:
    memory = tmp_path / "meminfo"
    memory.write_text("MemTotal:  9000 kB\nMemAvailable:    4000 kB\n")
    assert available_memory(memory, tmp_path) == 4_096_000
    (tmp_path / "memory.max").write_text("3000000\n")
    (tmp_path / "memory.current").write_text("1000000\n")
    assert available_memory(memory, tmp_path) == 2_000_000
    (tmp_path / "memory.max").write_text("max\n")
    assert available_memory(memory, tmp_path) == 4_096_000
    assert available_memory(tmp_path / "none", tmp_path / "none") == 0


def test_cores_and_the_peak_of_this_process() -> None:
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)
    assert 1 << 20 < peak_memory() < 1 << 44
