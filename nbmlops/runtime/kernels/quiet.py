"""Ignoring warnings in several threads at once: filters belong to the process, and whoever is last puts them back."""

from __future__ import annotations

import threading
import warnings
from types import TracebackType


class Quiet:
    """While anybody is within it, no warning is shown in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._within = 0
        self._filters = warnings.catch_warnings()

    def __enter__(self) -> None:
        with self._lock:
            if self._within == 0:
                self._filters = warnings.catch_warnings()
                self._filters.__enter__()
                warnings.simplefilter("ignore")
            self._within += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._within -= 1
            if self._within == 0:
                self._filters.__exit__(None, None, None)


QUIET = Quiet()
