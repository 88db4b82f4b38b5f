"""Verifying: notebook and pipeline run side by side, and are compared value by value and output by output.

Everything happens in scratch copies of the project, one after the other at the same place: the notebook in one fresh
kernel, then the compiled pipeline with a store of its own. When something differs the notebook runs a second time, so
that what it does not do twice the same way is not blamed on the compiler.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from nbmlops.app.compiling.compile import Source, compile_options, open_source, star_names, with_steps
from nbmlops.app.project import default_out
from nbmlops.app.verify.cells import cells_to_run
from nbmlops.app.verify.report import Status, Verification, worst
from nbmlops.app.verify.scratch import copy_project
from nbmlops.app.verify.verdicts import Evidence, compared_steps
from nbmlops.compiler.compile import compile_notebook
from nbmlops.core.diagnostics import has_errors
from nbmlops.core.documents import write_atomically
from nbmlops.core.errors import Interrupted, Terminated
from nbmlops.data.compare.noise import Noise
from nbmlops.pipeline.ir import Pipeline
from nbmlops.runtime.ambient.seeding import SEED_VARIABLE
from nbmlops.runtime.parameters import parse_overrides
from nbmlops.runtime.runner import run_pipeline
from nbmlops.runtime.schedule.events import Event
from nbmlops.runtime.schedule.results import RunOptions, StepsResult
from nbmlops.runtime.witness.verdicts import compare_borders, homes_of, names_at_borders
from nbmlops.runtime.witness.witness import Watched, WatchJob, watch_notebook


class VerifyRequest(Struct, frozen=True):
    """What the caller asks for.

    Attributes:
        notebook: The notebook as the user named it, relative to `cwd`.
        cwd: The folder that relative paths count from.
        parameters: `name=value` texts.
        once: Do not run the notebook a second time.
        timeout: Seconds a cell may take; None for any time.
        steps: Where the steps come from, as for compiling.
    """

    notebook: str
    cwd: Path
    parameters: tuple[str, ...] = ()
    once: bool = False
    timeout: float | None = None
    steps: str = ""


class StageBegins(Struct, frozen=True):
    """Verifying goes on to something else."""

    text: str


class CellBegins(Struct, frozen=True):
    """A cell of the notebook begins: the n-th of all."""

    cell: int
    number: int
    total: int


VerifyProgress = Event | StageBegins | CellBegins
Listener = Callable[[VerifyProgress], None]


def verify(request: VerifyRequest, tell: Listener) -> Verification:
    """Returns whether notebook and pipeline agree, and where they do not.

    Args:
        request: What to verify.
        tell: Told of everything that happens, in order.

    Raises:
        UsageError: the notebook cannot be read, a parameter is wrong, or the project is too large to be copied.
        ConfigError: the configuration is malformed.
        EnvironmentFault: no kernel can be started, or the disk is full.
    """
    source = open_source(request.notebook, request.cwd)
    source = replace(source, repository=source.root)  # a scratch copy holds the project, not what lies around it
    out = default_out(source.root, source.name)
    stars = star_names(source, None)
    source = with_steps(source, request.steps, out, stars)
    compiled = compile_notebook(source.notebook, compile_options(source, out, "", (), stars))
    if compiled.pipeline is None or has_errors(compiled.diagnostics):
        return Verification(request.notebook, Status.REFUSED, diagnostics=compiled.diagnostics)
    with tempfile.TemporaryDirectory(prefix="nbmlops-verify-") as scratch:
        work = _Work(source, request, compiled.pipeline, compiled.files, Path(scratch).resolve(), tell)
        found = work.verify()
    return replace(found, diagnostics=compiled.diagnostics)


class _Work:
    """One verification: three runs at the same place, one after the other."""

    def __init__(
        self,
        source: Source,
        request: VerifyRequest,
        pipeline: Pipeline,
        files: Mapping[str, bytes],
        scratch: Path,
        tell: Listener,
    ) -> None:
        self._source, self._request, self._pipeline, self._files = source, request, pipeline, files
        self._scratch, self._tell = scratch, tell
        self._root = scratch / source.root.name
        self._folder = self._root / default_out(source.root, source.name).relative_to(source.root)
        self._parameters = parse_overrides(pipeline, request.parameters)
        self._cells = cells_to_run(source.notebook, pipeline, self._parameters)
        self._variables = {SEED_VARIABLE: "0", **os.environ}  # a notebook that seeds nothing is comparable, too
        self._noise = Noise(pipeline.name, datetime.now(UTC))
        self._seconds: dict[str, float] = {}

    def verify(self) -> Verification:
        """Returns what was found."""
        first = self._watch("notebook", "running the notebook")
        if first.error is not None:
            return Verification(
                self._request.notebook, Status.FAILED, self._pipeline, error=first.error, runs=1, seconds=self._seconds
            )
        with self._copy():
            result = self._run_pipeline()
            with self._timed("compare"):
                self._tell(StageBegins("comparing values"))
                values = compare_borders(
                    self._folder, self._pipeline, self._store("notebook"), first.borders, self._variables
                )
                executed = {record.name: _outputs(self._root / record.notebook) for record in result.steps}
        evidence = Evidence(self._pipeline, first, result.steps, values, executed, self._noise)
        steps = compared_steps(evidence)
        second = None
        if not self._request.once and worst([step.status for step in steps]) is Status.DIFFERENT:
            second = self._watch("notebook again", "running the notebook again: something differs")
            steps = compared_steps(replace(evidence, second=second))
        return Verification(
            self._request.notebook,
            worst([step.status for step in steps]),
            self._pipeline,
            steps,
            joined=tuple((joined.steps, tuple(value.name for value in joined.values)) for joined in result.joined),
            runs=1 if second is None else 2,
            seconds=self._seconds,
        )

    def _watch(self, stage: str, text: str) -> Watched:
        self._tell(StageBegins(text))
        numbers = [cell.number for cell in self._cells]
        begun: list[int] = []

        def on_cell(number: int) -> None:
            begun.append(number)
            self._tell(CellBegins(number, len(begun), len(numbers)))

        job = WatchJob(
            cells=self._cells,
            names=names_at_borders(self._pipeline),
            homes=homes_of(self._pipeline),
            folder=self._root / self._source.path.parent.relative_to(self._source.root),
            root=self._root,
            store=self._store(stage),
            timeout=self._request.timeout,
            autolog=self._pipeline.autolog,
        )
        with self._copy(), self._timed(stage):
            return watch_notebook(job, self._variables, on_cell)

    def _run_pipeline(self) -> StepsResult:
        self._tell(StageBegins("running the pipeline"))
        options = RunOptions(
            parameters=self._parameters,
            base=self._root,
            timeout=self._request.timeout,
            environment=lambda: self._variables,
        )
        with self._timed("pipeline"):
            result = run_pipeline(self._folder, options, self._tell)
        if result.signal:
            raise Terminated("terminated") if result.signal == "SIGTERM" else Interrupted("interrupted")
        return result

    @contextmanager
    def _copy(self) -> Iterator[None]:
        """Has a fresh copy of the project, with the compiled pipeline in it, at the one place."""
        with self._timed("copy"):
            copy_project(self._source.root, self._root)
            shutil.rmtree(self._folder, ignore_errors=True)  # what was compiled before
            for path, content in self._files.items():
                write_atomically(self._root / path, content)
        try:
            yield
        finally:
            shutil.rmtree(self._root, ignore_errors=True)  # the rest goes with the scratch folder

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        begun = datetime.now(UTC)
        try:
            yield
        finally:
            spent = (datetime.now(UTC) - begun).total_seconds()
            self._seconds[stage] = round(self._seconds.get(stage, 0.0) + spent, 2)

    def _store(self, stage: str) -> Path:
        return self._scratch / "stores" / stage.replace(" ", "-")


def _outputs(executed: Path) -> list[Mapping[str, Any]]:
    """Returns all outputs of an executed step notebook; none if there is no such file."""
    if not executed.is_file():
        return []
    cells = json.loads(executed.read_bytes())["cells"]
    return [output for cell in cells for output in cell.get("outputs", ())]
