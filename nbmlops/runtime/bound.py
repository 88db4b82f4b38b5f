"""Objects that pickle takes and that nevertheless mean something in their own process only."""

from __future__ import annotations

import sys
import weakref
from typing import Any

from nbmlops.runtime.own_classes import bound_by_class, is_users_class


def bound_to_process(obj: Any) -> str:
    """Returns why an object would be another one after a round trip through the store, or ""."""
    kind = type(obj)
    if kind in weakref.ProxyTypes:
        return "it is a weak reference, which pickle takes for the object itself"
    if issubclass(kind, weakref.finalize):
        return "it does something when another object goes or its process ends"
    tempfile, logging = sys.modules.get("tempfile"), sys.modules.get("logging")
    if tempfile is not None and issubclass(kind, tempfile.TemporaryDirectory):
        return "its folder is removed when its process ends"
    if logging is not None and issubclass(kind, logging.Logger) and _is_set_up_here(obj):
        return "its handlers, filters and level are those of its process"
    if kind.__mro__[-2:-1] and kind.__mro__[-2].__module__ == "_ctypes" and not obj._b_needsfree_:
        return "it is over the memory of another object"
    return "a weak reference to it is alive" if _is_watched(obj) else bound_by_class(kind)


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
