"""Jupyter-native MLOps: track, check, gate and register from a notebook, and compile it into a pipeline.

The functions here are what the `%mlops` magics call. Importing this package loads none of its parts: a name is fetched
when it is first used, MLflow and pandas only when a call needs them.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbmlops.api import check, data, gate, metric, param, register, show, status, track

    __version__: str

__all__ = ["check", "data", "gate", "load_ipython_extension", "metric", "param", "register", "show", "status", "track"]

_FROM_API = frozenset(__all__) - {"load_ipython_extension"}


class _Package(ModuleType):
    """This package as a module whose functions keep their names.

    `nbmlops.data` and `nbmlops.gate` are functions for users and packages inside. Python binds a subpackage in its
    parent once it is loaded, which would hide the function; both are reached by `from nbmlops.data import …` anyway.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _FROM_API and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> object:
    if name in _FROM_API:
        from nbmlops import api  # noqa: PLC0415  # its types and records are loaded only when a function is used

        value: object = getattr(api, name)
    elif name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415  # takes longer than all of this module

        value = version("nbmlops")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])


def load_ipython_extension(shell: object) -> None:
    """Registers `%mlops` in the running IPython; called by `%load_ext nbmlops`."""
    from nbmlops.ipython.extension import load  # noqa: PLC0415  # only IPython needs it

    load(shell)


def unload_ipython_extension(shell: object) -> None:
    """Takes `%mlops` out of the running IPython; called by `%unload_ext nbmlops` and `%reload_ext nbmlops`."""
    from nbmlops.ipython.extension import unload  # noqa: PLC0415  # only IPython needs it

    unload(shell)
