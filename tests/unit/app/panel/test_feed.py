"""What keeps a panel up to date, with a real session and a store that remembers; the thread is the real one."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbmlops.app.config.config import PipelineConfig
from nbmlops.app.panel import feed as panel_feed
from nbmlops.app.panel.feed import HiddenStateTurn, PanelFeed
from nbmlops.app.panel.model import PanelView, Progress
from nbmlops.app.session.current import forget_session, open_session
from nbmlops.app.session.place import Kernel, SessionPlace
from nbmlops.app.session.port import RunTitle
from nbmlops.app.session.session import NotebookSession
from nbmlops.app.session.surroundings import Surroundings
from nbmlops.core.errors import EnvironmentFault
from nbmlops.pipeline.run_record import MetricValue
from nbmlops.tracking.environment import GitState
from nbmlops.tracking.tracker import RunFacts, RunState
from tests.fakes.session_store import POLICY, MemoryStore


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def session(store: MemoryStore, tmp_path: Path) -> Iterator[NotebookSession]:
    config = PipelineConfig("flights", "", "flights", False, POLICY)
    place = SessionPlace(tmp_path, "flights", "flights.ipynb", "d" * 64, (), "", config, "sqlite:///m.db", GitState())
    kernel = Kernel({}, follows_cells=True)
    yield open_session(NotebookSession(place, kernel, store, RunTitle("r1", "flights", "demo")))
    forget_session()


class Screen:
    """Takes what a feed shows and keeps, and lets a test wait for it."""

    def __init__(self) -> None:
        self.shown: list[PanelView] = []
        self.kept: list[PanelView] = []
        self._changed = threading.Condition()

    def show(self, view: PanelView) -> None:
        with self._changed:
            self.shown.append(view)
            self._changed.notify_all()

    def keep(self, view: PanelView) -> None:
        with self._changed:
            self.kept.append(view)
            self._changed.notify_all()

    def wait(self, views: list[PanelView], word: str) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: views and word in str(views[-1]), 30), views[-1:]


@pytest.fixture
def screen() -> Screen:
    return Screen()


@pytest.fixture
def feed(session: NotebookSession, screen: Screen) -> Iterator[PanelFeed]:
    feed = PanelFeed(screen.show, screen.keep)
    yield feed
    feed.close()


def test_many_changes_make_few_views_and_the_last_one_is_shown_and_kept(
    feed: PanelFeed, screen: Screen, session: NotebookSession
):
    feed.start()
    for step in range(2000):
        session.metric(MetricValue("loss", 1 / (step + 1), step))
        feed.changed(session)
    session.metric(MetricValue("auc", 0.77))
    assert feed.changed(session)
    screen.wait(screen.shown, "0.77")
    screen.wait(screen.kept, "would PASS")
    assert len(screen.shown) < 20
    feed.close()
    assert not feed.changed(session)


def test_without_a_run_there_is_a_view_too(screen: Screen):
    feed = PanelFeed(screen.show, screen.keep)
    assert feed.view.state == "NO RUN"
    feed.refresh()
    assert screen.shown == []


def test_a_store_that_is_away_is_told_and_asked_again(feed: PanelFeed, session: NotebookSession, store: MemoryStore):
    def away() -> None:
        raise EnvironmentFault("the store is away")

    store.surroundings = away
    feed._ask_store(session)
    feed.refresh()
    assert feed.view.notices[0].lines == ("champion and earlier runs: the store is away",)
    store.surroundings = lambda: 1 / 0
    feed._ask_store(session)
    feed.refresh()
    assert feed.view.notices[0].lines == ("champion and earlier runs: ZeroDivisionError: division by zero",)
    del store.surroundings
    feed._ask_store(session)
    feed.refresh()
    assert "not up to date" not in str(feed.view)


def test_what_stood_around_a_run_is_forgotten_with_the_next_one(
    feed: PanelFeed, session: NotebookSession, store: MemoryStore
):
    store.around = Surroundings(recent=(RunFacts("r0", "old", "demo", RunState.FINISHED, metrics={"auc": 0.5}),))
    session.metric(MetricValue("auc", 0.75))
    feed._ask_store(session)
    feed.refresh()
    assert "this run after 1 others" in str(feed.view)
    other = NotebookSession(session._place, session._kernel, MemoryStore(), RunTitle("r2", "next", "other"))
    other.metric(MetricValue("auc", 0.75))
    feed.changed(other)
    feed.refresh()
    assert feed.view.title == "next"
    assert "this run after" not in str(feed.view)
    feed._ask_store(session)  # what was asked before is answered now
    feed.refresh()
    assert "this run after" not in str(feed.view)


def test_a_fault_of_ours_is_shown_and_the_next_view_is_whole_again(
    feed: PanelFeed, session: NotebookSession, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(type(session), "facts", lambda _self: 1 / 0)
    feed.refresh()
    assert feed.view.notices[0].lines == ("ZeroDivisionError: division by zero",)
    monkeypatch.undo()
    feed.set_progress(Progress("", 1))
    feed.refresh()
    assert (feed.view.state, feed.view.progress.turn) == ("RUNNING", 1)


def test_hidden_state_waits_for_the_end_of_a_cell_or_for_one_that_runs_long(
    session: NotebookSession, monkeypatch: pytest.MonkeyPatch
):
    clock = [100.0]
    monkeypatch.setattr(panel_feed.time, "monotonic", lambda: clock[0])
    turn = HiddenStateTurn()
    session.cell_started("work()")
    turn.look(session)
    assert (turn.is_late, turn.answer) == (True, "")
    clock[0] += 10
    turn.look(session)
    assert (turn.is_late, turn.answer[:7]) == (False, "unknown")
    turn.answer = ""
    session.cell_finished(succeeded=True)
    turn.look(session)
    assert turn.answer[:7] == "unknown"
    assert time.monotonic() == clock[0]
