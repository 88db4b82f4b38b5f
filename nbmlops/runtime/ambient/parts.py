"""The parts of the ambient state that every process has: environment, import path, logging, warning filters, and so on.

A part takes its present state as a mapping of names to values, and puts such values back.
`nbmlops.runtime.ambient.session` has the list of all, and says when.
"""

from __future__ import annotations

import csv
import decimal
import locale
import os
import socket
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, ClassVar

from nbmlops.core.errors import StepFailed

_OURS = "NBMLOPS_"
_TOO_LATE = "=too late"  # no variable is called so

# What these libraries read when they are loaded, and never again.
_LIBRARIES = frozenset({"jax", "numpy", "scipy", "sklearn", "tensorflow", "torch"})
_READ_ONCE = (
    "OMP_", "MKL_", "OPENBLAS_", "BLIS_", "VECLIB_", "NUMEXPR_", "KMP_", "GOTO_", "CUDA_", "TF_", "TORCH", "PYTORCH",
    "XLA_", "JAX_", "LOKY_",
)  # fmt: skip


class Part(ABC):
    """One part of the ambient state. A process has one object of each.

    Attributes:
        name: What people call it, which is also its name in records.
        library: The module that must be loaded for it to exist, "" for none.
        early: Whether importing the step's code depends on it.
        whole: Whether its values mean something only together.
        used_when_changed: Whether a step that leaves it as it was has not used it either.
    """

    name: ClassVar[str]
    library: ClassVar[str] = ""
    early: ClassVar[bool] = False
    whole: ClassVar[bool] = False
    used_when_changed: ClassVar[bool] = False

    def open(self, source: Path, root: Path) -> None:  # noqa: B027 - most parts need not know
        """Notes where the source notebook is, and what is there before anybody changed anything."""

    @abstractmethod
    def capture(self) -> Mapping[str, object]:
        """Returns the present state by name."""

    @abstractmethod
    def restore(self, values: Mapping[str, Any], gone: Collection[str]) -> None:
        """Puts values back, and takes away what is gone; names that are in neither are left as they are."""

    def restore_early(self, values: Mapping[str, Any], gone: Collection[str]) -> None:
        """Does the same before anything is imported."""
        self.restore(values, gone)

    def begin(self) -> None:  # noqa: B027 - as above
        """Notes that the step's code begins."""


class Environment(Part):
    """Environment variables, but our own.

    A number of threads that is set when numpy is loaded already comes too late; in later steps it must, too.
    """

    name = "environment variables"
    early = True

    def __init__(self) -> None:
        self._at_beginning: Mapping[str, str] | None = None
        self._too_late: set[str] = set()

    def begin(self) -> None:
        """Notes what libraries that are loaded by now have read."""
        self._at_beginning = None if _LIBRARIES.isdisjoint(sys.modules) else dict(os.environ)

    def capture(self) -> Mapping[str, object]:
        """Returns the variables, and which of them came too late."""
        now = dict(os.environ)  # each look at it is watched
        before = now if self._at_beginning is None else self._at_beginning
        changed = {name for name in {*before, *now} if before.get(name) != now.get(name)}
        self._too_late |= {name for name in changed if name.startswith(_READ_ONCE)}
        found: dict[str, object] = {name: value for name, value in now.items() if not name.startswith(_OURS)}
        return found | ({_TOO_LATE: sorted(self._too_late)} if self._too_late else {})

    def restore(self, values: Mapping[str, Any], gone: Collection[str]) -> None:
        """Sets and removes variables."""
        self._too_late |= set(values.get(_TOO_LATE, ()))
        os.environ.update({name: value for name, value in values.items() if name != _TOO_LATE})
        for name in gone:
            os.environ.pop(name, None)

    def restore_early(self, values: Mapping[str, Any], gone: Collection[str]) -> None:
        """Sets and removes those that came before the libraries were loaded."""
        late = set(values.get(_TOO_LATE, ()))
        kept = {name: value for name, value in values.items() if name not in late}
        self.restore(kept, [name for name in gone if name not in late])


class Place:
    """Paths as they mean the same on every machine: those in the project are seen from the notebook's folder."""

    def __init__(self, source: Path, root: Path) -> None:
        self._source, self._root = source, root

    def shown(self, path: str) -> list[str]:
        """Returns the path as plain data."""
        absolute = os.path.isabs(path)  # noqa: PTH117 - a text that may be no path at all
        if absolute and Path(path).is_relative_to(self._root):
            return ["project", os.path.relpath(path, self._source)]
        return ["path", path]

    def path(self, shown: list[str]) -> str:
        """Returns the path that `shown` gave."""
        kind, path = shown
        return os.path.normpath(self._source / path) if kind == "project" else path


class ImportPath(Part):
    """`sys.path`: what was there before stands for itself, whatever it is on this machine."""

    name = "import path"
    early = True

    def __init__(self) -> None:
        self._before: list[str] = []
        self._place = Place(Path(), Path())

    def open(self, source: Path, root: Path) -> None:
        """Notes the path as it is."""
        self._place = Place(source, root)
        self._before = self._before or list(sys.path)

    def capture(self) -> Mapping[str, object]:
        """Returns the entries in order: runs of those that were there before, and texts."""
        entries: list[list[Any]] = []
        before = self._before
        number = 0
        for entry in sys.path:
            if number < len(before) and entry == before[number]:
                if entries and entries[-1][0] == "before" and entries[-1][2] == number:
                    entries[-1][2] = number + 1
                else:
                    entries.append(["before", number, number + 1])
                number += 1
            else:
                entries.append(self._place.shown(entry) if type(entry) is str else ["object", entry])
        for run in entries:
            if run[0] == "before" and run[2] == len(before):
                run[2] = None  # to the end, how long ever the path is elsewhere
        return {"path": entries}

    def restore(self, values: Mapping[str, Any], gone: Collection[str]) -> None:  # noqa: ARG002 - it is never gone
        """Sets the path; what imports have added meanwhile stays at its end."""
        made: list[Any] = []
        for kind, *rest in values["path"]:
            if kind == "before":
                made += self._before[rest[0] : rest[1]]
            else:
                made.append(rest[0] if kind == "object" else self._place.path([kind, *rest]))
        known = [*made, *self._before]
        sys.path[:] = [*made, *(entry for entry in sys.path if entry not in known)]


class WorkingDirectory(Part):
    """The folder that relative paths start from."""

    name = "working directory"
    early = True

    def __init__(self) -> None:
        self._place = Place(Path(), Path())

    def open(self, source: Path, root: Path) -> None:
        """Notes where the notebook is."""
        self._place = Place(source, root)

    def capture(self) -> Mapping[str, object]:
        """Returns the folder."""
        return {"folder": self._place.shown(str(Path.cwd()))}

    def restore(self, values: Mapping[str, Any], gone: Collection[str]) -> None:  # noqa: ARG002 - it is never gone
        """Changes into the folder.

        Raises:
            StepFailed: there is no such folder any more.
        """
        folder = self._place.path(values["folder"])
        try:
            os.chdir(folder)
        except OSError as error:
            raise StepFailed(
                f"an earlier step changed into the folder {folder}, which cannot be entered now: {error.strerror}",
                "make the folder again, or run the pipeline with --force",
            ) from error


class Interpreter(Part):
    """What single functions of the standard library set for the whole process."""

    name = "interpreter settings"

    def capture(self) -> Mapping[str, object]:
        """Returns the settings by the names of their functions."""
        return {
            "recursion limit": sys.getrecursionlimit(),
            "integer digits": sys.get_int_max_str_digits(),
            "socket timeout": socket.getdefaulttimeout(),
            "csv field size": csv.field_size_limit(),
            "time zone": [*time.tzname, time.timezone],
        }

    def restore(self, values: Mapping[str, Any], gone: Collection[str]) -> None:  # noqa: ARG002 - they are never gone
        """Sets them."""
        setters: dict[str, Callable[[Any], object]] = {
            "recursion limit": sys.setrecursionlimit,
            "integer digits": sys.set_int_max_str_digits,
            "socket timeout": socket.setdefaulttimeout,
            "csv field size": csv.field_size_limit,
            "time zone": lambda _: time.tzset(),  # from the variable TZ, which is there by now
        }
        for name, value in values.items():
            setters[name](value)


class Locale(Part):
    """The C library's locale."""

    name = "locale"
    _CATEGORIES = ("LC_COLLATE", "LC_CTYPE", "LC_MONETARY", "LC_NUMERIC", "LC_TIME")

    def capture(self) -> Mapping[str, object]:
        """Returns the locale of each category."""
        return {name: locale.setlocale(getattr(locale, name)) for name in self._CATEGORIES}

    def restore(self, values: Mapping[str, Any], gone: Collection[str]) -> None:  # noqa: ARG002 - they are never gone
        """Sets them."""
        for name, value in values.items():
            locale.setlocale(getattr(locale, name), value)


class DecimalContext(Part):
    """The context of decimal numbers, signals that were raised included."""

    name = "decimal context"
    _PLAIN = ("prec", "rounding", "Emin", "Emax", "capitals", "clamp")

    def capture(self) -> Mapping[str, object]:
        """Returns its attributes."""
        context = decimal.getcontext()
        found: dict[str, object] = {name: getattr(context, name) for name in self._PLAIN}
        for name in ("flags", "traps"):
            found[name] = sorted(signal.__name__ for signal, on in getattr(context, name).items() if on)
        return found

    def restore(self, values: Mapping[str, Any], gone: Collection[str]) -> None:  # noqa: ARG002 - they are never gone
        """Sets them."""
        context = decimal.getcontext()
        for name, value in values.items():
            if name in self._PLAIN:
                setattr(context, name, value)
            else:
                signals: Any = getattr(context, name)
                for signal in signals:
                    signals[signal] = signal.__name__ in value
