"""MLflow's own autologging, led to a recorder of ours.

MLflow's patches work on MLflow's global store: they start a run there for each call that trains, and log to it. While
autologging is on, whatever store MLflow opens stands behind a `RoutedStore`: the runs that the patches start are kept
in memory and told as one record each when they end. Everything else, above all what the user's own lines log with
MLflow, goes on to the store that it was meant for, which is opened only then.
"""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nbmlops.core.errors import EnvironmentFault
from nbmlops.core.threads import own_work
from nbmlops.tracking.routed_store import Fits, Keep, RoutedStore, Take

LIBRARIES: Mapping[str, str] = {
    "sklearn": "sklearn",
    "xgboost": "xgboost",
    "lightgbm": "lightgbm",
    "statsmodels": "statsmodels",
    "keras": "keras",
    "tensorflow": "tensorflow",
    "pytorch_lightning": "pytorch",
    "lightning": "pytorch",
}
"""Libraries that train -> MLflow's module for them. Those that only call language models are left to the user."""

_WANTED: Mapping[str, object] = {
    "log_models": False,  # `%mlops register` does
    "log_datasets": False,  # `%mlops data` does, of all rows
    "log_input_examples": False,
    "log_model_signatures": False,
    "checkpoint": False,
    "max_tuning_runs": 0,  # of a search the best one
    "log_post_training_metrics": False,  # a step that only scores would not know the model
    "silent": True,
}
_DIGESTS = frozenset({"from_numpy", "from_pandas"})
"""What makes datasets, in the modules of flavours; scikit-learn's does so whatever is asked for."""
_AUTOLOGGING = "mlflow.autologging"
_TRACKING = "mlflow.tracking."
_TELEMETRY = "MLFLOW_DISABLE_TELEMETRY"


class MlflowAutolog:
    """MLflow's autologging in this process; it has one at a time.

    Args:
        take: Called with each training that has ended, on the thread that trained.
        keep: Keeps a file that a training left.
        folder: Where those files are until then.
    """

    def __init__(self, take: Take, keep: Keep, folder: Path) -> None:
        self._take, self._keep, self._folder = take, keep, folder
        self._before: dict[str, dict[str, Any]] = {}
        self._replaced: list[tuple[Any, str, Any]] = []

    def start(self) -> None:
        """Imports MLflow and stands between it and its stores.

        Raises:
            EnvironmentFault: this MLflow is built in another way.
        """
        with _without_telemetry():
            service = importlib.import_module("mlflow.tracking._tracking_service.utils")
        registry: Any = getattr(service, "_tracking_store_registry", None)
        if not callable(getattr(registry, "get_store", None)):
            raise EnvironmentFault("autologging does not know this version of MLflow", "install mlflow>=3.17,<4")
        usual = registry.get_store
        fits = Fits(self._take, self._keep, self._folder)
        opened: dict[tuple[object, object], RoutedStore] = {}

        def get_store(store_uri: str | None = None, artifact_uri: str | None = None) -> RoutedStore:
            key = (service._resolve_tracking_uri(store_uri), artifact_uri)  # noqa: SLF001 - MLflow does so here
            if key not in opened:
                opened[key] = RoutedStore(fits, lambda: usual(*key))
            return opened[key]

        context = importlib.import_module("mlflow.tracking.context.registry")
        self._replace(registry, "get_store", get_store)
        self._replace(context, "resolve_tags", _only_for_users(context.resolve_tags))

    def patch(self, library: str) -> None:
        """Has MLflow follow what a library trains."""
        flavour = LIBRARIES[library]
        with _without_telemetry():
            module = importlib.import_module(f"mlflow.{flavour}")
            known = importlib.import_module("mlflow.utils.autologging_utils").AUTOLOGGING_INTEGRATIONS
        if flavour not in self._before:
            self._before[flavour] = dict(known.get(flavour) or {"disable": True})
            for name in _DIGESTS & vars(module).keys():
                self._replace(module, name, _no_dataset)
        _autolog(module, _WANTED)

    def _replace(self, holder: Any, name: str, value: object) -> None:
        self._replaced.append((holder, name, getattr(holder, name)))
        setattr(holder, name, value)

    def stop(self) -> None:
        """Undoes all of it; autologging that the user's own lines had asked for is as it was."""
        try:
            for flavour, settings in self._before.items():
                _autolog(importlib.import_module(f"mlflow.{flavour}"), settings)
        finally:
            self._before.clear()
            while self._replaced:
                setattr(*self._replaced.pop())


def _autolog(module: Any, settings: Mapping[str, object]) -> None:
    takes = inspect.signature(module.autolog).parameters
    module.autolog(**{name: value for name, value in settings.items() if name in takes})


def _only_for_users(resolve_tags: Callable[..., dict[str, str]]) -> Callable[..., dict[str, str]]:
    """Returns what finds out the context of a run, for the runs that the user's own lines start.

    For each training it would ask git, whose files would then be what the cell or step has read.
    """

    def resolve(tags: Mapping[str, str] | None = None, **named: Any) -> dict[str, str]:
        caller = sys._getframe(1).f_globals["__name__"]  # noqa: SLF001 - integrations ask just as users' runs do
        if _AUTOLOGGING in (tags or {}) or not caller.startswith(_TRACKING):
            return dict(tags or {})
        with own_work():
            return resolve_tags(tags, **named)

    return resolve


def _no_dataset(*_arguments: object, **_named: object) -> object:
    """Makes no digest of the training data: one of a large frame would take longer than training.

    Raises:
        NotImplementedError: always; MLflow goes on without.
    """
    raise NotImplementedError


@contextmanager
def _without_telemetry() -> Iterator[None]:
    """Has MLflow, if it is imported in the block, ask nobody in the network for what it might tell of its use."""
    before = os.environ.get(_TELEMETRY)
    if before is None and "mlflow" not in sys.modules:
        os.environ[_TELEMETRY] = "true"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(_TELEMETRY, None)
