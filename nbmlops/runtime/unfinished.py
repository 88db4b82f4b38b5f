"""Runs that were killed: a run leaves a note while it executes steps; the next one that finds it tells how it ended."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from nbmlops.core.diagnostics import Json
from nbmlops.core.documents import write_atomically, write_json_document
from nbmlops.core.errors import UsageError
from nbmlops.pipeline.fields import Fields
from nbmlops.pipeline.ir import Pipeline, Step
from nbmlops.pipeline.run_codec import run_to_json
from nbmlops.pipeline.run_record import Lineage, RunRecord, RunStatus, StepRecord, StepStatus, counting_values
from nbmlops.runtime.cache import StepCache
from nbmlops.runtime.events import Event, FormerRunKilled, StepStarted
from nbmlops.runtime.layout import BEGUN_FILE, Layout
from nbmlops.runtime.parameters import effective_parameters
from nbmlops.runtime.results import RunOptions

RUN_FILE = "run.json"
_SCHEMA = "nbmlops/run-begun/1"
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
        self._path = layout.state / BEGUN_FILE
        self._is_left = False

    def follow(self, tell: Listener) -> Listener:
        """Returns what the run tells its events to: before the first step that it executes the note is written."""

        def follow(event: Event) -> None:
            if isinstance(event, StepStarted) and not self._is_left and not self._options.only:
                parameters = dict(effective_parameters(self._pipeline, self._options.parameters))
                note = {"schema": _SCHEMA, "run": self._run, "parameters": parameters}
                write_atomically(self._path, json.dumps(note).encode(), mode=0o600)
                self._is_left = True
            tell(event)

        return follow

    @contextmanager
    def left(self, tell: Listener) -> Iterator[None]:
        """Tells of a killed run before it, and takes the own note away at the end. To be used by who holds the lock.

        Raises:
            EnvironmentFault: the document of the killed run cannot be written.
        """
        if not self._options.only and (killed := self._close_killed()):
            tell(FormerRunKilled(killed))
        try:
            yield
        finally:
            if self._is_left:
                self._path.unlink(missing_ok=True)

    def _close_killed(self) -> str:
        """Returns the name of the run whose note is there, after writing its document; "" if there is none."""
        try:
            note = Fields(json.loads(self._path.read_bytes()), str(self._path))
            run, parameters = note.text("run"), note.plain("parameters")
        except FileNotFoundError:
            return ""
        except (ValueError, UsageError):  # of another version; who it was cannot be told
            self._path.unlink(missing_ok=True)
            return ""
        folder = self._layout.runs / run
        if folder.is_dir() and not (folder / RUN_FILE).exists():
            write_json_document(folder / RUN_FILE, run_to_json(self._record(run, parameters)))
        self._path.unlink(missing_ok=True)
        return run

    def _record(self, run: str, parameters: Mapping[str, Json]) -> RunRecord:
        cache = StepCache(self._layout.cache, self._layout.state)
        steps = tuple(self._step(step, run, cache) for step in self._pipeline.steps)
        return RunRecord(
            status=RunStatus.KILLED,
            run_id="",
            pipeline=self._pipeline.name,
            steps=steps,
            parameters=parameters,
            metrics=counting_values(metric for step in steps for metric in step.log.metrics),
            lineage=Lineage(notebook=self._pipeline.notebook_digest, pipeline=self._pipeline.version),
            folder=self._shown(self._layout.runs / run),
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
            notebook=self._shown(notebook) if notebook.is_file() else "",
            log=record.outcome.log,
            key=record.key,
        )

    def _shown(self, path: Path) -> str:
        return Path(os.path.relpath(path, self._options.base or Path.cwd())).as_posix()
