"""Fetching artifacts quietly: MLflow draws a progress bar for every file, however small."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

_BAR = "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"


@contextmanager
def without_progress_bar() -> Iterator[None]:
    """Runs the block without MLflow's progress bars, unless somebody asked for them."""
    if _BAR in os.environ:
        yield
        return
    os.environ[_BAR] = "false"
    try:
        yield
    finally:
        os.environ.pop(_BAR, None)
