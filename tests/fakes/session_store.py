"""A store of a notebook's session that remembers what it was told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nbmlops.app.running.closing import Registration
from nbmlops.app.session.place import SessionPlace
from nbmlops.app.session.port import RunTitle
from nbmlops.app.session.surroundings import Surroundings
from nbmlops.core.diagnostics import Json
from nbmlops.core.errors import GateRejected, NbmlopsError
from nbmlops.gate.baseline import NoChampion
from nbmlops.gate.evaluate import evaluate
from nbmlops.gate.policy import Policy, Rule
from nbmlops.gate.verdict import Verdict, Waiver, waive
from nbmlops.pipeline.run_record import ModelVersionRef, StepLog
from nbmlops.tracking.cells import CellRun, CellValues
from nbmlops.tracking.tracker import RunFacts
from tests.fakes.in_memory import InMemoryRegistry, InMemoryTracker

POLICY = Policy((Rule("auc floor", "auc", min=0.7),))


class MemoryStore:
    """Judges by `POLICY`, and registers what passed."""

    def __init__(self) -> None:
        self.sent: list[StepLog] = []
        self.ended: list[str] = []
        self.moved: list[SessionPlace] = []
        self.cells: list[CellRun] = []
        self.values: dict[int, CellValues] = {}
        self.tags: dict[str, str] = {}
        self.documents: dict[str, Mapping[str, Json]] = {}
        self.trouble: NbmlopsError | None = None
        self.title: RunTitle | None = None
        self.waits = ""
        self.earlier: RunFacts | None = None
        self.tracker = InMemoryTracker()
        self.registry = InMemoryRegistry()
        self.around: Surroundings | None = Surroundings()

    def note(self, run: CellRun) -> None:
        self.cells.append(run)

    def note_values(self, number: int, values: CellValues) -> None:
        self.values[number] = values

    def tag(self, tags: Mapping[str, str]) -> None:
        self.tags.update(tags)

    def document(self, name: str, document: Mapping[str, Json]) -> None:
        self.documents[name] = document

    def news(self) -> NbmlopsError | None:
        news, self.trouble = self.trouble, None
        return news

    def backlog(self) -> str:
        return self.waits

    def send(self, batch: StepLog) -> None:
        self.sent.append(batch)

    def move(self, place: SessionPlace) -> None:
        self.moved.append(place)

    def judge(self, metrics: Mapping[str, float], waivers: Sequence[Waiver] = ()) -> Verdict:
        return waive(evaluate(metrics, NoChampion(), POLICY), waivers)

    def preview(self, metrics: Mapping[str, float]) -> Verdict | None:
        return evaluate(metrics, NoChampion(), POLICY)

    def surroundings(self) -> Surroundings | None:
        return self.around

    def register(self, verdict: Verdict, registration: Registration) -> ModelVersionRef:
        if not verdict.passed:
            raise GateRejected("the gate said no")
        return ModelVersionRef(registration.model_name, "1", ("champion",))

    def end(self, *, failed: bool) -> None:
        self.ended.append("FAILED" if failed else "FINISHED")

    def abandon(self) -> None:
        self.ended.append("ABANDONED")
