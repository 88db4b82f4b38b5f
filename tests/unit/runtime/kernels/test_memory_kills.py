from __future__ import annotations

from pathlib import Path

from nbmlops.runtime.kernels.memory_kills import memory_kills


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_kills_of_host_and_control_group_count(tmp_path: Path) -> None:
    host = write(tmp_path / "vmstat", "nr_free_pages 12\noom_kill 2\n")
    own = write(tmp_path / "cgroup", "0::/jobs/7\n")
    write(tmp_path / "fs" / "jobs" / "7" / "memory.events", "low 0\noom 3\noom_kill 1\n")
    assert memory_kills(host, tmp_path / "fs", own) == 3


def test_control_groups_of_the_first_version_count(tmp_path: Path) -> None:
    own = write(tmp_path / "cgroup", "4:memory:/docker/ab\n2:cpu:/x\n")
    write(tmp_path / "fs" / "memory" / "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 5\n")
    assert memory_kills(tmp_path / "none", tmp_path / "fs", own) == 5


def test_a_system_that_does_not_tell_is_not_asked_twice(tmp_path: Path) -> None:
    assert memory_kills(tmp_path / "none", tmp_path / "none", tmp_path / "none") is None
