from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from nbmlops.core.errors import EnvironmentFault
from nbmlops.tracking.spool import Spool, Spooled, find_spools, read_spool

ONE, TWO = {"kind": "log", "at": 1}, {"kind": "end", "state": "FINISHED"}


def test_entries_come_back_in_order_with_what_was_sent(tmp_path: Path):
    with Spool(tmp_path) as spool:
        assert (spool.append(ONE), spool.append(TWO)) == (1, 2)
        spool.mark_sent(1)
        assert spool.read() == Spooled(((1, ONE), (2, TWO)), 1)
        assert spool.read().waiting == ((2, TWO),)


def test_a_line_that_a_crash_cut_off_is_no_entry_and_spoils_no_other(tmp_path: Path):
    with Spool(tmp_path) as spool:
        spool.append(ONE)
        spool.append(TWO)
        spool.mark_sent(1)
    for length in range(2, spool.path.stat().st_size - len(spool.path.read_bytes().splitlines()[0]) - 1):
        whole = spool.path.read_bytes()
        spool.path.write_bytes(whole[:-length])
        with Spool(tmp_path, spool.key) as again:
            again.append(TWO)
            assert again.read() == Spooled(((1, ONE), (2, TWO)), 1)
        spool.path.write_bytes(whole)


def test_a_line_that_a_full_disk_cut_off_is_told_and_spoils_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write = os.write
    with Spool(tmp_path) as spool:
        spool.append(ONE)
        monkeypatch.setattr(os, "write", lambda opened, data: write(opened, data[:9]))
        with pytest.raises(EnvironmentFault, match="No space left on device"):
            spool.append(TWO)
        monkeypatch.undo()
        assert spool.append(TWO) == 2
        assert spool.read() == Spooled(((1, ONE), (2, TWO)))


def test_a_line_that_was_altered_is_no_entry(tmp_path: Path):
    with Spool(tmp_path) as spool:
        spool.append(ONE)
    spool.path.write_bytes(spool.path.read_bytes().replace(b'"at": 1', b'"at": 2'))
    assert read_spool(spool.path) == Spooled(())


def test_nobody_else_may_read_it(tmp_path: Path):
    with Spool(tmp_path / "spool") as spool:
        modes = [stat.S_IMODE(path.stat().st_mode) for path in (spool.path.parent, spool.path)]
    assert modes == [0o700, 0o600]


def test_one_process_works_on_it_at_a_time(tmp_path: Path):
    with Spool(tmp_path) as spool:
        with pytest.raises(EnvironmentFault, match="another process"):
            Spool(tmp_path, spool.key)
        key = spool.key
    with Spool(tmp_path, key) as again:
        assert again.append(ONE) == 1
    assert find_spools(tmp_path) == (key,)


def test_a_removed_one_leaves_nothing(tmp_path: Path):
    spool = Spool(tmp_path)
    spool.append(ONE)
    spool.remove()
    assert list(tmp_path.iterdir()) == []
    assert find_spools(tmp_path) == ()


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFault, match="file/spool"):
        Spool(tmp_path / "file" / "spool")
