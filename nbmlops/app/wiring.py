"""Which adapters a command works with: the one place that reads `MLFLOW_TRACKING_URI` and makes MLflow's objects."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from nbmlops.app.config.config import PipelineConfig
from nbmlops.core.errors import UsageError
from nbmlops.tracking.uri import masked, resolve_uri, sqlite_path

if TYPE_CHECKING:
    from nbmlops.registry.registry import ModelRegistry
    from nbmlops.tracking.tracker import Tracker

TRACKING_VARIABLE = "MLFLOW_TRACKING_URI"
DEFAULT_STORE = "sqlite:///mlflow.db"


def tracking_uri(root: Path, config: PipelineConfig) -> str:
    """Returns where runs are logged: `MLFLOW_TRACKING_URI`, else the configuration, else a SQLite file at the root.

    A relative SQLite path counts from the project's root, not from wherever the command was typed.

    Raises:
        UsageError: the address cannot be used.
        EnvironmentFault: it names a folder, which MLflow 3 no longer writes.
    """
    return resolve_uri(os.environ.get(TRACKING_VARIABLE, "").strip() or config.tracking_uri or DEFAULT_STORE, root)


def shown_uri(uri: str) -> str:
    """Returns the address without user name and password, for messages and documents."""
    return masked(uri)


def relative_uri(uri: str, root: Path) -> str:
    """Returns the same, and a file of the project without the folders of this machine."""
    return shown_uri(uri).replace(f"sqlite:///{root.as_posix()}/", "sqlite:///")


class Readable(Protocol):
    """A tracking store and a registry that are asked."""

    @property
    def tracker(self) -> Tracker:
        """The tracking store."""

    @property
    def registry(self) -> ModelRegistry:
        """The model registry."""


class Stores:
    """Where runs and models are kept: one address, two adapters, each loaded when it is first asked for.

    Args:
        root: The project's root, which holds the artifacts of a SQLite store.
        uri: As `tracking_uri` gives it.
    """

    def __init__(self, root: Path, uri: str) -> None:
        self._root, self._uri = root, uri

    @cached_property
    def tracker(self) -> Tracker:
        """The tracking store; MLflow is imported by its first call."""
        from nbmlops.tracking.mlflow_tracker import MlflowTracker  # noqa: PLC0415  # a run may want neither

        return MlflowTracker(self._uri, self._root)

    @cached_property
    def registry(self) -> ModelRegistry:
        """The model registry; MLflow is imported by its first call."""
        from nbmlops.registry.mlflow_registry import MlflowRegistry  # noqa: PLC0415  # likewise

        return MlflowRegistry(self._uri, self._root)


def open_existing(root: Path, uri: str, first: str = "run a pipeline or a tracked notebook first") -> Stores:
    """Returns the adapters of a store that is read from: a SQLite file that is not there is not made.

    Args:
        root: The project's root.
        uri: As `tracking_uri` gives it.
        first: What makes the store, as a hint.

    Raises:
        UsageError: there is no such file.
    """
    path = sqlite_path(uri)
    if path is not None and not path.exists():
        raise UsageError(
            f"nothing has been tracked here: there is no {os.path.relpath(path)}",
            f"{first}; or name the store in {TRACKING_VARIABLE}",
        )
    return Stores(root, uri)


Opener = Callable[[Path, str], Readable]
"""Opens the stores of a project's root and address for reading: `open_existing`, or what a notebook has open."""
