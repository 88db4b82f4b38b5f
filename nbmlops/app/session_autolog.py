"""Autologging for the run of a notebook: what MLflow tells of trainings goes to the run that is open then."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from nbmlops.pipeline.run_record import FitRecord
from nbmlops.runtime.autolog import Autolog


class Taker(Protocol):
    """What takes trainings: a notebook's session. `is_mine` tells whether this process has its run."""

    is_mine: bool

    @property
    def root(self) -> Path:
        """The project's root."""

    def fit(self, record: FitRecord) -> None:
        """Records what autologging told of a training."""


class SessionAutolog:
    """Autologging of one run; off at first."""

    def __init__(self) -> None:
        self._autolog: Autolog | None = None

    def start(self, taker: Taker) -> None:
        """Has autologging follow this process, once."""
        if self._autolog is None:
            self._autolog = Autolog(taker.root, lambda fit: taker.fit(fit) if taker.is_mine else None)
            self._autolog.start()

    def stop(self) -> None:
        """Undoes it."""
        if self._autolog is not None:
            self._autolog.stop()
            self._autolog = None

    def notes(self) -> tuple[str, ...]:
        """Returns what the user should know of it."""
        if self._autolog is None:
            return ()
        if self._autolog.fault:
            return (f"autologging failed: {self._autolog.fault}",)
        if self._autolog.is_waiting:
            return ("autologging waits for a library that trains; MLflow will be imported with it, for some seconds",)
        return (f"autologging follows what is trained; importing MLflow took {self._autolog.seconds:.1f} s",)
