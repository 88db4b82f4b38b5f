"""What a notebook's run asks of its tracking store and registry; `nbmlops.app.session.store` is the real one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from nbmlops.app.running.closing import Registration
from nbmlops.app.session.place import SessionPlace
from nbmlops.app.session.surroundings import Surroundings
from nbmlops.core.diagnostics import Json
from nbmlops.core.errors import NbmlopsError
from nbmlops.core.records import DataRecord
from nbmlops.gate.verdict import Verdict, Waiver
from nbmlops.pipeline.run_record import ModelVersionRef, StepLog
from nbmlops.registry.registry import ModelRegistry
from nbmlops.tracking.cells import CellRun, CellValues, ValueMade
from nbmlops.tracking.tracker import RunFacts, Tracker


class RunTitle(Struct, frozen=True):
    """What a run is called in the tracking store; its id is "" until the store has it."""

    run_id: str
    name: str
    experiment: str


class SessionStore(Protocol):
    """The tracking store and registry as one run sees them."""

    @property
    def title(self) -> RunTitle | None:
        """The run as the store has it, None before it has started there."""

    @property
    def earlier(self) -> RunFacts | None:
        """What another kernel has logged in this run, None for a new run."""

    @property
    def tracker(self) -> Tracker:
        """The tracking store, for reading."""

    @property
    def registry(self) -> ModelRegistry:
        """The registry, for reading."""

    def send(self, batch: StepLog) -> None:
        """Takes a batch, which is added to the run soon."""

    def note(self, run: CellRun) -> None:
        """Takes a cell that ran."""

    def note_values(self, number: int, values: CellValues) -> None:
        """Takes the tables and arrays of a cell that was noted, by its number; may be called on any thread."""

    def tag(self, tags: Mapping[str, str]) -> None:
        """Takes tags of the run."""

    def document(self, name: str, document: Mapping[str, Json]) -> None:
        """Takes a JSON document for the run's artifacts; one of the same name takes its place."""

    def news(self) -> NbmlopsError | None:
        """Returns what goes wrong with the store and was not told yet, or None."""

    def backlog(self) -> str:
        """Returns what is not yet in the store, and why, as a sentence; "" when it has everything."""

    def move(self, place: SessionPlace) -> None:
        """Tells the run which notebook it belongs to, which was not known at its start."""

    def judge(self, metrics: Mapping[str, float], waivers: Sequence[Waiver] = ()) -> Verdict:
        """Returns the verdict on these metrics, after storing it with the run."""

    def preview(self, metrics: Mapping[str, float]) -> Verdict | None:
        """Returns what `judge` would say, without storing it; None where no rules are known."""

    def surroundings(self) -> Surroundings | None:
        """Returns the champion and earlier runs, after waiting for the store; None before the run has begun there."""

    def register(self, verdict: Verdict, registration: Registration) -> ModelVersionRef:
        """Returns the version that holds the model."""

    def end(self, *, failed: bool) -> None:
        """Ends the run."""

    def abandon(self) -> None:
        """Lets go of the run in a forked child: it is its parent's."""


class RunFiles(Protocol):
    """What a session asks of whoever follows its files; `nbmlops.app.session.files` is the real one."""

    def cell_started(self, source: str) -> None:
        """Begins a cell."""

    def code_begins(self) -> None:
        """Notes that code begins to run, whether or not it is a cell of the notebook."""

    def cell_ended(self, run: CellRun, *, alone: bool) -> CellRun:
        """Returns the cell with the files that it read and wrote; `alone` if no other one runs."""

    def cell_left(self) -> None:
        """Ends a cell that is not recorded."""

    def settle(self, seconds: float) -> bool:
        """Returns whether all inputs have been fingerprinted, after waiting for that."""

    @property
    def records(self) -> tuple[DataRecord, ...]:
        """The inputs with their fingerprints."""

    @property
    def values(self) -> Mapping[int, CellValues]:
        """The tables and arrays of the cells, by how many cells were noted before each."""

    @property
    def made(self) -> Mapping[str, ValueMade]:
        """Name -> what was made or changed under it last; the latest one at the end."""

    def notes(self) -> tuple[str, ...]:
        """Returns what the user should know of them."""

    def stop(self) -> None:
        """Ends following."""
