"""Tells when a module has been imported, whoever imports it."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


class ImportWatch(MetaPathFinder):
    """Tells when one of some modules has been imported; it finds nothing by itself.

    Args:
        came: Called with the module's name as soon as the module is there, before the import statement goes on.
    """

    def __init__(self, came: Callable[[str], None]) -> None:
        self._came = came
        self._awaited: set[str] = set()
        self._asking = False

    def wait_for(self, modules: set[str]) -> None:
        """Begins to wait."""
        self.stop()
        self._awaited = modules
        sys.meta_path.insert(0, self)

    def awaits(self, module: str) -> bool:
        """Returns whether it waits for this module."""
        return module in self._awaited and module not in sys.modules

    def stop(self) -> None:
        """Ends waiting."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 - as importlib asks
        target: ModuleType | None = None,  # noqa: ARG002 - as above
    ) -> ModuleSpec | None:
        """Returns where the other finders see the module, with a loader that tells."""
        if self._asking or fullname not in self._awaited:
            return None
        self._asking = True
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            self._asking = False
        if spec is not None and spec.loader is not None:
            spec.loader = _TellingLoader(spec.loader, self._came)
        return spec


class _TellingLoader(Loader):
    """Loads a module as its own loader does, which then takes its place again."""

    def __init__(self, own: Loader, came: Callable[[str], None]) -> None:
        self._own, self._came = own, came

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Returns what the own loader makes."""
        return self._own.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Runs the module, and tells that it is there."""
        module.__loader__ = self._own
        if module.__spec__ is not None:
            module.__spec__.loader = self._own
        self._own.exec_module(module)
        self._came(module.__name__)
