"""What a generated step notebook calls: `open_step(name)`, then `load`, then the step's function, then `save`.

Under the runner the namespace comes from the runner's context; under plain papermill, or by hand in Jupyter, from the
latest records of the steps before. A step that is joined with the one before it in this process goes on with what is
alive there. Tracking calls in between are collected for the step's log; MLflow is not involved.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Collection, Mapping, MutableMapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from nbmlops.core.errors import StepFailed, UsageError
from nbmlops.pipeline.codec import read_pipeline
from nbmlops.pipeline.fields import Fields
from nbmlops.pipeline.ir import Pipeline, StepMode
from nbmlops.pipeline.run_record import LiveValue
from nbmlops.runtime.ambient import random_state
from nbmlops.runtime.ambient.handover import (
    live_settings,
    store_random,
    store_settings,
    stored_random,
    stored_settings,
)
from nbmlops.runtime.ambient.seeding import seed_generators
from nbmlops.runtime.ambient.session import process_session
from nbmlops.runtime.handover.handover import Handover
from nbmlops.runtime.handover.refusals import unstorable_result, value_of_another_process
from nbmlops.runtime.layout import ENVIRONMENT, Layout, layout_of, pipeline_file
from nbmlops.runtime.redact import new_secrets, redacted_log, redacted_report
from nbmlops.runtime.reuse.cache import StepCache
from nbmlops.runtime.reuse.files import UNREADABLE, code_state, file_state, shown
from nbmlops.runtime.reuse.records import CacheRecord, FileState, KeyParts, StepOutcome
from nbmlops.runtime.reuse.variables import watch
from nbmlops.runtime.schedule.machine import peak_memory
from nbmlops.runtime.schedule.units import read_at_the_end
from nbmlops.runtime.steps.alive import Alive
from nbmlops.runtime.steps.autolog import Autolog
from nbmlops.runtime.steps.by_hand import context_by_hand
from nbmlops.runtime.steps.context import (
    ENVIRONMENT_VARIABLE,
    Remains,
    StepContext,
    read_context,
    write_failure,
    write_outcome,
    write_secrets,
)
from nbmlops.runtime.steps.errors import Places, StepCells, report_exception, step_error
from nbmlops.runtime.steps.follow_cells import follow_cells
from nbmlops.runtime.steps.listings import Listing, answer, relative
from nbmlops.runtime.steps.notebook_names import NotebookNames, bind, bound
from nbmlops.runtime.steps.observe import Observer, module_files
from nbmlops.runtime.steps.recorder import StepRecorder
from nbmlops.runtime.steps.silent import import_silently
from nbmlops.runtime.steps.stray_errors import StrayErrors
from nbmlops.runtime.store.store import DamagedObject, Store


class Step:
    """An opened step, as its notebook sees it. Made by `open_step`.

    Args:
        context: What the step is given.
        pipeline: The pipeline it belongs to.
        layout: Where things are.
        before: The step that it is joined with: the one that ran before it in this process.
    """

    def __init__(self, context: StepContext, pipeline: Pipeline, layout: Layout, before: Step | None = None) -> None:
        self.recorder = StepRecorder(layout.root)
        self._context, self._pipeline, self._layout = context, pipeline, layout
        self._declared = pipeline.step(context.step)
        self._store = Store(layout.store)
        self.alive: Alive = before.alive if before else Alive(Handover(self._store, context.values, pipeline.name))
        self._is_joined = before is not None
        self._variables = dict(os.environ)
        self._cells = StepCells(layout.folder / self._declared.notebook)
        self._unfollow: Callable[[], None] = lambda: None
        self._observer = Observer(layout.root, pipeline.name, (layout.folder, layout.root / ".nbmlops"))
        self._entry = stored_random(self._store, context.ambient)
        self._before = self._entry
        self._ambient = process_session()
        self._stray = StrayErrors()
        self._autolog = Autolog(layout.root, self.recorder.fit) if pipeline.autolog else None
        self._began, self._began_ns = False, 0
        self._names: NotebookNames | None = None
        self._made_before: Mapping[str, object] = {}  # definitions that are alive, whose objects count
        self.is_over = False

    @property
    def folder(self) -> Path:
        """The pipeline's folder."""
        return self._layout.folder

    def load(self, *names: str) -> Any:
        """Returns the value of the name, or a tuple of values for several names.

        Raises:
            StepFailed: no earlier step has handed over a value of that name, or its stored form is damaged.
        """
        values = tuple(self._load(name) for name in names)
        if not self._began:
            self._ambient.begin()
            self._begin()
        return values[0] if len(values) == 1 else values

    def load_into(self, namespace: MutableMapping[str, Any]) -> None:
        """Binds the inputs in the globals of a step notebook, those that have a value; everything if it may be read.

        Raises:
            StepFailed: an earlier step has not run, or a stored form is damaged.
        """
        handover = self.alive.handover
        namespace.update({name: value for name, value in self._made_before.items() if name in namespace})
        names = list(handover.names()) if self._declared.whole else [value.name for value in self._declared.inputs]
        loaded = self.load(*names) if len(names) > 1 else tuple(self.load(name) for name in names)
        bind(namespace, dict(zip(names, loaded, strict=True)))
        released = handover.release() if self._declared.whole else frozenset()
        self._names = NotebookNames(namespace, {*names, *self._declared.parameters}, released)

    def save_from(self, namespace: Mapping[str, Any], code: Collection[str] = ()) -> None:
        """Hands over the outputs from the globals of a step notebook; of a step that may bind any name, all it bound.

        Args:
            namespace: The globals.
            code: Names that the cells of such a step import or define.

        Raises:
            StepFailed: a value that the closing stages read cannot be stored.
            EnvironmentFault: the store cannot be written.
        """
        outputs = self._names.changed(namespace, code) if self._names is not None and self._declared.whole else {}
        self.save(**{**outputs, **bound(namespace, self._declared.outputs)})

    def save(self, /, **outputs: object) -> None:
        """Hands over the outputs, and whatever else of the namespace the step changed.

        Raises:
            StepFailed: a value that the closing stages read cannot be stored; the message names variable, type, cells.
            EnvironmentFault: the store cannot be written.
        """
        after = random_state.capture()
        self._began = True
        self._observer.stop()
        self._stop_autolog()
        variables = watch().stop()
        warnings = self._stray.stop()
        changed = self._ambient.end()
        self.alive.take_variables(outputs)
        saved = self.alive.handover.save(outputs, self._declared.compared)
        at_the_end = read_at_the_end(self._pipeline, self._declared.name)
        for value in saved.live:
            if value.name in at_the_end:
                failure: StepFailed = unstorable_result(value, self._pipeline, self._declared, self._layout)
                raise failure
        live = (*saved.live, *self.alive.keep_folders(self._observer.folders))
        carried = random_state.carried(self._entry, self._before, after)
        is_last = self._declared is self._pipeline.steps[-1]
        live += () if is_last else live_settings(changed)
        settings = {} if is_last else store_settings(self._store, changed)
        modules = self._observer.modules(self._package_namespaces())
        outcome = StepOutcome(
            values=saved.values,
            changed_inputs=saved.changed_inputs,
            log=redacted_log(self.recorder.log()),
            files=self._files(modules),
            listings=self._listings(),
            variables=variables,
            written=tuple(shown(Path(path), self._layout.root) for path in self._observer.files_written()),
            altered=self._altered(),
            modules=modules,
            random_before=self._context.ambient.random_digest,
            random_used=random_state.changed(self._before, after),
            random=store_random(self._store, carried),
            settings_before={part: self._context.ambient.identity(part) for part in self._ambient.seen()},
            settings=settings,
            unkeyable=self._observer.unkeyable() or saved.unkeyable(),
            live=live,
            warnings=warnings,
            peak=peak_memory(),
        )
        self._report(outcome)
        self.alive.random = after
        self.is_over = self._context.report is not None and (self._is_joined or bool(live))

    def start(self) -> None:
        """Begins: import path, working directory, ambient state, and watching; joined steps find these as they are."""
        if not self._is_joined:
            folder = str(self._layout.folder)
            if folder not in sys.path:
                sys.path.insert(0, folder)
            os.chdir(self._layout.source)
            seed_generators()
        self._begin()
        self._began_ns = time.time_ns()
        if self._autolog is not None:
            self._autolog.start()
        self._observer.start()
        watch().start(self._observer.is_users_code)
        given = stored_settings(self._store, self._context.ambient)
        self._ambient.open(self._layout.source, self._layout.root, self._pipeline.name, given)
        if self._is_joined:
            self._made_before = self.alive.enter(self._declared, self._pipeline.name)
        else:
            if ENVIRONMENT in self._declared.modules:
                import_module(f"{self._pipeline.name}.{ENVIRONMENT}").prepare()
            self._ambient.prepare(self._layout.source)
            import_silently(self._declared.silent)
        self._stray.start()
        self._unfollow = follow_cells(self)

    def leave(self) -> None:
        """Leaves the process to a step that is joined with this one: its names go, its values stay."""
        self._unfollow()
        ours = {name for name, value in vars(sys.modules["__main__"]).items() if value is self or value is open_step}
        self.alive.leave(self._declared, self._pipeline.name, ours)

    def fail(self, error: BaseException) -> None:
        """Reports to the runner why the step failed; outside of a run the notebook shows it by itself."""
        self._observer.stop()
        self._stop_autolog()
        if self._context.report is not None:
            self._tell_secrets()
            told = redacted_report(report_exception(error, self._cells.place), self._layout.package)
            write_failure(self._context.report, redacted_log(self.recorder.log()), told, self._remains())

    def goes_on_after(self, source: str) -> bool:
        """Returns whether the step goes on after an error in a cell of this text, because the cell is tagged so."""
        return self._declared.mode is StepMode.VERBATIM and self._cells.may_raise(source)

    def traced_home(self, error: BaseException) -> str:
        """Returns the traceback in terms of the source notebook, or "" if none of its lines took part."""
        report = Fields(report_exception(error, self._cells.place), "report")
        told = step_error(report, Places(self._pipeline, self._layout))
        return told.traceback if told.cell else ""

    def _stop_autolog(self) -> None:
        if self._autolog is not None:
            self._autolog.stop()

    def begin_code(self) -> None:
        """Puts the ambient state in place once more, now that everything is imported: the step's own code begins."""
        if not self._began:
            self._ambient.begin()
            self._begin()
            self._began = True

    def _begin(self) -> None:
        random_state.restore(self.alive.random or self._entry)
        self._before = random_state.capture()

    def _load(self, name: str) -> Any:
        try:
            return self.alive.handover.load(name)
        except KeyError as error:
            producer = next((value.step for value in self._declared.inputs if value.name == name), "")
            if found := self._live_elsewhere(name):
                step, value = found
                raise value_of_another_process(value, step, self._declared.name, self._pipeline) from None
            raise StepFailed(
                f"step {self._declared.name!r} reads {name!r}, which step {producer!r} has not handed over yet",
                f"run the earlier steps first: nbmlops run {self._pipeline.name}",
            ) from error
        except DamagedObject as error:
            raise StepFailed(f"the stored value of {name!r} cannot be used: {error.message}", error.hint) from error

    def _live_elsewhere(self, name: str) -> tuple[str, LiveValue] | None:
        """Returns the value of a name that an earlier step could not store, and that step."""
        cache = StepCache(self._layout.cache, self._layout.state)
        steps = self._pipeline.steps
        for step in reversed(steps[: steps.index(self._declared)]):
            record = cache.latest(step.name)
            for value in record.outcome.live if record else ():
                if value.name == name:
                    return step.name, value
        return None

    def _package_namespaces(self) -> list[Mapping[str, Any]]:
        names = {f"{self._pipeline.name}.{module}" for module in self._declared.modules}
        names |= {"__main__"} if self._declared.mode is StepMode.VERBATIM else set()
        found = [sys.modules.get(name) for name in sorted(names)]
        return [vars(module) for module in found if isinstance(module, ModuleType)]

    def _files(self, modules: tuple[str, ...]) -> dict[str, FileState]:
        layout = self._layout
        named = ((layout.source / path).resolve() for path in self._declared.files)
        read = {*map(Path, self._observer.files_read()), *named}
        code = {*map(Path, module_files(modules, (layout.folder,))), *map(Path, self._observer.files_imported())}
        made = {Path(path) for path in self._observer.files_written()}
        changed = {Path(path) for path in self._observer.files_changed()}
        now = time.time_ns()
        states = {
            path: (file_state if path in read else code_state)(path, now) for path in sorted((read | code) - made)
        }
        lost = FileState(UNREADABLE)
        return {shown(path, layout.root): lost if path in changed else state for path, state in states.items()}

    def _remains(self) -> Remains | None:
        """Returns what it has left behind so far, None if other programs or machines took part."""
        if self._observer.commands or self._observer.hosts:
            return None
        written = tuple(shown(Path(path), self._layout.root) for path in self._observer.files_written())
        return Remains(written, self._altered())

    def _altered(self) -> tuple[str, ...]:
        """Returns what it changed otherwise than by writing it anew, and files it names that changed unseen."""
        written = {Path(path) for path in self._observer.files_written()}
        named = {(self._layout.source / path).resolve() for path in self._declared.files} - written
        unseen = {path for path in named if path.is_file() and path.stat().st_ctime_ns >= self._began_ns}
        found = {*map(Path, self._observer.files_altered()), *unseen}
        return tuple(sorted(shown(path, self._layout.root) for path in found))

    def _listings(self) -> dict[Listing, str]:
        root = self._layout.root
        asked = sorted(relative(listing, root) for listing in self._observer.listed)
        return {listing: answer(listing, root, (self._layout.folder,)) for listing in asked}

    def _tell_secrets(self) -> None:
        """Tells the runner of secrets that cells have put into variables: it writes the executed notebook."""
        found = new_secrets(self._variables)
        if found and self._context.secrets is not None:
            write_secrets(self._context.secrets, found)

    def _report(self, outcome: StepOutcome) -> None:
        if self._context.report is not None:
            self._tell_secrets()
            write_outcome(self._context.report, outcome)
            return
        cache = StepCache(self._layout.cache, self._layout.state)
        cache.set_latest(CacheRecord(self._declared.name, "", KeyParts("", {}, {}, {}, {}), outcome))


class _Process:
    """The one step that this process has open."""

    __slots__ = ("step",)

    def __init__(self) -> None:
        self.step: Step | None = None


_PROCESS = _Process()


def open_step(name: str) -> Step:
    """Returns the step, opened: package importable, working directory that of the source notebook, random state set.

    Under the runner it reads the context file named by the environment variable `NBMLOPS_STEP_CONTEXT`; else the
    working directory (or its parent) must be a compiled pipeline whose earlier steps have run.

    Args:
        name: The step's name.

    Raises:
        UsageError: there is no such pipeline or step here.
    """
    path = os.environ.get(ENVIRONMENT_VARIABLE)
    context = (
        read_context(Path(path)) if path else context_by_hand(name, _PROCESS.step.folder if _PROCESS.step else None)
    )
    if context.step != name:
        raise UsageError(f"this process was started for step {context.step!r}, not for {name!r}")
    pipeline = read_pipeline(pipeline_file(context.folder))
    before = _PROCESS.step if context.joined else None
    step = Step(context, pipeline, layout_of(context.folder, pipeline), before)
    _PROCESS.step = step
    step.start()
    return step


def current_step() -> StepRecorder | None:
    """Returns the recorder of the step that this process runs, or None in an ordinary notebook or program."""
    return None if _PROCESS.step is None else _PROCESS.step.recorder
