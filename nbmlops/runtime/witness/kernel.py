"""Watches a notebook from inside its kernel: an IPython extension that `witness` has the kernel load.

It adds no cell and no name. After the last cell of each step it looks at the values that the pipeline hands over there.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any, cast

from nbmlops.pipeline.run_record import FitRecord
from nbmlops.runtime import step as step_module
from nbmlops.runtime.ambient.seeding import seed_generators
from nbmlops.runtime.steps.autolog import Autolog
from nbmlops.runtime.steps.errors import report_exception
from nbmlops.runtime.steps.recorder import StepRecorder
from nbmlops.runtime.store.store import Store
from nbmlops.runtime.witness.looks import Looker, bound
from nbmlops.runtime.witness.records import ALL, PLAN_VARIABLE, Border, WatchPlan, border_to_json, read_plan

_OF_THE_SESSION = frozenset({"In", "Out", "exit", "get_ipython", "open", "quit"})


def load_ipython_extension(shell: Any) -> None:
    """Begins to watch the shell, as the plan says whose path stands in the environment."""
    plan = read_plan(Path(os.environ.pop(PLAN_VARIABLE)))
    seed_generators()
    watcher = _Watcher(shell, plan)
    shell.events.register("post_run_cell", watcher.after_cell)


class _Watcher:
    def __init__(self, shell: Any, plan: WatchPlan) -> None:
        self._shell, self._plan = shell, plan
        self._record()
        self._looker = Looker(plan.homes, Store(plan.store))
        self._ran = 0
        if plan.autolog:
            Autolog(plan.root, self._take).start()

    def after_cell(self, result: Any) -> None:
        """Notes a border if the cell that ran was the last of a step."""
        # Newer kernels take what cannot be displayed for a failure of the cell; the session goes on all the same.
        self._shell._last_traceback_during_displayhook = False  # noqa: SLF001 - there is no setting for it
        if not result.info.store_history or self._ran >= len(self._plan.cells):
            return
        step = self._plan.cells[self._ran]
        self._ran += 1
        if not step:
            return
        try:
            line = json.dumps(border_to_json(self._border(step)), ensure_ascii=True)
        except Exception as error:  # noqa: BLE001 - told to the process that waits for the border
            line = json.dumps({"step": step, "fault": report_exception(error)}, ensure_ascii=True)
        with self._plan.report.open("a", encoding="utf-8") as report:
            report.write(line + "\n")

    def _border(self, step: str) -> Border:
        names = self._plan.names[step]
        if ALL in names:
            names = tuple(dict.fromkeys([*names, *self._own_names()]))
        values, shared = self._looker.look(bound(self._shell.user_ns, names))
        log = self.recorder.log()
        self._record()
        return Border(step, values, shared, log)

    def _take(self, fit: FitRecord) -> None:
        self.recorder.fit(fit)  # that of the step that runs now

    def _record(self) -> None:
        """Lets tracking calls go to a new recorder, as in a step of the pipeline: no run is started."""
        self.recorder = StepRecorder(self._plan.root)
        step_module._PROCESS.step = cast("step_module.Step", self)  # noqa: SLF001 - it stands for the step

    def _own_names(self) -> list[str]:
        namespace = self._shell.user_ns
        hidden = self._shell.user_ns_hidden
        return [
            name
            for name, value in namespace.items()
            if not name.startswith("_")
            and name not in _OF_THE_SESSION
            and hidden.get(name, hidden) is not value
            and not isinstance(value, type(sys))
        ]
