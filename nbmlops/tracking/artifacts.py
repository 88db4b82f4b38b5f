"""Where figures and other small files of a run are: a file by its digest in the project, an artifact by its name."""

from __future__ import annotations

import shutil
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from nbmlops.core.digest import digest_bytes
from nbmlops.core.documents import write_atomically
from nbmlops.core.records import ArtifactRecord
from nbmlops.tracking.redaction import process_redactor

FOLDER = Path(".nbmlops", "artifacts")
MOST_BYTES = 8 * 2**20
_TEXTS = frozenset({".csv", ".html", ".json", ".md", ".svg", ".txt", ".yaml"})


def keep_artifact(root: Path, name: str, data: bytes) -> ArtifactRecord:
    """Returns the record of a file, after writing it below the project's root; texts are written without secrets.

    Args:
        root: The project's root.
        name: What it is called among the run's artifacts.
        data: Its content. Secrets in pixels are not found.

    Raises:
        EnvironmentFault: it cannot be written.
    """
    if PurePosixPath(name).suffix in _TEXTS:
        data = process_redactor().text(data.decode(errors="replace"), name).encode()
    record = ArtifactRecord(name, digest_bytes(data))
    file = artifact_file(root, record)
    if not file.is_file():
        write_atomically(file, data, lasting=False)
    return record


def artifact_file(root: Path, record: ArtifactRecord) -> Path:
    """Returns where the content of a record is in the project, until and after the run has it."""
    return root / FOLDER / record.digest


def upload_artifact(client: Any, root: Path, run_id: str, record: ArtifactRecord) -> bool:
    """Returns whether the file of a record was copied to a run's artifacts; where it is gone the run does without.

    Args:
        client: MLflow's client.
        root: The project's root.
        run_id: The run.
        record: Which file.
    """
    file = artifact_file(root, record)
    if not file.is_file():
        return False
    folder, _, name = record.name.rpartition("/")
    with TemporaryDirectory(prefix="nbmlops-") as place:
        copy = Path(place) / name
        shutil.copyfile(file, copy)
        client.log_artifact(run_id, str(copy), folder or None)
    return True
