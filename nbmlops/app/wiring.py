"""Which adapters a command works with: the one place that reads `MLFLOW_TRACKING_URI` and makes MLflow's objects."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from nbmlops.app.config import PipelineConfig

TRACKING_VARIABLE = "MLFLOW_TRACKING_URI"
DEFAULT_STORE = "mlflow.db"


def tracking_uri(root: Path, config: PipelineConfig) -> str:
    """Returns where runs are logged: `MLFLOW_TRACKING_URI`, else the configuration, else a SQLite file at the root.

    A relative SQLite path counts from the project's root, not from wherever the command was typed.
    """
    uri = os.environ.get(TRACKING_VARIABLE, "").strip() or config.tracking_uri
    if not uri:
        return f"sqlite:///{root / DEFAULT_STORE}"
    path = uri.removeprefix("sqlite:///")
    if path != uri and path and not Path(path).is_absolute() and path != ":memory:":
        return f"sqlite:///{root / path}"
    return uri


def shown_uri(uri: str) -> str:
    """Returns the address without user name and password, for messages and documents."""
    parts = urlsplit(uri)
    if "@" not in parts.netloc:
        return uri
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
