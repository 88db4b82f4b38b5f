"""Which steps of a run start warm, and the process that their kernels are forked from."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from nbmlops.pipeline.ir import Pipeline, Step, StepMode
from nbmlops.runtime.ambient.ambient import AmbientState
from nbmlops.runtime.ambient.session import PARTS
from nbmlops.runtime.kernels.forkserver import ForkPlan, ForkServer
from nbmlops.runtime.kernels.preload import modules_to_preload
from nbmlops.runtime.layout import ENVIRONMENT, STATE_FOLDER, Layout, pipeline_file

_EARLY = frozenset(part.name for part in PARTS if part.early)


class WarmStart:
    """Starts the process to fork from beside the first of several steps that run, or the second one.

    Args:
        pipeline: The pipeline.
        layout: Where things are.
        variables: All environment variables of the steps' processes.
        wanted: Whether steps may start warm at all.
    """

    def __init__(self, pipeline: Pipeline, layout: Layout, variables: Mapping[str, str], *, wanted: bool) -> None:
        self._pipeline, self._layout, self._variables = pipeline, layout, variables
        self._wanted = wanted and sys.platform == "linux" and not variables.keys() & {"JE_ARROW_MALLOC_CONF"}
        self._server: ForkServer | None = None
        self._modules: tuple[str, ...] | None = None  # to be imported before; None as long as nobody asked
        self._asked = 0
        self._told = ""

    def forks_for(self, step: Step, ambient: AmbientState, *, more: bool) -> ForkServer | None:
        """Returns where the step's process may be forked from, None if it has to start cold.

        Args:
            step: The step that is to run.
            ambient: The ambient state that it is given.
            more: Whether other steps may have to run after it.
        """
        if not self._wanted:
            return None
        if self._server is None:
            self._asked += 1
            if self._modules is None:
                self._modules = modules_to_preload(self._sources())
            # Without libraries it pays from the third step on; whether many are to run, the second one suggests.
            if more and (self._modules or self._asked > 1):
                self._server = ForkServer(self._plan(self._modules))
            return None
        # What is set before a step's imports is there too late for modules that are imported already.
        is_early = ENVIRONMENT in step.modules or not _EARLY.isdisjoint(ambient.settings)
        return None if is_early else self._server

    def take_refusal(self) -> str:
        """Returns, once, why steps that could have started warm did not; "" if there is no reason."""
        reason = self._server.refusal if self._server is not None else ""
        told, self._told = self._told, reason
        return reason if reason != told else ""

    def close(self) -> None:
        """Ends the process."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def _plan(self, modules: tuple[str, ...]) -> ForkPlan:
        layout = self._layout
        return ForkPlan(
            modules=modules,
            source=layout.source,
            root=layout.root,
            package=self._pipeline.name,
            pipeline=pipeline_file(layout.folder),
            ignored=(layout.root / STATE_FOLDER, layout.folder),
            environment=self._variables,
        )

    def _sources(self) -> Iterator[str]:
        for path in sorted(self._layout.package.glob("*.py")):
            yield _text(path)
        for step in self._pipeline.steps:
            if step.mode is StepMode.VERBATIM:
                yield from _cells(self._layout.folder / step.notebook)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""  # the step that needs it says so


def _cells(path: Path) -> Iterator[str]:
    try:
        cells = json.loads(_text(path))["cells"]
        yield from ("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    except (ValueError, LookupError, TypeError):
        return  # as above
