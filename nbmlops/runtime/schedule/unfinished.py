"""Runs that were killed: a run leaves a note from its first step on to its end; the next one that finds it tells so."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from nbmlops.core.diagnostics import Json
from nbmlops.core.documents import write_atomically, write_json_document
from nbmlops.core.errors import UsageError
from nbmlops.pipeline.fields import Fields
from nbmlops.pipeline.fits import logged_fits
from nbmlops.pipeline.ir import Pipeline, Step
from nbmlops.pipeline.run_codec import run_from_json, run_to_json
from nbmlops.pipeline.run_record import Lineage, RunPhase, RunRecord, RunStatus, StepRecord, StepStatus, counting_values
from nbmlops.runtime.layout import BEGUN_FILE, Layout
from nbmlops.runtime.parameters import effective_parameters
from nbmlops.runtime.redact import shown_parameters
from nbmlops.runtime.reuse.cache import StepCache
from nbmlops.runtime.reuse.files import data_files
from nbmlops.runtime.schedule.events import Event, FormerRunKilled, StepStarted
from nbmlops.runtime.schedule.results import KilledRun, RunOptions, StepsResult

RUN_FILE = "run.json"
_SCHEMA = "nbmlops/run-begun/2"
Listener = Callable[[Event], None]


class RunTrace:
    """The note that a run leaves; runs of single steps, several of which may go on at once, leave none.

    Args:
        layout: Where things are.
        pipeline: What is run.
        run: Name of the run.
        options: What the caller asks for.
    """

    def __init__(self, layout: Layout, pipeline: Pipeline, run: str, options: RunOptions) -> None:
        self._layout, self._pipeline, self._run, self._options = layout, pipeline, run, options
        self._base = options.base or Path.cwd()
        self._path = layout.state / BEGUN_FILE
        self._is_left = False

    def follow(self, tell: Listener) -> Listener:
        """Returns what the run tells its events to: before the first step that it executes the note is written."""

        def follow(event: Event) -> None:
            if isinstance(event, StepStarted) and not self._is_left:
                parameters = effective_parameters(self._pipeline, self._options.parameters)
                self._write({"phase": RunPhase.STEPS.value, "parameters": dict(shown_parameters(parameters))})
            tell(event)

        return follow

    def reach(self, phase: RunPhase, record: RunRecord, results: str = "", policy: str = "") -> None:
        """Notes how far the run is, whose steps are over.

        Args:
            phase: What comes now.
            record: What is known of the run.
            results: As in `KilledRun`.
            policy: Likewise.

        Raises:
            EnvironmentFault: the note cannot be written.
        """
        document = run_to_json(_moved(record, self._base, self._layout.root))
        self._write({"phase": phase.value, "document": document, "results": results, "policy": policy})

    @contextmanager
    def left(self, tell: Listener) -> Iterator[None]:
        """Tells of a killed run before it, and takes the own note away at the end. To be used by who holds the lock.

        Raises:
            EnvironmentFault: the document of the killed run cannot be written.
        """
        if not self._options.only:
            self._close_killed(tell)
        try:
            yield
        finally:
            if self._is_left:
                self._path.unlink(missing_ok=True)

    def _write(self, note: Mapping[str, Json]) -> None:
        if self._options.only:
            return
        body = {"schema": _SCHEMA, "run": self._run, **note}
        write_atomically(self._path, json.dumps(body).encode(), mode=0o600)
        self._is_left = True

    def _close_killed(self, tell: Listener) -> None:
        """Tells of the run whose note is there, after its document was written; whatever happens, once at least."""
        try:
            killed = self._killed(Fields(json.loads(self._path.read_bytes()), str(self._path)))
        except FileNotFoundError:
            return
        except (ValueError, UsageError):  # of another version; who it was cannot be told
            self._path.unlink(missing_ok=True)
            return
        record = self._options.settle(killed)
        if record is not None:
            folder = self._layout.runs / killed.name
            is_new = not (folder / RUN_FILE).exists()
            if killed.record.killed_while is not RunPhase.STEPS or is_new:
                write_json_document(folder / RUN_FILE, run_to_json(record))
            tell(FormerRunKilled(killed.name, record.killed_while or RunPhase.STEPS, record.model_version))
        self._path.unlink(missing_ok=True)

    def _killed(self, note: Fields) -> KilledRun:
        run, phase, document = note.text("run"), note.choice("phase", RunPhase), note.optional("document")
        if document is None:
            return KilledRun(self._record(run, note.plain("parameters")), run)
        record = _moved(run_from_json(note.plain("document"), str(self._path)), self._layout.root, self._base)
        killed = replace(record, status=RunStatus.KILLED, killed_while=phase)
        return KilledRun(killed, run, note.text("results"), note.text("policy"))

    def _record(self, run: str, parameters: Mapping[str, Json]) -> RunRecord:
        cache = StepCache(self._layout.cache, self._layout.state)
        steps = tuple(self._step(step, run, cache) for step in self._pipeline.steps)
        logs = [step.log for step in steps]
        return RunRecord(
            status=RunStatus.KILLED,
            run_id="",
            pipeline=self._pipeline.name,
            steps=steps,
            parameters=parameters,
            metrics=counting_values(metric for log in (*logs, logged_fits(logs)) for metric in log.metrics),
            lineage=Lineage(notebook=self._pipeline.notebook_digest, pipeline=self._pipeline.version),
            folder=_shown(self._layout.runs / run, self._base),
            killed_while=RunPhase.STEPS,
        )

    def _step(self, step: Step, run: str, cache: StepCache) -> StepRecord:
        record = cache.latest(step.name)
        if record is None or record.run != run:
            return StepRecord(step.name, StepStatus.SKIPPED, reason="not executed before the run was killed")
        notebook = self._layout.root / record.notebook
        return StepRecord(
            name=step.name,
            status=StepStatus.EXECUTED,
            seconds=record.seconds,
            notebook=_shown(notebook, self._base) if notebook.is_file() else "",
            log=record.outcome.log,
            key=record.key,
            files=data_files(record.outcome.files),
        )


class OpenRun(Struct, frozen=True):
    """A run that goes on; no other one of the pipeline does.

    Attributes:
        go: Runs the steps; to be called once.
        trace: Its note for the next one, if it is killed; who goes on after the steps notes there how far the run is.
    """

    go: Callable[[], StepsResult]
    trace: RunTrace


def _moved(record: RunRecord, old: Path, new: Path) -> RunRecord:
    """Returns the record with its paths, which are relative to one folder, as they are from another one."""

    def moved(path: str) -> str:
        return _shown(old / path, new) if path else ""

    steps = tuple(replace(step, notebook=moved(step.notebook)) for step in record.steps)
    return replace(record, steps=steps, folder=moved(record.folder))


def _shown(path: Path, base: Path) -> str:
    return Path(os.path.relpath(path, base)).as_posix()
