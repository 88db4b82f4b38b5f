"""What a notebook's run records only where it is asked for: trainings by autologging, and figures that cells show."""

from __future__ import annotations

from typing import Protocol

from nbmlops.app.session.figures import ShownFigures, Shows
from nbmlops.app.session.place import Kernel
from nbmlops.pipeline.run_record import FitRecord
from nbmlops.runtime.steps.autolog import Autolog


class Taker(Shows, Protocol):
    """What takes them: a notebook's session. `is_mine` tells whether this process has its run."""

    def fit(self, record: FitRecord) -> None:
        """Records what autologging told of a training."""


class AskedFor:
    """Autologging and shown figures of one run; both off at first."""

    def __init__(self) -> None:
        self._autolog: Autolog | None = None
        self._figures: ShownFigures | None = None

    def start(self, taker: Taker, kernel: Kernel, *, autolog: bool, figures: bool) -> None:
        """Begins what is asked for, once.

        Args:
            taker: What takes it.
            kernel: Where cells run.
            autolog: Follow what is trained.
            figures: Keep what cells show.
        """
        if autolog and self._autolog is None:
            self._autolog = Autolog(taker.root, lambda fit: taker.fit(fit) if taker.is_mine else None)
            self._autolog.start()
        if figures and self._figures is None and kernel.shell is not None:
            self._figures = ShownFigures(kernel.shell, taker)
            self._figures.start()

    def cell_started(self) -> None:
        """Notes that a cell begins."""
        if self._figures is not None:
            self._figures.cell_started()

    def cell_ended(self, count: int) -> None:
        """Takes what a cell of the notebook has shown, by its number in the prompt."""
        if self._figures is not None:
            self._figures.cell_ended(count)

    def stop(self) -> None:
        """Undoes it."""
        for one in (self._autolog, self._figures):
            if one is not None:
                one.stop()
        self._autolog = self._figures = None

    def notes(self) -> tuple[str, ...]:
        """Returns what the user should know of it."""
        return (*(self._figures.notes() if self._figures is not None else ()), *self._autolog_notes())

    def _autolog_notes(self) -> tuple[str, ...]:
        if self._autolog is None:
            return ()
        if self._autolog.fault:
            return (f"autologging failed: {self._autolog.fault}",)
        if self._autolog.is_waiting:
            return ("autologging waits for a library that trains; MLflow will be imported with it, for some seconds",)
        return (f"autologging follows what is trained; importing MLflow took {self._autolog.seconds:.1f} s",)
