"""Opening an MLflow store: checked first, made under a lock, and never waited for without end.

The two adapters (`mlflow_tracker`, `nbmlops.registry.mlflow_registry`) share this. They use MLflow's client with an
explicit address, never the global "fluent" state, so that a user's own MLflow calls are left alone.
"""

from __future__ import annotations

import os
import signal
import socket
import ssl
import urllib.error
import urllib.request
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from nbmlops.core.errors import StoreAway, UsageError
from nbmlops.tracking.file_lock import file_lock
from nbmlops.tracking.mlflow_errors import named_errors
from nbmlops.tracking.sqlite_store import check_sqlite_store
from nbmlops.tracking.uri import masked, resolve_uri, sqlite_path

REACH_SECONDS = 4.0
_INIT_SECONDS = 120.0
_PORTS = {"postgresql": 5432, "mysql": 3306, "mssql": 1433}
# MLflow's defaults (7 retries, 120 s each) keep a notebook waiting for minutes; who sets the variables keeps them.
_PATIENCE = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}


def open_client(uri: str, root: Path) -> tuple[Any, str]:
    """Returns an MlflowClient for tracking and registry, and the absolute address that it uses.

    Args:
        uri: The store's address.
        root: The project's root, for relative SQLite paths.

    Raises:
        UsageError: the address is none.
        EnvironmentFault: the store cannot be reached within a few seconds, or cannot be used.
    """
    uri = resolve_uri(uri, root)
    path = sqlite_path(uri)
    if path is None:
        _reach(uri)
        for name, value in _PATIENCE.items():
            os.environ.setdefault(name, value)
        return _connected(uri), uri
    _import_store()  # seconds that others need not wait for
    lock = path.parent / ".nbmlops" / f"{path.name}.lock"
    with file_lock(lock, _INIT_SECONDS):
        check_sqlite_store(path)
        return _connected(uri), uri


def _import_store() -> None:
    import_module("mlflow.store.tracking.sqlalchemy_store")
    import_module("mlflow.store.model_registry.sqlalchemy_store")


def _connected(uri: str) -> Any:
    from mlflow import MlflowClient

    let_signals_interrupt()
    with named_errors(uri):
        client = MlflowClient(tracking_uri=uri, registry_uri=uri)
        client.get_experiment_by_name("Default")  # opens the store, which for SQLite may make it
    return client


def let_signals_interrupt() -> None:
    """Lets Ctrl-C cut waits short again.

    MLflow imports polars where that is installed, and polars has system calls restarted after SIGINT: a thread that
    waits for a lock would hear of Ctrl-C when it has got it.
    """
    if hasattr(signal, "siginterrupt"):  # not on Windows
        signal.siginterrupt(signal.SIGINT, True)


def _reach(uri: str) -> None:
    parts = urlsplit(uri)
    if parts.scheme in {"http", "https"}:
        _reach_server(uri)
        return
    port = _PORTS.get(parts.scheme.partition("+")[0])
    if port is None:
        return
    try:
        with socket.create_connection((parts.hostname or "localhost", parts.port or port), timeout=REACH_SECONDS):
            return
    except OSError as error:
        raise _unreachable(uri, error) from error


def _reach_server(uri: str) -> None:
    try:
        address = f"{masked(uri).rstrip('/')}/health"
        with urllib.request.urlopen(address, timeout=REACH_SECONDS):  # noqa: S310 — the caller has checked the scheme
            return
    except urllib.error.HTTPError:
        return  # an answer: somebody is there; MLflow will tell what it thinks of it
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLError):
            return  # likewise; certificates are MLflow's to check, with MLflow's own settings
        raise _unreachable(uri, error.reason) from error
    except OSError as error:
        raise _unreachable(uri, error) from error
    except ValueError as error:
        raise UsageError(f"{masked(uri)!r} is no address of a server", "write http://host:port") from error


def _unreachable(uri: str, reason: object) -> StoreAway:
    return StoreAway(
        f"the tracking server {masked(uri)} cannot be reached: {reason}",
        "start it, correct MLFLOW_TRACKING_URI or [tracking] uri, or remove them to use a file in the project",
    )
