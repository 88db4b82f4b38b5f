"""The project's `.gitignore`: what runs write is not committed. Written only where there is none, else told."""

from __future__ import annotations

from pathlib import Path

from nbmlops.core.documents import write_atomically

ENTRIES = ("mlflow.db", "mlflow.db-*", "mlartifacts/", "runs/", ".nbmlops/")
_TEXT = "# what nbmlops runs write; notebooks, nbmlops.toml and pipelines/ are committed\n"


def missing_entries(root: Path) -> tuple[str, ...]:
    """Returns the lines that the project's `.gitignore` lacks; all of them when there is no file."""
    path = root / ".gitignore"
    try:
        lines = path.read_text("utf-8", "replace").splitlines()
    except OSError:  # no file, or one that nobody can read: nothing is ignored
        return ENTRIES
    present = {line.strip().strip("/") for line in lines}
    return tuple(entry for entry in ENTRIES if entry.strip("/") not in present)


def ensure_gitignore(root: Path) -> tuple[str, ...]:
    """Writes `.gitignore` where the project has none; returns the lines that a person should add to an existing one.

    Raises:
        EnvironmentFault: the file cannot be written.
    """
    path = root / ".gitignore"
    if not path.exists():
        write_atomically(path, (_TEXT + "".join(f"{entry}\n" for entry in ENTRIES)).encode())
        return ()
    return missing_entries(root)
