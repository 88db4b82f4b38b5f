from __future__ import annotations

import asyncio
import threading

import pytest

from nbmlops.runtime.steps.stray_errors import StrayErrors


def broken() -> None:
    raise ValueError("no disk")


def test_an_exception_in_a_thread_is_kept_and_shown_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    monkeypatch.setattr(threading, "excepthook", lambda arguments: seen.append(arguments.exc_type.__name__))
    before = threading.excepthook
    stray = StrayErrors()
    stray.start()
    thread = threading.Thread(target=broken, name="writer")
    thread.start()
    thread.join()
    assert stray.stop() == ("ValueError in writer: no disk",)
    assert seen == ["ValueError"]
    assert threading.excepthook is before


def test_a_task_that_nobody_waits_for_is_named() -> None:
    async def cell() -> tuple[str, ...]:
        stray = StrayErrors()
        stray.start()
        done = asyncio.create_task(asyncio.sleep(0), name="done")
        left = asyncio.create_task(asyncio.Event().wait(), name="left of asyncio")
        own = asyncio.create_task(forever(), name="download")
        await done
        found = stray.stop()
        left.cancel()
        own.cancel()
        return found

    async def forever() -> None:
        await asyncio.Event().wait()

    assert asyncio.run(cell()) == ("the task download was never awaited to its end",)
