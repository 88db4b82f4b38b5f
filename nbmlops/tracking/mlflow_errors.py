"""MLflow's errors and noise, translated: every failure names the store and what to do, known noise is left out."""

from __future__ import annotations

import logging
import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from nbmlops.core.errors import Conflict, EnvironmentFault, NbmlopsError, StoreAway, UsageError
from nbmlops.tracking.uri import masked, sqlite_path

_USAGE = frozenset({"INVALID_PARAMETER_VALUE", "BAD_REQUEST", "INVALID_STATE", "RESOURCE_DOES_NOT_EXIST", "NOT_FOUND"})
_CONFLICT = frozenset({"RESOURCE_ALREADY_EXISTS", "RESOURCE_CONFLICT", "ABORTED"})
_REFUSED = frozenset({"PERMISSION_DENIED", "UNAUTHENTICATED", "CUSTOMER_UNAUTHORIZED"})
_MOST_CHARACTERS = 300

# The least level at which these loggers may speak while we call MLflow.
_LOGGERS = {
    "mlflow.store.db.utils": logging.CRITICAL + 1,  # "Creating initial tables"; tracebacks of what we raise anyway
    "mlflow.utils.environment": logging.ERROR,  # "Failed to resolve installed pip version" in environments without pip
    "mlflow.models.signature": logging.ERROR,  # a column that MLflow has no type for; our own schema has one
    "mlflow.store.model_registry.abstract_store": logging.WARNING,  # "Waiting up to 60 seconds" for a server's version
}
_SILENT = "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"


class _Ours(threading.local):
    """How many of our calls to MLflow this thread is inside of."""

    depth = 0


class _Filter(logging.Filter):
    """Drops what a logger says below a level while one of our calls runs in the same thread."""

    def __init__(self, level: int) -> None:
        super().__init__()
        self._level = level

    def filter(self, record: logging.LogRecord) -> bool:
        return _ours.depth == 0 or record.levelno >= self._level


_ours = _Ours()
_filters = {name: _Filter(level) for name, level in _LOGGERS.items()}


@contextmanager
def named_errors(uri: str) -> Iterator[None]:
    """Runs MLflow calls quietly; what they raise comes out as an error of ours that names the store.

    Args:
        uri: The store's address; credentials in it are not shown.

    Raises:
        UsageError: what was asked for does not exist or is not allowed.
        Conflict: somebody made the same thing.
        EnvironmentFault: the store cannot be reached, refuses us or fails.
    """
    from mlflow.exceptions import MlflowException

    # SQLAlchemy's errors where a store is opened; MLflow translates those of later calls itself.
    from mlflow.store.db.utils import sqlalchemy

    with quiet():
        try:
            yield
        except MlflowException as error:
            translated = _translated(str(error.error_code), error, uri)
            raise translated from error
        except (OSError, sqlalchemy.exc.SQLAlchemyError) as error:
            unusable = _unusable(uri, str(error))
            raise unusable from error


@contextmanager
def quiet() -> Iterator[None]:
    """Leaves out the known noise of MLflow and its libraries while the block runs, in this thread only."""
    for name, noise in _filters.items():
        logging.getLogger(name).addFilter(noise)
    # MLflow 3.17 under SQLAlchemy 2.1. Added for good: restoring the list of filters afterwards would undo what the
    # user's cell may do to it meanwhile, in another thread.
    warnings.filterwarnings("ignore", message=r"The ``noload`` loader strategy", module=r"mlflow\.")
    _ours.depth += 1
    try:
        yield
    finally:
        _ours.depth -= 1


@contextmanager
def without_links() -> Iterator[None]:
    """Lets MLflow print no links to the run that it ends: what a command prints is its own."""
    before = os.environ.get(_SILENT)
    os.environ[_SILENT] = "true"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(_SILENT, None)
        else:
            os.environ[_SILENT] = before


def _translated(code: str, error: Exception, uri: str) -> NbmlopsError:
    text = _short(str(error).removeprefix(f"{code}: "))
    if code in _REFUSED:
        return EnvironmentFault(
            f"the tracking store {masked(uri)} refuses access: {text}",
            "check MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN",
        )
    if code in _CONFLICT:
        return Conflict(f"the tracking store {masked(uri)}: {text}", "look at what is there, then try again")
    if code in _USAGE:
        return UsageError(f"the tracking store {masked(uri)}: {text}")
    return _unusable(uri, text)


def _unusable(uri: str, text: str) -> EnvironmentFault:
    hint = (
        "close what else has the file open, make it writable, and try again"
        if sqlite_path(uri)
        else "check that the server runs and that the address is right (MLFLOW_TRACKING_URI, [tracking] uri)"
    )
    return StoreAway(f"the tracking store {masked(uri)} cannot be used: {_short(text)}", hint)


def _short(text: str) -> str:
    line = " ".join(masked(text).split())
    return line if len(line) <= _MOST_CHARACTERS else line[:_MOST_CHARACTERS] + "…"
