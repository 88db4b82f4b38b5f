"""Trying a step again: only one that is declared so, and only when its process holds nothing but its own."""

from __future__ import annotations

from pathlib import Path

from nbmlops.pipeline.demands import delay
from nbmlops.pipeline.ir import Step


def wait_before(step: Step, tries: int, *, alone: bool) -> float | None:
    """Returns the seconds to wait before the step is tried again, None if it is not.

    Args:
        step: The step.
        tries: How often it was tried.
        alone: No step before it runs in its process; what such a step left there would be gone, or changed.
    """
    return delay(step.backoff, tries) if alone and tries <= step.retries else None


def set_aside(notebook: Path, tries: int) -> None:
    """Keeps the executed notebook of a try that failed, `03_train.ipynb` as `03_train.try1.ipynb`."""
    if notebook.is_file():
        notebook.replace(notebook.with_suffix(f".try{tries}.ipynb"))
