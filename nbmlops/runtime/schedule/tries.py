"""Trying a step again: only one that is declared so, and together with those that ran in its process before it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nbmlops.pipeline.demands import delay
from nbmlops.pipeline.ir import Step


def wait_before(steps: Sequence[Step], tries: int) -> float | None:
    """Returns the seconds to wait before steps are tried again, None if they are not.

    Args:
        steps: The steps that ran in the process, the one that failed last. What the others left there is gone, so that
            they run again as well: only if each of them is declared so.
        tries: How often they were tried.
    """
    return delay(steps[-1].backoff, tries) if tries <= min(step.retries for step in steps) else None


def set_aside(notebook: Path, tries: int) -> None:
    """Keeps the executed notebook of a try that failed, `03_train.ipynb` as `03_train.try1.ipynb`."""
    if notebook.is_file():
        notebook.replace(notebook.with_suffix(f".try{tries}.ipynb"))
