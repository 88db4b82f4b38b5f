"""The run of a notebook: one MLflow run for each kernel session, started by `track`.

Life of a run: `track` starts it, running that cell again changes nothing. `--pause` leaves out what follows until the
next `track`. `--stop` ends it; so does a kernel that exits: finished, or failed when the last cell ended in an error. A
run whose kernel died is marked killed later. `--resume` in a new kernel goes on with the notebook's last run.

What the cells log is kept until the cell ends and then handed to the store as one batch, which sends it when it can: no
cell waits for that. The gate and registering wait until the store has everything. Parameters of the notebook are sent
with the first other thing that is logged, when their cell has run.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from nbmlops.app.running.closing import Registration
from nbmlops.app.session.asked import AskedFor
from nbmlops.app.session.listeners import tell_listeners
from nbmlops.app.session.log import SessionLog
from nbmlops.app.session.parameter_cells import gives_parameters
from nbmlops.app.session.place import Kernel, SessionOptions, SessionPlace, check_same_run, find_place
from nbmlops.app.session.port import RunFiles, RunTitle, SessionStore
from nbmlops.app.session.redaction_notes import process_notes
from nbmlops.app.session.tests import declared_tests
from nbmlops.app.show.views import SessionStatus, StatusView, VerdictView, VersionView
from nbmlops.core.diagnostics import Json
from nbmlops.core.errors import EnvironmentFault, GateRejected
from nbmlops.core.records import ArtifactRecord, BehaviourRecord, CheckRecord, DataRecord, PredictionsRecord
from nbmlops.gate.verdict import Verdict, Waiver
from nbmlops.pipeline.run_record import FitRecord, MetricValue, ModelVersionRef, StepLog
from nbmlops.runtime.redact import shown_parameters
from nbmlops.tracking.cells import CellRecord, CellRun, ValueMade
from nbmlops.tracking.lineage import REPRODUCIBLE
from nbmlops.tracking.redaction import process_redactor

if TYPE_CHECKING:
    from nbmlops.app.data.diff import Versions
    from nbmlops.app.session.cells import HiddenState
    from nbmlops.app.session.surroundings import Surroundings
    from nbmlops.app.wiring import Readable
    from nbmlops.registry.story import Story

_INPUT_SECONDS, _QUESTION_SECONDS = 60.0, 10.0


class NotebookSession:
    """The open run of this kernel. Made by `start_session`; nobody else makes one."""

    def __init__(
        self,
        place: SessionPlace,
        kernel: Kernel,
        store: SessionStore,
        title: RunTitle,
        files: RunFiles | None = None,
    ) -> None:
        self._place = place
        self._kernel = kernel
        self._store = store
        self._known_title = title
        self._files = files
        self.asked = AskedFor()
        self.is_mine = True
        """Whether this process has the run; one that was forked has it not."""
        self._log = SessionLog(place.parameters, store.earlier)
        self._cells = CellRecord(filter(None, kernel.cells[:-1]))
        self._state = SessionStatus.RUNNING
        self._last_cell_failed = False
        self._depth = 0  # cells run within cells
        self._in_parameters_cell = False
        self._verdict: Verdict | None = None
        self._version: ModelVersionRef | None = None
        self._hidden: HiddenState | None = None
        self._log.read_parameters(kernel.namespace)
        process_redactor().forget_found()

    @property
    def _title(self) -> RunTitle:
        return self._store.title or self._known_title

    @property
    def root(self) -> Path:
        """The project's root."""
        return self._place.root

    @property
    def is_resumed(self) -> bool:
        """Whether another kernel had this run before."""
        return self._store.earlier is not None

    @property
    def notebook_path(self) -> Path | None:
        """The notebook's file, None when it is not known."""
        return self._place.root / self._place.notebook if self._place.notebook else None

    def param(self, name: str, value: Json) -> None:
        """Logs a parameter.

        Raises:
            UsageError: the run has another value for it.
        """
        self._log.record_param(name, value)
        self._recorded()

    def metric(self, metric: MetricValue) -> None:
        """Logs a metric; a verdict that was given before no longer holds."""
        self._log.record_metric(metric)
        self._verdict = None
        self._recorded()

    def data(self, record: DataRecord) -> None:
        """Logs an input."""
        self._log.record_data(record)
        self._recorded()

    def versions(self, cwd: Path) -> Versions:
        """Returns what the data of this run, and of earlier runs of its experiment, can be compared by."""
        from nbmlops.app.data.diff import Versions  # noqa: PLC0415  # only comparing needs it

        return Versions(lambda: self._store.tracker, (self._title.experiment,), cwd, self._log.data)

    def predictions(self, record: PredictionsRecord) -> None:
        """Logs predictions on held-out rows; a verdict that was given before no longer holds."""
        self._log.record_predictions(record)
        self._verdict = None
        self._recorded()

    def tests(self, records: Sequence[BehaviourRecord]) -> None:
        """Logs the outcomes of behaviour tests; a verdict that was given before no longer holds."""
        self._log.record_tests(records, in_cell=bool(self._depth))
        self._verdict = None
        self._recorded()

    def check(self, record: CheckRecord) -> None:
        """Logs the outcome of a schema check."""
        self._log.record_check(record)
        self._recorded()

    def artifact(self, record: ArtifactRecord) -> None:
        """Logs a figure."""
        self._log.record_artifact(record)
        self._recorded()

    def fit(self, record: FitRecord) -> None:
        """Logs what autologging told of a training; a verdict that was given before no longer holds."""
        self._log.record_fit(record)
        self._verdict = None
        self._recorded()

    def _recorded(self) -> None:
        if not self._kernel.follows_cells:
            self.flush()
        tell_listeners(self)

    def code_begins(self) -> None:
        """Notes that code begins to run, be it a cell or not; called by the extension's hook."""
        if self._files is not None:
            self._files.code_begins()

    def cell_started(self, source: str) -> None:
        """Notes what kind of cell runs; called by the extension's hook."""
        names = self._log.names
        # Parsing takes longer than all the rest, and few cells mention a parameter.
        if self._files is not None and not self._depth:
            self._files.cell_started(source)
        process_redactor().learn_later(source)
        if not self._depth:
            self.asked.cell_started()
            self._log.begin_cell()
        self._depth += 1
        self._in_parameters_cell = any(name in source for name in names) and gives_parameters(source, names)
        tell_listeners(self)

    def cell_ran(self, run: CellRun, deleted: Collection[str] = ()) -> None:
        """Adds a cell of the notebook to the record; called by the extension's hook.

        Args:
            run: What is known of it.
            deleted: Ids of the cells that the front end says were deleted.
        """
        if self._files is not None and self._log.is_paused:
            self._files.cell_left()
        elif self._files is not None:
            run = self._files.cell_ended(run, alone=self._depth <= 1)
        # In a pause as well: the cell may have changed variables.
        self._cells.add(replace(run, recorded=not self._log.is_paused), deleted)
        if not self._log.is_paused:
            self._store.note(run)
            self.asked.cell_ended(run.count)

    def cell_finished(self, *, succeeded: bool) -> None:
        """Reads parameters or sends what the cell logged; called by the extension's hook.

        Raises:
            NbmlopsError: the tracking store cannot be used, which is told once; what was to be sent is kept.
        """
        self._last_cell_failed = not succeeded
        self._depth = max(0, self._depth - 1)
        if self._in_parameters_cell and not self._log.is_paused:
            self._log.read_parameters(self._kernel.namespace)
        self._in_parameters_cell = False
        self.flush()
        tell_listeners(self)
        news = self._store.news()
        if news is not None:
            raise news

    def flush(self, *, last: bool = False) -> None:
        """Hands the store what was logged and is not yet sent.

        Args:
            last: Send the notebook's parameters even if nothing else was logged.
        """
        batch = self._log.batch(last=last)
        if batch != StepLog():
            self._store.send(batch)

    def gate(self, waivers: Sequence[Waiver] = ()) -> VerdictView:
        """Returns the verdict on what the run has logged, stored with the run; `waivers` are about rules it may break.

        Raises:
            UsageError: a parameter changed since the run logged it, or a waiver is about no rule.
            EnvironmentFault: the tracking store cannot be used.
        """
        self._log.check_whole()
        self._take_named_metrics()
        self._settle()
        self._verdict = self._store.judge(self._log.metrics, waivers)
        tell_listeners(self)
        return VerdictView(self._verdict)

    def register(self, model: object, data: object, name: str | None) -> VersionView:
        """Returns the version that holds the model; see `nbmlops.register`.

        Raises:
            GateRejected: there is no passing verdict on the metrics as they are now.
            UsageError: a parameter changed since the run logged it, or the model's name is not known.
            EnvironmentFault: the tracking store cannot be used.
        """
        self._log.check_whole()
        self._take_named_metrics()
        if self._verdict is None:
            raise GateRejected(
                "there is no verdict on the metrics of this run",
                "put `%mlops gate` above this line and below the last metric, and run it",
            )
        model_name = self._place.model_name(name)
        self._settle()
        seen = self._files.records if self._files is not None else ()
        digests = {record.name: record.digest for record in (*seen, *self._log.data)}
        lineage = self._place.lineage(self._title.run_id, digests)
        self._version = self._store.register(
            self._verdict, Registration(model_name, model, data, lineage, self._log.metrics)
        )
        tell_listeners(self)
        return VersionView(self._version)

    @property
    def busy(self) -> bool:
        """Whether a cell runs now."""
        return self._depth > 0

    @property
    def is_open(self) -> bool:
        """Whether the run has not ended."""
        return self._state is SessionStatus.RUNNING

    def pause(self, *, paused: bool = True) -> None:
        """Records nothing from now on, the running cell included, or again; what was logged before is sent."""
        if paused is not self._log.is_paused:
            self.flush()
            self._log.is_paused = paused
            self._log.read_parameters(self._kernel.namespace)
            tell_listeners(self)

    @property
    def cells(self) -> int:
        """How many cells the run has recorded."""
        return self._cells.noted

    @property
    def series(self) -> dict[str, tuple[float, ...]]:
        """The values of each metric in the order of their steps."""
        return self._log.series

    @property
    def made(self) -> Mapping[str, ValueMade]:
        """The tables, arrays and models as the cells left them, by name; the latest one at the end."""
        return self._files.made if self._files is not None else {}

    def surroundings(self) -> Surroundings | None:
        """Returns what stands around the run in its store, after waiting for it; None before it has begun there.

        Raises:
            EnvironmentFault: the tracking store cannot be used.
        """
        return self._store.surroundings()

    def reproducible(self) -> str:
        """Returns whether this run could be had again, as a sentence; "" where nobody follows the cells.

        Found out anew only when a cell has run or the notebook was saved; takes longer the more cells there are.
        """
        if not self._kernel.follows_cells:
            return ""
        if self._hidden is None:
            # It loads the analysis, which a cell should not pay for.
            from nbmlops.app.session.cells import HiddenState  # noqa: PLC0415  # loads the analysis

            self._hidden = HiddenState(self._cells)
        return str(self._hidden.answer(self.notebook_path))

    def preview(self) -> Verdict | None:
        """Returns what the gate would say now, None where that is not known or was said already."""
        metrics = self._log.metrics
        return self._store.preview(metrics) if metrics and self._verdict is None else None

    def _data(self) -> tuple[DataRecord, ...]:
        """Returns the inputs: those that the notebook declares, then those that its cells were seen to read."""
        declared, seen = self._log.data, self._files.records if self._files is not None else ()
        return (*declared, *(one for one in seen if one.digest not in {record.digest for record in declared}))

    def _take_named_metrics(self) -> None:
        """Logs what settings and tags name as metrics, as it is now, and which tests did not run; so at a run's end."""
        self._log.record_tests(self._log.tests_not_run(declared_tests(self.notebook_path)))
        for metric in self._log.named_metrics(self._place.metrics, self._kernel.namespace):
            self.metric(metric)

    def _settle(self, *, last: bool = False) -> None:
        """Hands over all that is known of the run, when its inputs have been fingerprinted."""
        self.flush(last=True)
        if self._files is not None:
            self._files.settle(_INPUT_SECONDS)
        if answer := self.reproducible():
            self._store.tag({REPRODUCIBLE: answer})
        if self._kernel.follows_cells:
            from nbmlops.app.running.provenance import tell_session  # noqa: PLC0415  # likewise

            tell_session(self._store, self._place, self._cells.recorded, last=last)

    def adopt(self, options: SessionOptions, kernel: Kernel) -> None:
        """Takes over what the user says on resuming: the notebook, if it was not known.

        Raises:
            UsageError: the run has another experiment, name or notebook.
        """
        check_same_run(options, self._title.experiment, self._title.name)
        place = find_place(options, kernel) if options.notebook is not None else self._place
        self._place.check_same_notebook(place)
        self._kernel = kernel
        self.pause(paused=False)
        self.asked.start(self, kernel, autolog=options.autolog, figures=options.figures)
        if place is not self._place and not self._place.notebook:
            self._place = place
            self._log.names = place.parameters
            self._log.read_parameters(kernel.namespace)
            self._store.move(place)

    def end(self, *, failed: bool = False) -> StatusView:
        """Returns the final status, after sending what is left and ending the run; what waits stays in the spool."""
        self.asked.stop()
        self._take_named_metrics()
        self._settle(last=True)
        if self._files is not None:
            self._files.stop()
        self._store.end(failed=failed)
        self._log.is_paused = False
        self._state = SessionStatus.FAILED if failed else SessionStatus.FINISHED
        tell_listeners(self)
        return self.status()

    def abandon(self) -> None:
        """Lets go of the run in a forked child: it is its parent's."""
        self.is_mine = False
        self._store.abandon()

    def end_at_exit(self) -> None:
        """Ends the run when the kernel exits: failed if the last cell ended in an error, finished otherwise."""
        with suppress(EnvironmentFault):  # the spool cannot be written any more, and nobody is there who could be told
            self.end(failed=self._last_cell_failed)

    def status(self) -> StatusView:
        """Returns what is recorded so far, what the gate would say, and whether it could be had again."""
        return replace(self.facts(), reproducible=self.reproducible(), preview=self.preview())

    def facts(self) -> StatusView:
        """Returns what is recorded so far; cheap, and from any thread."""
        place, log = self._place, self._log
        files = self._files.notes() if self._files is not None else ()
        known = (*log.notes(), *self.asked.notes(), *place.notes(), *files)
        notes = (*known, *filter(None, [self._store.backlog()]), *process_notes())
        return StatusView(
            status=SessionStatus.PAUSED if log.is_paused else self._state,
            run_id=self._title.run_id,
            run_name=self._title.name,
            experiment=self._title.experiment,
            tracking_uri=place.shown_uri,
            notebook=place.notebook,
            git_commit=str(place.git),
            parameters=shown_parameters(log.params),
            metrics=log.metrics,
            data=self._data(),
            figures=log.artifacts,
            checks=log.checks,
            tests=log.tests,
            verdict=self._verdict,
            model_version=self._version,
            notes=notes,
        )

    @property
    def stores(self) -> Readable:
        """The stores that this run is in, for reading."""
        return self._store

    @property
    def tracking_uri(self) -> str:
        """Where they are."""
        return self._place.tracking_uri

    @property
    def scope(self) -> str:
        """Whose runs its own is to be compared with: those of its notebook, else those of its experiment."""
        return str(self.notebook_path) if self.notebook_path is not None else self._title.experiment

    def story(self) -> Story:
        """Returns where this run comes from, and what it did so far."""
        # It reads git and the notebook, and few cells ask.
        from nbmlops.app.session.lineage import session_story  # noqa: PLC0415  # only who asks needs it

        if self._files is not None:
            self._files.settle(_QUESTION_SECONDS)
        values = self._files.values if self._files is not None else {}
        return session_story(self.status(), self._place, self._cells.recorded, values)
