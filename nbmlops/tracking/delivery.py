"""From entries of a spool to calls of a tracker: what `Outbox` and `nbmlops sync` send, and in which form it is kept.

Every entry may be sent twice without harm, since a crash can fall between sending and noting it: the run is found again
by its key, values carry the time at which they were logged.
"""

from __future__ import annotations

from collections.abc import Mapping

from nbmlops.core.diagnostics import Json
from nbmlops.core.errors import EnvironmentFault, UsageError
from nbmlops.pipeline.fields import Fields
from nbmlops.pipeline.run_codec import step_log_from_json, step_log_to_json
from nbmlops.pipeline.run_record import Lineage, StepLog
from nbmlops.tracking.cells import CELLS_FILE, CELLS_SCHEMA, CellRun, CellValues
from nbmlops.tracking.lineage import RUN_ID, SESSION, lineage_tags
from nbmlops.tracking.process import ProcessMark, this_process
from nbmlops.tracking.spool import Entry
from nbmlops.tracking.tracker import RunFacts, RunStart, RunState, Tracker


def start_entry(start: RunStart, uri: str, key: str, resumed: str = "") -> Entry:
    """Returns the first entry of a run.

    Args:
        start: What is known of it, the process and the time included.
        uri: Where it is to be stored, without user name and password.
        key: The spool's key, by which the run is found again.
        resumed: Id of the run that is gone on with, "" for a new one.
    """
    process = start.process or this_process()
    return {
        "kind": "start",
        "uri": uri,
        "key": key,
        "experiment": start.experiment,
        "name": start.name,
        "source": start.source,
        "tags": {**start.tags, SESSION: key},
        "at": start.at,
        "process": {"pid": process.pid, "host": process.host, "start": process.start},
        **({"resumed": resumed} if resumed else {}),
    }


def log_entry(log: StepLog, at: int) -> Entry:
    """Returns the entry of what a cell logged at a time, in milliseconds since 1970."""
    return {"kind": "log", "at": at, "log": step_log_to_json(log)}


def tags_entry(tags: Mapping[str, str]) -> Entry:
    """Returns the entry of tags of the run."""
    return {"kind": "tags", "tags": dict(tags)}


def document_entry(name: str, document: Mapping[str, Json]) -> Entry:
    """Returns the entry of a document among the run's artifacts."""
    return {"kind": "document", "name": name, "document": dict(document)}


def cell_entry(run: CellRun) -> Entry:
    """Returns the entry of a cell that ran; the document of all cells is made of these when the run ends."""
    return {"kind": "cell", "run": run.to_json()}


def values_entry(number: int, values: CellValues) -> Entry:
    """Returns the entry of the values of a cell that ran, which are known later than the cell.

    Args:
        number: Which cell: how many entries of cells there were before its own.
        values: The values.
    """
    return {"kind": "values", "cell": number, **values.to_json()}


def end_entry(state: RunState, at: int) -> Entry:
    """Returns the last entry of a run."""
    return {"kind": "end", "state": state.value, "at": at}


def process_of(start: Entry) -> ProcessMark:
    """Returns the process that the first entry of a run says it belongs to.

    Raises:
        UsageError: it is no first entry.
    """
    return _mark(Fields(start, "spool"))


def _mark(fields: Fields) -> ProcessMark:
    process = fields.child("process")
    return ProcessMark(process.integer("pid"), process.text("host"), process.text("start"))


class Delivery:
    """Sends the entries of one run to its store, in order.

    Args:
        tracker: The store.
        begun: Whether the store is known to have had the run: then no new one is started in its place.
    """

    def __init__(self, tracker: Tracker, *, begun: bool = False) -> None:
        self._tracker = tracker
        self._begun = begun
        self._cells: list[dict[str, Json]] = []
        self._values: dict[int, dict[str, Json]] = {}
        self._resumed_as = ""  # the spool's key, if the run was another kernel's before
        self.facts: RunFacts | None = None

    def send(self, entry: Entry) -> None:
        """Sends one entry; the first one sent has to be the run's start.

        Raises:
            UsageError: the store refuses it for good.
            EnvironmentFault: the store cannot be used, or the run was deleted from it, which can be undone.
        """
        try:
            self._send(entry)
        except UsageError as error:
            gone = self._gone()
            if gone is None:
                raise
            raise EnvironmentFault(gone.message, gone.hint) from error

    def _gone(self) -> UsageError | None:
        """Returns why the run is not in the store any more, None if it is."""
        if self.facts is not None:
            try:
                self._tracker.run_facts(self.facts.run_id)
            except UsageError as error:
                return error
        return None

    def _send(self, entry: Entry) -> None:
        fields = Fields(entry, "spool")
        kind = fields.text("kind")
        if kind == "start":
            self.facts = self._start(fields)
            return
        if kind == "cell":
            self._cells.append(fields.plain("run"))
            return
        if kind == "values":  # they may be known before the cell has been noted
            self._values[fields.integer("cell")] = {"made": fields.plain("made"), "used": fields.plain("used")}
            return
        run_id = self._run_id()
        match kind:
            case "log":
                log = step_log_from_json(fields.child("log"))
                self._tracker.log_step(run_id, log, fields.integer("at"))
                if log.data:
                    digests = {record.name: record.digest for record in log.data}
                    self._tracker.set_tags(run_id, lineage_tags(Lineage(data=digests)))
            case "tags":
                self._tracker.set_tags(run_id, fields.text_map("tags"))
            case "document":
                self._tracker.log_document(run_id, fields.text("name"), fields.plain("document"))
            case "end":
                if self._cells:
                    self._tracker.log_document(run_id, CELLS_FILE, self._all_cells())
                self._tracker.end_run(run_id, fields.choice("state", RunState), fields.integer("at"))
            case _:
                raise UsageError(f"the spool holds an entry of kind {kind!r}, which this nbmlops does not know")

    def _all_cells(self) -> dict[str, Json]:
        nothing: dict[str, Json] = {"made": {}, "used": {}}
        runs: list[Json] = [{**cell, **self._values.get(at, nothing)} for at, cell in enumerate(self._cells)]
        document: dict[str, Json] = {"schema": CELLS_SCHEMA, "runs": runs}
        if self._resumed_as:
            earlier = self._earlier_cells()
            document |= {"runs": [*earlier, *runs], "session": self._resumed_as, "earlier": len(earlier)}
        return document

    def _earlier_cells(self) -> list[Json]:
        """Returns the runs of cells that other kernels have recorded in this run."""
        document = self._tracker.read_document(self._run_id(), CELLS_FILE) or {}
        runs, count = document.get("runs"), document.get("earlier")
        if not isinstance(runs, list):
            return []
        # Sent once more after a crash: those of this kernel are in the document already.
        is_own = document.get("session") == self._resumed_as
        return runs[:count] if is_own and isinstance(count, int) else runs

    def _run_id(self) -> str:
        if self.facts is None:
            raise UsageError("the spool does not begin with the start of a run")
        return self.facts.run_id

    def _start(self, fields: Fields) -> RunFacts:
        """Returns the run, started now unless it was before.

        Raises:
            EnvironmentFault: it was, and is not there any more.
        """
        experiment, key = fields.text("experiment"), fields.text("key")
        found = self._tracker.latest_run(experiment, {SESSION: key})
        resumed = fields.text("resumed", "")
        self._resumed_as = key if resumed else ""
        if found is not None:
            return found
        if self._begun:
            raise EnvironmentFault(
                f"the run that the spool {key} belongs to is no longer in the store",
                f"restore it (mlflow runs restore --run-id RUN), or remove .nbmlops/spool/{key}.* to give it up",
            )
        mark = _mark(fields)
        start = RunStart(
            experiment, fields.text("name"), fields.text_map("tags"), fields.text("source"), mark, fields.integer("at")
        )
        if resumed:
            return self._tracker.resume_run(resumed, start)
        facts = self._tracker.start_run(start)
        self._tracker.set_tags(facts.run_id, {RUN_ID: facts.run_id})
        return facts
