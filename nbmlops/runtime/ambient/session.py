"""The ambient state of one process: taken when the step's code begins and ends, put back from what earlier steps left.

A process opens it first, prepares it before it imports any code of the step, begins it when everything is imported and
the settings of shared cells are applied, and ends it with the step. What differs between beginning and end is the
step's doing. What is handed over says all that differs from the state before anybody changed anything, so that it is
the same whatever the next process has imported or set by then. A library that is loaded in between, also by the step
itself, gets the settings of earlier steps as soon as it is there.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from nbmlops.core.digest import digest_json
from nbmlops.runtime.ambient.figures import FigureDisplay
from nbmlops.runtime.ambient.libraries import (
    MatplotlibSettings,
    NumpySettings,
    PandasOptions,
    ScikitLearnConfiguration,
    TorchGenerators,
    TorchSettings,
)
from nbmlops.runtime.ambient.messages import Logging, WarningFilters, apply_to_package
from nbmlops.runtime.ambient.parts import (
    DecimalContext,
    Environment,
    ImportPath,
    Interpreter,
    Locale,
    Part,
    WorkingDirectory,
)
from nbmlops.runtime.ambient.values import ABSENT, Form, Item, item_of, value_of
from nbmlops.runtime.kernels.import_watch import ImportWatch

Items = Mapping[str, Item]

# In the order in which they are put back: variables before what reads them, filters after what may warn or import.
PARTS: tuple[type[Part], ...] = (
    Environment,
    ImportPath,
    Interpreter,
    Locale,
    DecimalContext,
    NumpySettings,
    PandasOptions,
    FigureDisplay,
    MatplotlibSettings,
    ScikitLearnConfiguration,
    TorchSettings,
    TorchGenerators,
    Logging,
    WarningFilters,
    WorkingDirectory,
)

NAMES_OF_PARTS = frozenset(part.name for part in PARTS)


class AmbientSession:
    """The parts of this process, and their states so far.

    Args:
        parts: What there is.
    """

    def __init__(self, parts: Sequence[type[Part]] = PARTS) -> None:
        self._parts = [kind() for kind in parts]
        self._package = ""
        self._pristine: dict[str, Items] = {}
        self._given: Mapping[str, Items] = {}
        self._before: dict[str, Items] = {}
        self._seen: list[str] = []
        self._alive: dict[str, dict[str, Item]] = {}
        self._begun = False
        self._finder = ImportWatch(self._library_came)

    def open(self, source: Path, root: Path, package: str, given: Mapping[str, Items]) -> None:
        """Notes the state as it is, before anything of the step.

        A process that has run a step before knows its first state already.

        Args:
            source: The folder of the source notebook.
            root: The project's root.
            package: The generated package.
            given: What earlier steps changed: part -> items. What they could not store, this process remembers.
        """
        self._package, self._begun, self._before = package, False, {}
        self._given = {part: {**given.get(part, {}), **self._alive.get(part, {})} for part in {*given, *self._alive}}
        apply_to_package(package)
        for part in self._loaded():
            part.open(source, root)
            if part.name not in self._pristine:
                self._pristine[part.name] = self._capture(part)
        self._finder.wait_for(
            {part.library for part in self._parts if part.library and part.name not in self._pristine}
        )

    def prepare(self, source: Path) -> None:
        """Puts back what importing the step's code depends on, over what the package's `environment` has set.

        In another working directory, modules beside the notebook are still found, as in a notebook that has imported
        them before.

        Args:
            source: The folder of the source notebook.
        """
        for part in self._loaded():
            if part.early:
                self._restore(part, early=True)
        if Path.cwd() != source and str(source) not in sys.path:
            sys.path.append(str(source))

    def begin(self) -> None:
        """Puts back what earlier steps changed, over what imports and shared cells have set by now."""
        self._begun = True
        for part in self._loaded():
            self._restore(part)
            part.begin()
        self._before = {part.name: self._capture(part) for part in self._loaded()}

    def end(self) -> dict[str, Items]:
        """Returns what the step changed, part by part, whole as the next step needs it."""
        self._finder.stop()
        changed: dict[str, Items] = {}
        self._seen = []
        for part in self._loaded():
            pristine = self._pristine.get(part.name, {})
            before, after = self._before.get(part.name, pristine), self._capture(part)
            if before != after or not part.used_when_changed:
                self._seen.append(part.name)
            if before != after:
                changed[part.name] = _handed_over(part, pristine, before, after, self._given.get(part.name, {}))
                self._remember(part.name, changed[part.name])
        return changed

    def seen(self) -> tuple[str, ...]:
        """Returns the names of the parts that the step that has ended could depend on: their libraries are loaded."""
        return tuple(self._seen)

    def _remember(self, part: str, changed: Items) -> None:
        """Keeps what cannot be stored, for steps that go on in this process."""
        kept = {name: item for name, item in self._alive.get(part, {}).items() if name not in changed}
        self._alive[part] = kept | {n: item for n, item in changed.items() if item.form is Form.UNSTORABLE}

    def _loaded(self) -> list[Part]:
        return [part for part in self._parts if not part.library or part.library in sys.modules]

    def _capture(self, part: Part) -> Items:
        return {name: item_of(value, self._package) for name, value in part.capture().items()}

    def _restore(self, part: Part, *, early: bool = False) -> None:
        given = self._given.get(part.name)
        now = self._capture(part) if given else {}
        if given and any(now.get(name, ABSENT) != item for name, item in given.items()):
            values = {name: value_of(item) for name, item in given.items() if item.form is not Form.ABSENT}
            restore = part.restore_early if early else part.restore
            restore(values, [name for name, item in given.items() if item.form is Form.ABSENT])

    def _library_came(self, library: str) -> None:
        for part in self._parts:
            if part.library == library:
                self._pristine[part.name] = self._capture(part)
                self._restore(part)
                if self._begun:
                    self._before[part.name] = self._capture(part)


def _handed_over(part: Part, pristine: Items, before: Items, after: Items, given: Items) -> Items:
    """Returns the items that the next process cannot have by itself."""
    names = {*pristine, *before, *after}
    if not part.whole:
        names = {name for name in names if not pristine.get(name) == before.get(name) == after.get(name)} | given.keys()
    found = {name: after.get(name, ABSENT) for name in sorted(names)}
    # What cannot be stored and was there before the step's code began, shared cells set anew in each step.
    return {name: item for name, item in found.items() if item.form is not Form.UNSTORABLE or before.get(name) != item}


def written(items: Items) -> bytes:
    """Returns the items as text for the store."""
    document = {name: [item.form.value, item.body, item.identity] for name, item in items.items()}
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def read(data: bytes) -> dict[str, Item]:
    """Returns the items that `written` wrote."""
    return {name: Item(Form(form), body, identity) for name, (form, body, identity) in json.loads(data).items()}


def identity_of(items: Items) -> str:
    """Returns the digest of the items' content."""
    return digest_json({name: [item.form.value, item.identity] for name, item in items.items()})


class _Process:
    """The one session of this process."""

    __slots__ = ("session",)

    def __init__(self) -> None:
        self.session = AmbientSession()


_PROCESS = _Process()


def process_session() -> AmbientSession:
    """Returns the session of this process."""
    return _PROCESS.session
