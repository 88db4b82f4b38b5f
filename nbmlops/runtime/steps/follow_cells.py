"""Listens to IPython while a step's notebook runs: when its code begins, and when a cell ends it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Protocol

from nbmlops.runtime.steps.display_errors import show_as_results
from nbmlops.runtime.steps.output_limit import OutputLimit


class FollowedStep(Protocol):
    """What the listener asks of a step and tells it; see `nbmlops.runtime.step.Step`."""

    is_over: bool

    def begin_code(self) -> None:
        """Hears that the step's own code begins."""

    def goes_on_after(self, source: str) -> bool:
        """Returns whether the step goes on after an error in a cell of this text."""

    def fail(self, error: BaseException) -> None:
        """Hears that the step failed."""

    def traced_home(self, error: BaseException) -> str:
        """Returns the traceback in terms of the source notebook, or ""."""

    def leave(self) -> None:
        """Hears that the process goes on with another step."""


def follow_cells(step: FollowedStep) -> Callable[[], None]:
    """Listens to IPython: the next cell begins the step's code, and a cell that raises ends the step.

    Returns:
        What ends the listening.
    """
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module is not None else None
    if shell is None:
        return lambda: None

    limit = OutputLimit()
    as_they_are = show_as_results(shell)

    def before_cell(info: Any) -> None:  # noqa: ARG001 - IPython passes it
        limit.begin_cell()
        step.begin_code()

    def after_cell(result: Any) -> None:
        limit.end_cell()
        error = result.error_before_exec or result.error_in_exec
        if error is not None and step.goes_on_after(result.info.raw_cell):
            return
        if error is not None:
            step.fail(error)
            # Below IPython's traceback, which names the generated files.
            if home := step.traced_home(error):
                sys.stderr.write(f"In the source notebook:\n{home}\n")
        elif step.is_over:
            step.leave()

    def unfollow() -> None:
        shell.events.unregister("pre_run_cell", before_cell)
        shell.events.unregister("post_run_cell", after_cell)
        limit.end_cell()
        as_they_are()

    shell.events.register("pre_run_cell", before_cell)
    shell.events.register("post_run_cell", after_cell)
    return unfollow
