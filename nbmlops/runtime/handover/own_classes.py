"""What the notebook's own classes, and those of modules beside it, do when their objects are stored or go.

Pickle asks a class for what it keeps (`__getstate__`, `__reduce__`), and runs its code when it loads
(`__setstate__`). In the notebook nothing of that happens: an object stays what it is from cell to cell.
"""

from __future__ import annotations

import copyreg
import functools
import os
import site
import sys
import sysconfig
from pathlib import Path
from types import FunctionType

_PICKLING = ("__reduce_ex__", "__reduce__", "__getstate__", "__setstate__", "__getnewargs_ex__", "__getnewargs__")
_OURS = Path(__file__).resolve().parents[2]


_REASONS: dict[int, tuple[type, str]] = {}  # by identity: a class need not be hashable


def bound_by_class(kind: type) -> str:
    """Returns why objects of a class of the user's must stay in their process, or ""."""
    if id(kind) not in _REASONS:
        _REASONS[id(kind)] = (kind, _reason(kind))
    return _REASONS[id(kind)][1]


def is_users_class(kind: type) -> bool:
    """Returns whether a class is one of the notebook or of a module beside it."""
    module = sys.modules.get(kind.__module__)
    file = getattr(module, "__file__", None)
    return kind.__module__ == "__main__" or (isinstance(file, str) and not file.startswith(_installed()))


def _reason(kind: type) -> str:
    for name in _PICKLING:
        if _is_users(getattr(kind, name, None)):
            return f"its class says by `{name}` what is kept of it"
    if any(maker is kind and _is_users(function) for maker, function in copyreg.dispatch_table.items()):
        return "`copyreg` has a function for what is kept of it"
    if _is_users(getattr(kind, "__del__", None)):
        return "its class does something when it goes (`__del__`)"
    return ""


def _is_users(function: object) -> bool:
    """Returns whether it is a function that a notebook or a module beside it defines."""
    if not isinstance(function, FunctionType):
        return False
    file = function.__code__.co_filename
    if file.startswith("<"):  # generated code, such as that of data classes, or a cell in a terminal's IPython
        return file.startswith("<ipython-input-")
    return not file.startswith(_installed())


@functools.cache
def _installed() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    folders = {paths["stdlib"], paths["platstdlib"], *site.getsitepackages(), site.getusersitepackages(), str(_OURS)}
    if sys.prefix != sys.base_prefix:
        folders.add(sys.prefix)  # a virtual environment holds nothing of the user's
    return tuple(sorted(f"{folder}{os.sep}" for folder in folders))
