"""Modules that a process has imported, and that nobody sees until they are imported.

A kernel that is forked from a process with imports starts with them. To the step that it runs they must not be there
before an import statement asks for them: what is loaded says which libraries a step used and which settings it saw.
`ImportRecorder` notes, while modules are imported, what importing each of them brings along and changes.
`HiddenModules` takes them out of `sys.modules`, and gives them back import by import, with all that belongs to it.
"""

from __future__ import annotations

import builtins
import importlib.util
import os
import random
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from itertools import islice
from types import ModuleType
from typing import Any

from msgspec import Struct

from nbmlops.runtime.kernels.import_watch import ImportWatch

_MOST_WORDS = 100
_MAIN = "__mp_main__"
_SETTING = ("os.putenv", "os.unsetenv")  # audit events


class UnrepeatableImport(Exception):
    """Importing a module changes something that cannot be done again when a step asks for the module."""


class Shared(Struct, frozen=True):
    """What importing may change for everybody: environment variables, warning filters, the random generator."""

    variables: Mapping[str, str]
    filters: tuple[Any, ...]
    random: tuple[Any, ...]

    @staticmethod
    def now(variables: Mapping[str, str] | None = None) -> Shared:
        """Returns the present state.

        Args:
            variables: The environment variables, if they are known: there are dozens, and they are asked for often.
        """
        known = dict(os.environ) if variables is None else variables
        return Shared(known, tuple(warnings.filters), random.getstate())

    def put_back(self) -> None:
        """Makes this the present state."""
        os.environ.clear()
        os.environ.update(self.variables)
        _set_filters(self.filters)
        random.setstate(self.random)


class Effects(Struct, frozen=True):
    """What importing one module does to the shared state.

    Attributes:
        variables: Those that it sets.
        filters: Those that it puts in front of the others.
        drawn: Number of words of 32 bits that it takes from the random generator.
    """

    variables: Mapping[str, str]
    filters: tuple[Any, ...]
    drawn: int

    def repeat(self) -> None:
        """Does it, as the module would."""
        for name, text in self.variables.items():
            os.environ.setdefault(name, text)
        present = tuple(warnings.filters)
        if added := tuple(entry for entry in self.filters if entry not in present):
            _set_filters((*added, *present))
        for _ in range(self.drawn):
            random.getrandbits(32)


class ImportRecorder:
    """Notes what each import brings along and changes, while it is recording."""

    def __init__(self) -> None:
        self._needs: dict[str, set[str]] = {}
        self.effects: list[tuple[str, Effects]] = []  # in the order in which they came; some modules have several
        self._import_as_ever = builtins.__import__
        self._loading: list[str] = []  # modules whose code is running, the innermost last
        self._shared = Shared.now()
        self._is_listening = self._is_set = False

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Records the imports of this process, and puts the shared state back in the end.

        Raises:
            UnrepeatableImport: by the import statement whose module does more than add to the shared state.
        """
        before = self._shared = Shared.now()
        self._is_listening, self._is_set = True, False
        sys.addaudithook(self._event)  # it cannot be removed
        builtins.__import__ = self._import
        try:
            yield
        finally:
            builtins.__import__ = self._import_as_ever
            self._is_listening = False
            before.put_back()

    def needs(self, module: str, known: set[str] | frozenset[str] = frozenset()) -> set[str]:
        """Returns the module and all that importing it brings along.

        Args:
            module: Its name.
            known: Modules that are left out, with what they bring along.
        """
        found = {module} - known
        waiting = list(found)
        while waiting:
            fresh = self._needs.get(waiting.pop(), set()) - found - known
            found |= fresh
            waiting += fresh
        return found

    def _import(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,  # noqa: A002 - as Python calls it
        locals: Mapping[str, Any] | None = None,  # noqa: A002 - as above
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        absolute = importlib.util.resolve_name("." * level + name, _package(globals)) if level else name
        parts = absolute.split(".")
        asked = [".".join(parts[:length]) for length in range(1, len(parts) + 1)]
        for module in asked:  # one by one, so that it is known which of them changes anything
            if module not in sys.modules:
                self._load(module)
        for part in fromlist or ():
            if part != "*" and not hasattr(sys.modules[absolute], part) and f"{absolute}.{part}" not in sys.modules:
                with suppress(ModuleNotFoundError):  # a name that is no module, as the statement itself will find
                    self._load(f"{absolute}.{part}")
        asked += [f"{absolute}.{part}" for part in fromlist or () if f"{absolute}.{part}" in sys.modules]
        self._note_needs(asked)
        return self._import_as_ever(name, globals, locals, fromlist, level)

    def _load(self, module: str) -> None:
        self._note_effects()
        known = len(sys.modules)
        self._loading.append(module)
        try:
            import_module(module)
            new = islice(reversed(sys.modules), max(0, len(sys.modules) - known))
            self._note_needs([*new, *_modules_of(module)])
            self._note_effects()
        finally:
            self._loading.pop()

    def _note_needs(self, modules: Iterable[str]) -> None:
        if self._loading:
            self._needs.setdefault(self._loading[-1], set()).update(modules)

    def _event(self, event: str, _: tuple[Any, ...]) -> None:
        if self._is_listening and event in _SETTING:
            self._is_set = True

    def _note_effects(self) -> None:
        """Notes what the module that is being loaded has changed so far, less what others did meanwhile.

        Raises:
            UnrepeatableImport: it is more than an addition.
        """
        before = self._shared
        now = Shared.now(None if self._is_set else before.variables)
        self._is_set = False
        if before == now or not self._loading:
            return
        module, self._shared = self._loading[-1], now
        added = len(now.filters) - len(before.filters)
        is_more = now.variables.items() >= before.variables.items() and now.filters[added:] == before.filters
        if added < 0 or not is_more:
            raise UnrepeatableImport(f"importing {module} changes environment variables or warning filters")
        drawn = _drawn(before.random, now.random)
        if drawn is None:
            raise UnrepeatableImport(f"importing {module} sets the random generator")
        variables = {name: text for name, text in now.variables.items() if name not in before.variables}
        self.effects.append((module, Effects(variables, now.filters[:added], drawn)))


class HiddenModules(MetaPathFinder, Loader):
    """Modules that were imported and are given back when they are imported again.

    Args:
        recorder: What importing each of them brings along.
        visible: Names of modules that stay.
    """

    def __init__(self, recorder: ImportRecorder, visible: Iterable[str]) -> None:
        self._recorder = recorder
        kept = frozenset(visible)
        self._hidden = {name: module for name, module in sys.modules.items() if name not in kept}
        self._specs = {name: getattr(module, "__spec__", None) for name, module in self._hidden.items()}
        self._complete: set[str] = set()  # given back, with all that belongs to them
        self._parents = {name: sys.modules.get(name.rpartition(".")[0]) for name in self._hidden}
        for name, module in self._hidden.items():
            # Else `from package import module` would find the module without importing it.
            if (parent := self._parents[name]) is not None and vars(parent).get(name.rpartition(".")[2]) is module:
                delattr(parent, name.rpartition(".")[2])
        for name in self._hidden:
            del sys.modules[name]

    def packages(self) -> frozenset[str]:
        """Returns the top-level names of the hidden modules."""
        return frozenset(name.partition(".")[0] for name in self._hidden)

    def module(self, name: str) -> ModuleType | None:
        """Returns a hidden module as it is, None if there is none of that name."""
        return self._hidden.get(name)

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 - as importlib asks
        target: ModuleType | None = None,  # noqa: ARG002 - as above
    ) -> ModuleSpec | None:
        """Returns a way to get the module back, None if it is not hidden."""
        if fullname not in self._hidden:
            return None
        own = self._specs[fullname]
        return ModuleSpec(fullname, self, origin=getattr(own, "origin", None))

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Returns the module that was imported before."""
        return self._hidden.pop(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Brings back what importing the module brings along, and does again what it changes for everybody."""
        name = module.__spec__.name if module.__spec__ else module.__name__
        spec = self._specs[name]
        module.__spec__ = spec
        if spec is not None:
            module.__loader__ = spec.loader
        sys.modules[name] = module
        back = {name}
        needs = self._recorder.needs(name, self._complete)
        waiting = [other for other in self._hidden if other in needs]
        # Those that somebody waits for come first, with all of theirs: Python names a package after its modules.
        for other in _awaited(waiting):
            if other in self._hidden:  # else brought back by one of those before
                import_module(other)
        for other in waiting:
            if other not in self._hidden:
                continue  # as above
            sys.modules[other] = self._hidden.pop(other)
            back.add(other)
            if other == _MAIN:  # multiprocessing's name for the main module, which is another one now
                sys.modules[_MAIN] = sys.modules["__main__"]
            if (parent := self._parents[other]) is not None:
                setattr(parent, other.rpartition(".")[2], sys.modules[other])
        self._complete |= needs
        for changing, effects in self._recorder.effects:
            if changing in back:
                effects.repeat()


def _drawn(before: tuple[Any, ...], after: tuple[Any, ...]) -> int | None:
    """Returns how many words of the generator lie between two states, None if the second does not follow soon."""
    generator = random.Random()  # noqa: S311 - it is not used for its numbers
    generator.setstate(before)
    for words in range(_MOST_WORDS):
        if generator.getstate() == after:
            return words
        generator.getrandbits(32)
    return None


def _modules_of(module: str) -> Iterator[str]:
    """Yields the modules that a module refers to: compiled ones import past `builtins.__import__`."""
    for value in list(vars(sys.modules[module]).values()):
        if isinstance(value, ModuleType) and sys.modules.get(value.__name__) is value:
            yield value.__name__


def _awaited(modules: Iterable[str]) -> list[str]:
    watches = [finder for finder in sys.meta_path if isinstance(finder, ImportWatch)]
    return [module for module in modules if any(watch.awaits(module) for watch in watches)]


def _package(namespace: Mapping[str, Any] | None) -> str:
    """Returns the package that relative imports of a module start from."""
    found = namespace or {}
    package = found.get("__package__")
    if package is None:
        name = str(found.get("__name__", ""))
        package = name if "__path__" in found else name.rpartition(".")[0]
    return str(package)


def _set_filters(entries: Sequence[Any]) -> None:
    filters: list[Any] = warnings.filters  # type: ignore[assignment]  # the very list that Python reads
    filters[:] = entries
    with warnings.catch_warnings():
        pass  # Python forgets what it has decided by the old filters
