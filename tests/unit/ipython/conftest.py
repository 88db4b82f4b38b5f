"""A real IPython shell for each test, and a notebook run in a store that remembers what it was told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from nbmlops.app import session as sessions
from nbmlops.app.closing import Registration
from nbmlops.app.config import PipelineConfig
from nbmlops.app.session import NotebookSession, open_session
from nbmlops.app.session_place import Kernel, SessionPlace
from nbmlops.app.session_port import RunTitle
from nbmlops.core.errors import GateRejected, NbmlopsError
from nbmlops.gate.baseline import NoChampion
from nbmlops.gate.evaluate import evaluate
from nbmlops.gate.policy import Policy, Rule
from nbmlops.gate.verdict import Verdict
from nbmlops.pipeline.run_record import ModelVersionRef, StepLog
from nbmlops.tracking.cells import CellRun
from nbmlops.tracking.environment import GitState
from tests.fakes.in_memory import InMemoryTracker

POLICY = Policy((Rule("auc floor", "auc", min=0.7),))


class MemoryStore:
    def __init__(self) -> None:
        self.sent: list[StepLog] = []
        self.cells: list[CellRun] = []
        self.tags: dict[str, str] = {}
        self.trouble: NbmlopsError | None = None
        self.tracker = InMemoryTracker()

    @property
    def title(self) -> RunTitle | None:
        return None

    def note(self, run: CellRun) -> None:
        self.cells.append(run)

    def tag(self, tags: Mapping[str, str]) -> None:
        self.tags.update(tags)

    def news(self) -> NbmlopsError | None:
        news, self.trouble = self.trouble, None
        return news

    def backlog(self) -> str:
        return ""

    def send(self, batch: StepLog) -> None:
        self.sent.append(batch)

    def move(self, place: SessionPlace) -> None:
        raise AssertionError("the notebook is known")

    def judge(self, metrics: Mapping[str, float]) -> Verdict:
        return evaluate(metrics, NoChampion(), POLICY)

    def preview(self, metrics: Mapping[str, float]) -> Verdict | None:
        return evaluate(metrics, NoChampion(), POLICY)

    def register(self, verdict: Verdict, registration: Registration) -> ModelVersionRef:
        if not verdict.passed:
            raise GateRejected("the gate said no")
        return ModelVersionRef(registration.model_name, "1", ("champion",))

    def end(self, *, failed: bool) -> None:
        """Nothing to do: the store goes with the test."""


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """An `InteractiveShell` that is the running one, in an empty folder, without a history file."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    config = Config()
    config.HistoryManager.enabled = False
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance(config=config, colors="nocolor")
    shell.Completer.use_jedi = False
    yield shell
    shell.history_manager.end_session()
    InteractiveShell.clear_instance()
    sessions.forget_session()


@pytest.fixture
def loaded(shell: Any) -> Any:
    """The shell with the extension loaded."""
    shell.run_line_magic("load_ext", "nbmlops")
    return shell


@pytest.fixture
def track(loaded: Any, tmp_path: Path) -> Callable[[], MemoryStore]:
    """Starts a run of `flights.ipynb` in the shell, as `%mlops track` does, and gives its store."""

    def start() -> MemoryStore:
        store = MemoryStore()
        place = SessionPlace(
            root=tmp_path,
            name="flights",
            notebook="flights.ipynb",
            notebook_digest="d" * 64,
            parameters=("depth",),
            registered_name="",
            config=PipelineConfig("flights", "", "flights", False, POLICY),
            tracking_uri="sqlite:///mlflow.db",
            git=GitState("c" * 40),
        )
        kernel = Kernel(loaded.user_ns, (), follows_cells=True)
        open_session(NotebookSession(place, kernel, store, RunTitle("r1", "flights", "demo")))
        return store

    return start
