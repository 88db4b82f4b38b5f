"""Jupyter-native MLOps: track, check, gate and register from a notebook, and compile it into a pipeline.

The functions here are what the `%mlops` magics call. Importing this package loads none of its parts: a name is fetched
when it is first used, MLflow and pandas only when a call needs them.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType

TYPE_CHECKING = False  # true to type checkers; loading `typing` would cost more than all the rest
if TYPE_CHECKING:
    from collections.abc import Callable

    from nbmlops.api import check, data, gate, metric, param, register, status, track
    from nbmlops.app.show.display import show
    from nbmlops.core.unbound import UNBOUND as UNBOUND

    __version__: str
    load_ipython_extension: Callable[[object], None]

__all__ = ["check", "data", "gate", "load_ipython_extension", "metric", "param", "register", "show", "status", "track"]

# Imported by name when a function is first used, so that this module depends on no other when it is loaded.
_EXTENSION = "nbmlops.ipython.extension"
_HOMES = dict.fromkeys(__all__, "nbmlops.api") | {
    "UNBOUND": "nbmlops.core.unbound",
    "show": "nbmlops.app.show.display",
    "load_ipython_extension": _EXTENSION,
    "unload_ipython_extension": _EXTENSION,
}


class _Package(ModuleType):
    """This package as a module whose functions keep their names.

    `nbmlops.data` and `nbmlops.gate` are functions for users and packages inside. Python binds a subpackage in its
    parent once it is loaded, which would hide the function; both are reached by `from nbmlops.data import …` anyway.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> object:
    value: object
    if name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
    elif name in {"api", "shell"}:
        value = import_module(f"nbmlops.{name}")
    elif name == "__version__":
        value = _installed_version()
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])


def _installed_version() -> str:
    metadata = import_module("importlib.metadata")
    try:
        return str(metadata.version("nbmlops"))
    except metadata.PackageNotFoundError:
        return "0"  # runs from a folder that was never installed
