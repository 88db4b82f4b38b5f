"""The way of entries to a store that is there, away, slow, or refuses them."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbmlops.core.errors import EnvironmentFault, StoreAway, UsageError
from nbmlops.tracking.outbox import Outbox
from nbmlops.tracking.spool import Entry, Spool, find_spools, read_spool

LONG = 30.0  # seconds that no test takes


class Store:
    """Takes entries, or raises what it is told."""

    def __init__(self) -> None:
        self.got: list[Entry] = []
        self.error: Exception | None = None
        self.hangs = threading.Event()
        self.hangs.set()

    def send(self, entry: Entry) -> None:
        assert self.hangs.wait(LONG)
        if self.error is not None:
            raise self.error
        self.got.append(entry)


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def outbox(store: Store, tmp_path: Path) -> Iterator[Outbox]:
    outbox = Outbox(Spool(tmp_path), store.send, pause=LONG)
    yield outbox
    store.hangs.set()
    outbox.close()


def entries(count: int) -> list[Entry]:
    return [{"kind": "log", "at": number} for number in range(count)]


def test_entries_are_sent_in_order(outbox: Outbox, store: Store):
    for entry in entries(50):
        outbox.put(entry)
    outbox.settle(LONG)
    assert (store.got, outbox.waiting, outbox.news()) == (entries(50), 0, None)


def test_what_need_not_be_sent_at_once_goes_with_the_next(outbox: Outbox, store: Store):
    first, second = entries(2)
    outbox.put(first, wake=False)
    outbox.put(second)
    outbox.settle(LONG)
    assert store.got == [first, second]


def test_a_store_that_is_away_is_told_once_and_gets_everything_when_it_is_back(
    outbox: Outbox, store: Store, tmp_path: Path
):
    store.error = StoreAway("the server is down")
    for entry in entries(3):
        outbox.put(entry)
    with pytest.raises(StoreAway, match="the server is down"):
        outbox.settle(LONG)
    assert (str(outbox.news()), outbox.news(), outbox.waiting) == ("the server is down", None, 3)
    (key,) = find_spools(tmp_path)
    assert [entry for _, entry in read_spool(tmp_path / f"{key}.jsonl").waiting] == entries(3)
    store.error = None
    outbox.settle(LONG)
    assert store.got == entries(3)
    assert read_spool(tmp_path / f"{key}.jsonl").waiting == ()


def test_a_store_that_hangs_holds_up_nobody(outbox: Outbox, store: Store):
    store.hangs.clear()
    for entry in entries(2):
        outbox.put(entry)
    with pytest.raises(StoreAway, match=r"did not take everything within 0.01 seconds"):
        outbox.settle(0.01)
    store.hangs.set()
    outbox.settle(LONG)
    assert store.got == entries(2)


def test_what_a_store_refuses_is_told_and_passed_over(outbox: Outbox, store: Store):
    store.error = UsageError("no such run")
    outbox.put(entries(1)[0])
    with pytest.raises(UsageError, match="no such run"):
        outbox.settle(LONG)
    store.error = None
    outbox.settle(LONG)
    assert (outbox.waiting, outbox.news(), store.got) == (0, None, [])


def test_a_fault_of_the_client_is_a_store_that_is_away(outbox: Outbox, store: Store):
    store.error = ZeroDivisionError("bug")
    outbox.put(entries(1)[0])
    with pytest.raises(StoreAway, match="ZeroDivisionError: bug"):
        outbox.settle(LONG)
    assert outbox.waiting == 1


def test_closing_leaves_what_waits_and_removes_what_is_empty(outbox: Outbox, store: Store, tmp_path: Path):
    store.error = EnvironmentFault("the token has expired")
    outbox.put(entries(1)[0])
    outbox.close(remove=True)
    assert len(find_spools(tmp_path)) == 1
    empty = Outbox(Spool(tmp_path / "other"), store.send)
    empty.close(remove=True)
    assert list((tmp_path / "other").iterdir()) == []


def test_neither_the_spool_nor_the_store_gets_secrets(store: Store, tmp_path: Path):
    spool = Spool(tmp_path)
    outbox = Outbox(spool, store.send, pause=LONG)
    outbox.put({"kind": "log", "at": 1, "text": "https://me:secret-1@host/x"})
    outbox.settle(LONG)
    outbox.close()
    assert store.got == [{"kind": "log", "at": 1, "text": "https://me:[redacted]@host/x"}]
    assert b"secret-1" not in spool.path.read_bytes()


def test_entries_that_threads_put_at_once_have_numbers_of_their_own_in_the_order_of_sending(
    outbox: Outbox, store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    write = os.write

    def slow(opened: int, data: bytes) -> int:
        time.sleep(0.001)  # another thread has its turn
        return write(opened, data)

    monkeypatch.setattr(os, "write", slow)
    store.hangs.clear()
    threads = [threading.Thread(target=lambda: [outbox.put(entry) for entry in entries(10)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
    (key,) = find_spools(tmp_path)
    kept = read_spool(tmp_path / f"{key}.jsonl").entries
    assert [number for number, _ in kept] == list(range(1, 41))
    store.hangs.set()
    outbox.settle(LONG)
    assert store.got == [entry for _, entry in kept]
