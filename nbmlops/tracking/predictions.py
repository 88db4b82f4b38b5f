"""Where predictions on held-out rows are: a file by its digest in the project, an artifact by its name in a run."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from nbmlops.core.errors import UsageError
from nbmlops.core.records import PredictionsRecord
from nbmlops.tracking.downloads import without_progress_bar

FOLDER = Path(".nbmlops", "predictions")


def predictions_file(root: Path, digest: str) -> Path:
    """Returns where the file with this digest is in the project, until and after the run has it."""
    return root / FOLDER / f"{digest}.parquet"


def predictions_artifact(name: str) -> str:
    """Returns what predictions of this name are called among a run's artifacts."""
    return f"predictions/{name}.parquet"


def upload_predictions(client: Any, root: Path, run_id: str, record: PredictionsRecord) -> bool:
    """Returns whether the file of predictions was copied to a run's artifacts.

    Where the file is gone the run does without: the gate says so, and fails what needs them.

    Args:
        client: MLflow's client.
        root: The project's root.
        run_id: The run.
        record: Which predictions.
    """
    file = predictions_file(root, record.digest)
    if not file.is_file():
        return False
    folder, _, name = predictions_artifact(record.name).rpartition("/")
    with TemporaryDirectory(prefix="nbmlops-") as place:
        copy = Path(place) / name
        shutil.copyfile(file, copy)
        client.log_artifact(run_id, str(copy), folder)
    return True


def download_artifact(client: Any, run_id: str, name: str) -> bytes:
    """Returns the content of an artifact.

    Args:
        client: MLflow's client.
        run_id: The run.
        name: The artifact.

    Raises:
        UsageError: the run has no such artifact.
    """
    with TemporaryDirectory(prefix="nbmlops-") as folder, without_progress_bar():
        try:
            return Path(client.download_artifacts(run_id, name, folder)).read_bytes()
        except OSError as error:  # a store of files says so when there is none
            raise UsageError(f"run {run_id} has no artifact {name}: {error.strerror or error}") from error
