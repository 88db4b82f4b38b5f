"""Where a tracking store is: which kind of address, made absolute, and shown without credentials."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

from nbmlops.core.errors import EnvironmentFault, UsageError

SQLITE = "sqlite:///"
_USER_INFO = re.compile(r"(\w://)[^/\s'\"]+@")  # up to the last @: a password may hold one
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*(?=:)")
_KNOWN = ("http", "https", "sqlite", "postgresql", "mysql", "mssql", "databricks", "databricks-uc", "uc")
_PLUGINS = "mlflow.tracking_store"


def masked(text: str) -> str:
    """Returns the text with user names and passwords taken out of the addresses in it."""
    return _USER_INFO.sub(r"\1", text) if "://" in text else text


def resolve_uri(uri: str, root: Path) -> str:
    """Returns the address with a relative SQLite path taken from the project's root.

    Raises:
        UsageError: the kind of address is not known, SQLite cannot be told this path, or the store would be forgotten
            at once (":memory:").
        EnvironmentFault: the address is a folder (the former `./mlruns`), which MLflow 3 no longer writes.
    """
    if is_folder_store(uri):
        raise EnvironmentFault(
            f"the tracking store {masked(uri)} is a folder, and MLflow 3 no longer keeps runs in folders",
            "keep runs in a database: remove MLFLOW_TRACKING_URI and [tracking] uri (the default is mlflow.db at the "
            "project's root), or move the old runs first: mlflow migrate-filestore --source . "
            "--target sqlite:///mlflow.db",
        )
    if not uri.startswith(SQLITE):
        if uri.startswith("sqlite:"):
            raise UsageError(f"{uri!r} does not name a SQLite file", "write sqlite:///path/to/mlflow.db")
        _check_scheme(uri)
        return uri
    path = Path(uri.removeprefix(SQLITE))
    if path.name == ":memory:" or not path.name:
        raise UsageError(f"{uri!r} does not name a SQLite file", "write sqlite:///path/to/mlflow.db")
    absolute = path if path.is_absolute() else root / path
    if set("?%") & set(str(absolute)):
        raise UsageError(
            f"the path of the tracking store holds '?' or '%', which mean something else in an address: {absolute}",
            "rename the folder, or set MLFLOW_TRACKING_URI to another place",
        )
    return f"{SQLITE}{absolute.absolute()}"


def _check_scheme(uri: str) -> None:
    scheme = _SCHEME.match(uri)
    kind = scheme[0].lower().partition("+")[0] if scheme is not None else uri
    if kind in {"http", "https"}:
        _check_server(uri)
    if kind in _KNOWN or kind in _plugins():
        return
    raise UsageError(
        f"{masked(uri)!r} is no address of a tracking store: MLflow does not know {kind!r}",
        "write sqlite:///mlflow.db or http://HOST:PORT in [tracking] uri of nbmlops.toml, or in MLFLOW_TRACKING_URI",
    )


def _check_server(uri: str) -> None:
    try:
        parts = urlsplit(uri)
        if parts.hostname and parts.port != 0:
            return
    except ValueError:  # the port is no number up to 65535, or brackets are not closed
        pass
    raise UsageError(f"{masked(uri)!r} is no address of a server", "write http://HOST:PORT")


def sqlite_path(uri: str) -> Path | None:
    """Returns the file of a SQLite store, None for every other kind."""
    return Path(uri.removeprefix(SQLITE)) if uri.startswith(SQLITE) else None


def is_folder_store(uri: str) -> bool:
    """Returns whether the address is a plain folder or a `file:` address."""
    scheme = _SCHEME.match(uri)
    is_drive = scheme is not None and len(scheme[0]) == 1
    return uri not in {"databricks", "databricks-uc"} and (scheme is None or is_drive or scheme[0] == "file")


def _plugins() -> frozenset[str]:
    """Returns the kinds of addresses that installed packages add to MLflow."""
    from importlib.metadata import entry_points  # noqa: PLC0415 - slow, and rarely asked

    return frozenset(plugin.name for plugin in entry_points(group=_PLUGINS))
