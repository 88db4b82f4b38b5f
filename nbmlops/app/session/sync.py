"""Sending later what a notebook's run could not tell its store: `nbmlops sync`, in order and once."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from nbmlops.app.config.config import load_config
from nbmlops.app.project import SPOOLS, find_root
from nbmlops.app.wiring import Stores, relative_uri, tracking_uri
from nbmlops.core.errors import EnvironmentFault, NbmlopsError
from nbmlops.core.secret_settings import know_secrets
from nbmlops.pipeline.fields import Fields
from nbmlops.tracking.delivery import Delivery, end_entry, process_of
from nbmlops.tracking.lineage import PIPELINE
from nbmlops.tracking.process import is_gone
from nbmlops.tracking.spool import Entry, Spool, Spooled, find_spools, read_spool
from nbmlops.tracking.tracker import RunState, Tracker

_LAST_SECONDS = 60.0  # how long a process that sends a dead kernel's spool may outlive it
_PAUSE = 0.2


class SyncState(StrEnum):
    """What became of a spool. RUNNING: its notebook still runs and sends it itself."""

    SENT = "sent"
    RUNNING = "running"
    KEPT = "kept"


class SyncedRun(Struct, frozen=True):
    """One spool.

    Attributes:
        key: Its key.
        name: The run's name, or "".
        state: What became of it.
        run_id: The run in the store, or "".
        sent: How many entries were sent now.
        left: How many are still to be sent.
        faults: What the store refused, and why the rest is kept.
    """

    key: str
    name: str
    state: SyncState
    run_id: str = ""
    sent: int = 0
    left: int = 0
    faults: tuple[str, ...] = ()


def sync_runs(cwd: Path) -> tuple[SyncedRun, ...]:
    """Returns what became of the spools of a project, oldest first, after sending what its stores take.

    A run whose kernel ended without a word is ended as killed. What a store refuses for good is told and not kept.

    Args:
        cwd: A folder of the project.

    Raises:
        ConfigError: the settings are malformed.
    """
    root = find_root(cwd)
    folder = root / SPOOLS
    return tuple(_sync_when_free(folder, key, lambda entry: _tracker(root, entry)) for key in find_spools(folder))


def _sync_when_free(folder: Path, key: str, tracker_of: Callable[[Entry], Tracker]) -> SyncedRun:
    """Returns what became of a spool; what a kernel that has just died left may be on its way, for a moment."""
    end = time.monotonic() + _LAST_SECONDS
    while (synced := _sync(folder, key, tracker_of)).state is SyncState.RUNNING and time.monotonic() < end:
        entries = read_spool(folder / f"{key}.jsonl").entries
        if not entries or not is_gone(process_of(entries[0][1])):
            break
        time.sleep(_PAUSE)
    return synced


def sync_spool(root: Path, key: str, tracker: Tracker) -> SyncState:
    """Returns what became of one spool of a project, which is SENT where there is none any more.

    Args:
        root: The project's root.
        key: The spool.
        tracker: The store that the run belongs to.
    """
    folder = root / SPOOLS
    return _sync(folder, key, lambda _start: tracker).state if key in find_spools(folder) else SyncState.SENT


def _tracker(root: Path, start: Entry) -> Tracker:
    """Returns the store that a run belongs to.

    Raises:
        EnvironmentFault: the project's store is another one now.
    """
    fields = Fields(start, "spool")
    config = load_config(root).for_pipeline(fields.text_map("tags").get(PIPELINE, ""))
    know_secrets(config.secrets, config.tracking_uri)
    uri = tracking_uri(root, config)
    wanted, now = fields.text("uri"), relative_uri(uri, root)
    if wanted != now:
        raise EnvironmentFault(
            f"the run belongs to {wanted}, but the project's store is {now}",
            f"MLFLOW_TRACKING_URI={wanted} nbmlops sync",
        )
    return Stores(root, uri).tracker


def _sync(folder: Path, key: str, tracker_of: Callable[[Entry], Tracker]) -> SyncedRun:
    try:
        spool = Spool(folder, key)
    except EnvironmentFault:
        return SyncedRun(key, "", SyncState.RUNNING)
    with spool:
        found = spool.read()
        start = found.entries[0][1] if found.entries else {}
        if start.get("kind") != "start":  # the kernel died before it had written a whole line
            spool.remove()
            return SyncedRun(key, "", SyncState.SENT)
        sending = _Sending(spool, found)
        try:
            sending.run(Delivery(tracker_of(start), begun=found.sent > 0))
        except NbmlopsError as error:
            sending.faults.append(str(error))
            return sending.result(str(start["name"]), SyncState.KEPT)
        spool.remove()
        return sending.result(str(start["name"]), SyncState.SENT)


class _Sending:
    """The entries of one spool on their way."""

    def __init__(self, spool: Spool, found: Spooled) -> None:
        self._spool = spool
        self._found = found
        self._run_id = ""
        self._sent = 0
        self.faults: list[str] = []

    def run(self, delivery: Delivery) -> None:
        """Sends what waits, and the run's end if its kernel did not tell of it.

        Raises:
            NbmlopsError: the store cannot be used, or refuses the run itself.
        """
        kinds = [entry["kind"] for _, entry in self._found.entries]
        for number, entry in self._found.entries:
            waits = number > self._found.sent
            if waits or entry["kind"] in {
                "start",
                "cell",
                "values",
            }:  # the run is looked for; its cells become one document
                self._send(delivery, entry)
            if waits:
                self._spool.mark_sent(number)
                self._sent += 1
        if "end" not in kinds:
            delivery.send(end_entry(RunState.KILLED, self._last_sign()))

    def _send(self, delivery: Delivery, entry: Entry) -> None:
        try:
            delivery.send(entry)
        except EnvironmentFault:
            raise
        except NbmlopsError as error:
            if entry["kind"] == "start":
                raise
            self.faults.append(str(error))
        if delivery.facts is not None:
            self._run_id = delivery.facts.run_id

    def _last_sign(self) -> int:
        """Returns when the run was last heard of, in milliseconds since 1970."""
        times = [entry.get("at", 0) for _, entry in self._found.entries]
        return max(time for time in times if isinstance(time, int))

    def result(self, name: str, state: SyncState) -> SyncedRun:
        """Returns what became of it."""
        left = len(self._found.waiting) - self._sent
        return SyncedRun(self._spool.key, name, state, self._run_id, self._sent, left, tuple(self.faults))
