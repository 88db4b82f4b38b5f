"""Objects that pickle takes and that nevertheless mean something in their own process only."""

from __future__ import annotations

import sys
import weakref
from collections import OrderedDict
from typing import Any

from nbmlops.runtime.handover.own_classes import bound_by_class, is_users_class

# Pickle keeps what is left of them, and forgets what they go over.
_ITERATORS = frozenset(
    map(type, (iter({}), iter({}.values()), iter({}.items()), iter(set()), reversed({}), iter(OrderedDict())))
)


def bound_to_process(obj: Any) -> str:
    """Returns why an object would be another one after a round trip through the store, or ""."""
    kind = type(obj)
    if kind in _ITERATORS:
        return "it goes over an object that may change meanwhile"
    return _by_module(obj, kind) or ("a weak reference to it is alive" if _is_watched(obj) else bound_by_class(kind))


def _by_module(obj: Any, kind: type) -> str:
    tempfile, logging = sys.modules.get("tempfile"), sys.modules.get("logging")
    decimal = sys.modules.get("decimal")
    found = ""
    if kind in weakref.ProxyTypes:
        found = "it is a weak reference, which pickle takes for the object itself"
    elif issubclass(kind, weakref.finalize):
        found = "it does something when another object goes or its process ends"
    elif tempfile is not None and issubclass(kind, tempfile.TemporaryDirectory):
        found = "its folder is removed when its process ends"
    elif logging is not None and issubclass(kind, logging.Logger) and _is_set_up_here(obj):
        found = "its handlers, filters and level are those of its process"
    elif kind.__mro__[-2:-1] and kind.__mro__[-2].__module__ == "_ctypes" and not obj._b_needsfree_:
        found = "it is over the memory of another object"
    elif kind.__name__ == "Context" and decimal is not None and obj is decimal.getcontext():
        found = "it is the context that its process computes in"
    elif issubclass(kind, BaseException) and obj.__traceback__ is not None:
        found = "its traceback shows frames of its process"
    elif writes_file(obj):
        found = "it is an array over a file, which changes with it"
    return found


def writes_file(obj: Any) -> bool:
    """Returns whether an array is one over a file, or a part of such an array, and what is written to it goes there."""
    numpy = sys.modules.get("numpy")
    while numpy is not None and isinstance(obj, numpy.ndarray):
        if isinstance(obj, numpy.memmap) and obj.mode in {"r+", "w+"}:
            return True
        obj = obj.base
    return False


def _is_watched(obj: Any) -> bool:
    if not weakref.getweakrefcount(obj):
        return False
    # Libraries keep weak references to all sorts of objects; those that matter are to objects of the user's classes.
    return is_users_class(type(obj)) or any(
        isinstance(reference.__callback__, weakref.finalize) for reference in weakref.getweakrefs(obj)
    )


def _is_set_up_here(logger: Any) -> bool:
    # Packages set up their own loggers when they are imported; the root logger has handlers of the session.
    if logger.parent is None or logger.name.partition(".")[0] in sys.modules.keys() - {"__main__"}:
        return False
    return bool(logger.handlers or logger.filters or logger.level or logger.disabled)
