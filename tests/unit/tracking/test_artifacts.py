"""Files of a run that are kept in the project until the run has them."""

from pathlib import Path

from nbmlops.core.digest import digest_bytes
from nbmlops.core.records import ArtifactRecord
from nbmlops.tracking.artifacts import artifact_file, keep_artifact, upload_artifact

TOKEN = "ghp_" + "A1b2C3d4" * 4 + "E5f6"


class Client:
    """Keeps what is uploaded."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def log_artifact(self, run_id: str, path: str, folder: str | None) -> None:
        self.files[f"{run_id}/{folder}/{Path(path).name}"] = Path(path).read_bytes()


def test_a_file_is_kept_and_uploaded_under_its_name(tmp_path: Path) -> None:
    record = keep_artifact(tmp_path, "figures/a/roc.png", b"\x89PNG")
    assert record == ArtifactRecord("figures/a/roc.png", digest_bytes(b"\x89PNG"))
    client = Client()
    assert upload_artifact(client, tmp_path, "run", record)
    assert client.files == {"run/figures/a/roc.png": b"\x89PNG"}


def test_texts_are_kept_without_secrets(tmp_path: Path) -> None:
    record = keep_artifact(tmp_path, "estimator.html", f"<b>{TOKEN}</b>".encode())
    assert TOKEN.encode() not in artifact_file(tmp_path, record).read_bytes()


def test_a_file_that_is_gone_is_done_without(tmp_path: Path) -> None:
    client = Client()
    assert not upload_artifact(client, tmp_path, "run", ArtifactRecord("a.png", "0" * 64))
    assert client.files == {}
