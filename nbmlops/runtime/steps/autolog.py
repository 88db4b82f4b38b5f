"""MLflow's autologging for whoever asks for it, a notebook's run or a step; MLflow is not imported before it is needed.

Needed is MLflow from the moment on that a library is there which can train. Until then only imports are watched.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from nbmlops.pipeline.run_record import FitRecord
from nbmlops.runtime.kernels.import_watch import ImportWatch

if TYPE_CHECKING:
    from collections.abc import Callable

    from nbmlops.core.records import ArtifactRecord
    from nbmlops.tracking.mlflow_autolog import MlflowAutolog

TRAINING = frozenset(
    {"keras", "lightgbm", "lightning", "pytorch_lightning", "sklearn", "statsmodels", "tensorflow", "xgboost"}
)
"""Libraries that train, and that MLflow follows."""
_FOLDER = Path(".nbmlops", "tmp", "autolog")


class Autolog:
    """Autologging in this process from `start` to `stop`.

    Args:
        root: The project's root.
        take: Called with each training that has ended, on the thread that trained.
    """

    def __init__(self, root: Path, take: Callable[[FitRecord], None]) -> None:
        self._root, self._take = root, take
        self._watch = ImportWatch(self._came)
        self._mlflow: MlflowAutolog | None = None
        self._patched: set[str] = set()
        self.seconds = 0.0
        """How long importing MLflow and patching took."""
        self.fault = ""
        """Why it does not work, or ""."""

    def start(self) -> None:
        """Begins to follow libraries that are there, and those that will be."""
        self._watch.wait_for(set(TRAINING))
        for library in sorted(TRAINING & sys.modules.keys()):
            self._came(library)

    def stop(self) -> None:
        """Undoes it; what MLflow raises is a fault of autologging, and keeps no run or step from ending."""
        self._watch.stop()
        self._patched.clear()
        mlflow, self._mlflow = self._mlflow, None
        if mlflow is not None:
            try:
                mlflow.stop()
            except Exception as error:  # noqa: BLE001  # see above
                self.fault = f"{type(error).__name__}: {error}"

    @property
    def is_waiting(self) -> bool:
        """Whether no library is there yet that could train."""
        return self._mlflow is None

    def _came(self, library: str) -> None:
        if library in self._patched:
            return
        self._patched.add(library)
        began = time.perf_counter()
        try:
            self._patch(library)
        except Exception as error:  # noqa: BLE001  # the import of the user's that this stands in must go on
            self.fault = f"{library}: {type(error).__name__}: {error}"
        self.seconds += time.perf_counter() - began

    def _patch(self, library: str) -> None:
        if self._mlflow is None:
            # MLflow takes seconds to import, and few ask for autologging.
            from nbmlops.tracking.mlflow_autolog import MlflowAutolog  # noqa: PLC0415  # as said above

            mlflow = MlflowAutolog(self._take, self._keep, self._root / _FOLDER)
            mlflow.start()
            self._mlflow = mlflow
        self._mlflow.patch(library)

    def _keep(self, name: str, data: bytes) -> ArtifactRecord:
        from nbmlops.tracking.artifacts import keep_artifact  # noqa: PLC0415  # it loads what knows secrets

        return keep_artifact(self._root, name, data)
