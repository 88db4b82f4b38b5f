"""Where predictions on held-out rows are: a file by its digest in the project, an artifact by its name in a run."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(".nbmlops", "predictions")


def predictions_file(root: Path, digest: str) -> Path:
    """Returns where the file with this digest is in the project, until and after the run has it."""
    return root / FOLDER / f"{digest}.parquet"


def predictions_artifact(name: str) -> str:
    """Returns what predictions of this name are called among a run's artifacts."""
    return f"predictions/{name}.parquet"
