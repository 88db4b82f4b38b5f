"""One notebook run in the tracking store and the registry: the real `SessionStore`."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from msgspec.structs import replace

from nbmlops.app.judging.evidence import Judged
from nbmlops.app.project import SPOOLS
from nbmlops.app.running.closing import Registration, judge, register_model
from nbmlops.app.session.kernel_notebook import UNKNOWN_HINT
from nbmlops.app.session.place import SessionOptions, SessionPlace
from nbmlops.app.session.port import RunTitle
from nbmlops.app.session.surroundings import Surroundings, read_surroundings
from nbmlops.core.diagnostics import Json
from nbmlops.core.errors import EnvironmentFault, NbmlopsError, StoreAway, UsageError
from nbmlops.gate.baseline import Baseline
from nbmlops.gate.evaluate import evaluate
from nbmlops.gate.verdict import Verdict, Waiver
from nbmlops.pipeline.run_record import ModelVersionRef, StepLog
from nbmlops.registry.baseline import read_baseline
from nbmlops.registry.registry import ModelRegistry
from nbmlops.tracking.cells import CellRun, CellValues
from nbmlops.tracking.delivery import (
    Delivery,
    cell_entry,
    document_entry,
    end_entry,
    log_entry,
    start_entry,
    tags_entry,
    values_entry,
)
from nbmlops.tracking.environment import environment_facts
from nbmlops.tracking.lineage import PIPELINE, environment_tags, lineage_tags
from nbmlops.tracking.outbox import Outbox
from nbmlops.tracking.process import this_process
from nbmlops.tracking.spool import Entry, Spool
from nbmlops.tracking.tracker import RunFacts, RunStart, RunState, Tracker
from nbmlops.tracking.uri import sqlite_path

if TYPE_CHECKING:
    from nbmlops.app.session.store_process import RemoteStores

_DISTRIBUTIONS = ("mlflow", "nbmlops", "numpy", "pandas", "scikit-learn")
"""Whose versions count for a notebook's environment; a pipeline has a lock, a notebook has none."""


_SOURCE = "mlflow.source.name"
_START_SECONDS = 60.0  # a file is neither slow nor away: what takes long is MLflow, which makes and opens it
_SERVER_SECONDS = 0.1
_SETTLE_SECONDS = 60.0
_END_SECONDS = 5.0
_LAST_TRY_SECONDS = 1.0


def open_store(place: SessionPlace, options: SessionOptions) -> tuple[SpooledStore, RunTitle]:
    """Returns a new run; runs of the experiment whose processes are gone are marked killed.

    A run in a SQLite file has started when this returns. A server is not waited for: until it answers, the run is kept
    in the spool. So it is in a file that another program has locked.

    Raises:
        UsageError: the experiment cannot be used.
        EnvironmentFault: the store cannot be used, now or later; or there is no place for the spool.
    """
    from nbmlops.app.session.store_process import RemoteStores  # noqa: PLC0415  # only a run starts processes

    tags = {
        PIPELINE: place.name,
        **lineage_tags(place.lineage("")),
        **environment_tags(environment_facts(_DISTRIBUTIONS)),
    }
    experiment, name = options.experiment or place.experiment, options.name or place.name
    start = RunStart(experiment, name, tags, place.notebook, this_process(), milliseconds())
    spool = Spool(place.root / SPOOLS)
    store = SpooledStore(place, RemoteStores(place.root, place.tracking_uri, spool.key), spool)
    is_file = sqlite_path(place.tracking_uri) is not None
    try:
        resumed = store.find_earlier(experiment) if options.resume else ""
        entry = start_entry(start, place.shown_uri, spool.key, resumed)
        store.begin(entry, _START_SECONDS if is_file else _SERVER_SECONDS)
    except NbmlopsError as error:
        spool.remove()
        raise error.__cause__ if isinstance(error.__cause__, UsageError) else error from None
    return store, RunTitle("", name, experiment)


class SpooledStore:
    """The tracking store and registry as one run sees them; see `SessionStore`.

    What the run logs goes to the spool and from there to the store, on a thread. What needs an answer, the gate and
    registering, waits until everything is there.
    """

    def __init__(self, place: SessionPlace, stores: RemoteStores, spool: Spool) -> None:
        self._place = place
        self._stores = stores
        self._spool = spool
        self._delivery = Delivery(stores.tracker)
        self._outbox = Outbox(spool, self._deliver)
        self._baseline: Baseline | None = None
        self.earlier: RunFacts | None = None

    def find_earlier(self, experiment: str) -> str:
        """Returns the id of the notebook's last run, which is taken over.

        Raises:
            UsageError: there is none, or a process that lives has it.
            EnvironmentFault: the store cannot be used.
        """
        tracker, notebook = self._stores.tracker, self._place.notebook
        tracker.mark_killed(experiment)
        found = tracker.latest_run(experiment, {_SOURCE: notebook}) if notebook else None
        if found is None:
            if not notebook:
                raise UsageError("which notebook this is, and so which run is its last, is not known", UNKNOWN_HINT)
            raise UsageError(
                f"{notebook} has no run in the experiment {experiment!r} to go on with", "start one: `%mlops track`"
            )
        if found.state is RunState.RUNNING:
            raise UsageError(
                f"the last run of {notebook}, {found.name}, is still recorded by another kernel",
                "end it there with `%mlops track --stop`, or start a new run here: `%mlops track`",
            )
        self.earlier = found
        return found.run_id

    def begin(self, start: Entry, seconds: float) -> None:
        """Starts the run, and waits for that.

        Args:
            start: Its first entry.
            seconds: How long to wait.

        Raises:
            NbmlopsError: the store cannot be used, now or later.
        """
        self._outbox.put(start)
        try:
            self._outbox.settle(seconds)
        except StoreAway:
            return
        except NbmlopsError:
            self._close()
            raise

    def _deliver(self, entry: Entry) -> None:
        """Sends an entry; called on the outbox' thread.

        Raises:
            NbmlopsError: as the tracker says.
            EnvironmentFault: the run is refused, and so everything is kept, as for a store that is away.
        """
        if entry["kind"] != "start":
            self._delivery.send(entry)
            return
        try:
            self._stores.tracker.mark_killed(str(entry["experiment"]))
            self._delivery.send(entry)
        except UsageError as error:
            raise EnvironmentFault(error.message, error.hint) from error

    @property
    def title(self) -> RunTitle | None:
        """The run as the store has it, None before it has started there."""
        facts = self._delivery.facts
        return None if facts is None else RunTitle(facts.run_id, facts.name, facts.experiment)

    @property
    def tracker(self) -> Tracker:
        """The tracking store, for reading."""
        return self._stores.tracker

    @property
    def registry(self) -> ModelRegistry:
        """The registry, for reading."""
        return self._stores.registry

    def send(self, batch: StepLog) -> None:
        """Takes a batch, which is added to the run; the inputs stand in its tags as well, with whole fingerprints."""
        self._outbox.put(log_entry(batch, milliseconds()))

    def note(self, run: CellRun) -> None:
        """Takes a cell that ran."""
        self._outbox.put(cell_entry(run), wake=False)

    def note_values(self, number: int, values: CellValues) -> None:
        """Takes the tables and arrays of a cell that was noted, by its number."""
        self._outbox.put(values_entry(number, values), wake=False)

    def tag(self, tags: Mapping[str, str]) -> None:
        """Takes tags of the run."""
        self._outbox.put(tags_entry(tags))

    def document(self, name: str, document: Mapping[str, Json]) -> None:
        """Takes a JSON document for the run's artifacts."""
        self._outbox.put(document_entry(name, document))

    def news(self) -> NbmlopsError | None:
        """Returns what goes wrong with the store and was not told yet, or None."""
        return self._outbox.news()

    def backlog(self) -> str:
        """Returns what waits to be sent, and why, as a sentence; "" when the store has everything."""
        trouble = self._outbox.trouble
        if trouble is None:
            return ""
        return f"not yet in the store, kept in {SPOOLS.as_posix()}: {trouble.message}; `nbmlops sync` sends it later"

    def move(self, place: SessionPlace) -> None:
        """Tells the run which notebook it belongs to."""
        self._place = place
        self._baseline = None
        tags = {PIPELINE: place.name, **lineage_tags(place.lineage("")), _SOURCE: place.notebook}
        self._outbox.put(tags_entry(tags))

    def _settled(self) -> str:
        """Returns the run's id, when everything is in the store.

        Raises:
            NbmlopsError: the store cannot be used, or refused something.
        """
        self._outbox.settle(_SETTLE_SECONDS)
        title = self.title
        assert title is not None
        return title.run_id

    def judge(self, metrics: Mapping[str, float], waivers: Sequence[Waiver] = ()) -> Verdict:
        """Returns the verdict on these metrics, after storing it with the run.

        Raises:
            UsageError: the notebook is not known, and so neither its rules nor its champion; or a waiver is wrong.
            EnvironmentFault: the store cannot be used.
        """
        place = self._place
        if not place.name:
            raise UsageError("the notebook is not known, and so neither are its rules nor its champion", UNKNOWN_HINT)
        run_id = self._settled()
        self._baseline = None
        judged = Judged(run_id, place.model_name(None), place.root)
        return judge(self._stores, judged, metrics, place.config.policy, waivers)

    def preview(self, metrics: Mapping[str, float]) -> Verdict | None:
        """Returns what `judge` would say, against the champion as it was when this was asked first.

        None for runs on servers that were not asked for their `surroundings`: nobody should wait for one in order to
        see how things stand.
        """
        place = self._place
        is_file = sqlite_path(place.tracking_uri) is not None
        policy = place.config.policy.of_logged_metrics
        if not (place.name and policy.rules) or self._outbox.trouble is not None:
            return None
        if self._baseline is None and not is_file:
            return None
        if self._baseline is None:
            self._baseline = read_baseline(self._stores.registry, self._stores.tracker, place.model_name(None))
        return evaluate(metrics, self._baseline, policy)

    def surroundings(self) -> Surroundings | None:
        """Returns the champion and earlier runs of the experiment; None before the run has begun in the store.

        Raises:
            EnvironmentFault: the store cannot be used.
        """
        title, place = self.title, self._place
        if title is None or self._outbox.trouble is not None:
            return None
        model_name = place.model_name(None) if place.name else ""
        found = read_surroundings(self._stores.registry, self._stores.tracker, title, model_name)
        self._baseline = found.baseline if place.name else None
        return found

    def register(self, verdict: Verdict, registration: Registration) -> ModelVersionRef:
        """Returns the version that holds the model.

        Raises:
            GateRejected: the verdict is not a passing one.
            UsageError: the model cannot be stored safely.
            EnvironmentFault: the registry cannot be used.
        """
        run_id = self._settled()
        known = replace(registration, lineage=replace(registration.lineage, run_id=run_id))
        promote = self._place.config.promote_on_pass
        return register_model(self._stores, verdict, known, promote_on_pass=promote).ref

    def end(self, *, failed: bool) -> None:
        """Ends the run. What the store does not take within a few seconds stays in the spool."""
        self._outbox.put(end_entry(RunState.FAILED if failed else RunState.FINISHED, milliseconds()))
        with suppress(NbmlopsError):  # `backlog` tells it
            self._outbox.settle(_END_SECONDS if self._outbox.trouble is None else _LAST_TRY_SECONDS)
        self._close(remove=True)

    def abandon(self) -> None:
        """Lets go of the spool, its lock and the other process, in a forked child: they are its parent's."""
        self._spool.close()
        self._stores.abandon()

    def _close(self, *, remove: bool = False) -> None:
        self._outbox.close(remove=remove)
        self._stores.close()


def milliseconds() -> int:
    """Returns the time since 1970."""
    return time.time_ns() // 1_000_000
