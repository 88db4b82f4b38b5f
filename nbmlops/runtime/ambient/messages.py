"""The parts of the ambient state that decide what a process tells: warning filters, and loggers with their handlers."""

from __future__ import annotations

import logging
import re
import sys
import warnings
from collections.abc import Collection, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from nbmlops.core.digest import digest_json
from nbmlops.runtime.ambient.parts import Part, Place

_MAIN = "__main__"
_STREAMS = ("stdout", "stderr")


class WarningFilters(Part):
    """`warnings.filters` in order, and the default action.

    Which warnings were shown already is left out: Python forgets it whenever a filter changes, as at the beginning of
    each `with warnings.catch_warnings()`, so that only the text on standard error could tell.
    Importing a library may add filters of its own. So that those of a library that only a later step imports are not
    lost, the state says which filters its process has ever seen: others that are found when it is put back stay.
    """

    name = "warning filters"
    whole = True

    def __init__(self) -> None:
        self._seen: dict[str, None] = {}

    def capture(self) -> Mapping[str, object]:
        """Returns the filters, all that were ever seen, and the default action."""
        filters = [_filter_data(entry) for entry in warnings.filters]
        self._seen |= dict.fromkeys(map(_name, filters))
        default = getattr(warnings, "defaultaction", "default")
        return {"filters": filters, "seen": sorted(self._seen), "default action": default}

    def restore(self, values: Mapping[str, Any], gone: Collection[str]) -> None:  # noqa: ARG002 - they are never gone
        """Sets them; filters that the state does not know stay in front."""
        wanted = [_filter(data) for data in values["filters"]]  # may import libraries, which add filters
        self._seen |= dict.fromkeys(values["seen"])
        new = [entry for entry in warnings.filters if _name(_filter_data(entry)) not in values["seen"]]
        warnings.resetwarnings()
        filters: list[Any] = warnings.filters  # type: ignore[assignment]  # the very list that Python reads
        filters.extend([*new, *wanted])
        warnings.defaultaction = values["default action"]  # type: ignore[attr-defined]  # CPython's own name


def apply_to_package(package: str) -> None:
    """Makes filters for the cells of a notebook, which are `__main__`, count for the modules of the package, too."""
    pattern = re.compile(rf"{re.escape(package)}(\.|$)")
    filters: list[Any] = warnings.filters  # type: ignore[assignment]  # the very list that Python reads
    for position, (action, message, category, module, line) in reversed(list(enumerate(filters))):
        own = (action, message, category, pattern, line)
        if module == _MAIN and own not in filters:
            filters.insert(position, own)


def _name(data: object) -> str:
    return digest_json([repr(data)])


def _filter_data(entry: tuple[Any, ...]) -> list[Any]:
    action, message, category, module, line = entry
    return [action, _pattern_data(message), _class_data(category), _pattern_data(module), line]


def _filter(data: list[Any]) -> tuple[Any, ...]:
    action, message, category, module, line = data
    return action, _pattern(message), _class(category), _pattern(module), line


def _pattern_data(pattern: Any) -> Any:
    return [pattern.pattern, pattern.flags] if isinstance(pattern, re.Pattern) else pattern


def _pattern(data: Any) -> Any:
    return re.compile(*data) if isinstance(data, list) else data


def _class_data(category: Any) -> Any:
    """Returns a class by its names, or itself if those do not lead to it: then it cannot be stored."""
    found: Any = sys.modules.get(category.__module__) if category.__module__ != _MAIN else None
    for name in category.__qualname__.split("."):
        found = getattr(found, name, None)
    return [category.__module__, category.__qualname__] if found is category else category


def _class(data: list[str]) -> Any:
    found: Any = import_module(data[0])
    for name in data[1].split("."):
        found = getattr(found, name)
    return found


class Logging(Part):
    """Levels, switches and handlers of loggers.

    Handlers that write to the process's own streams or to files are made again; those of libraries are theirs.
    """

    name = "logging"

    def __init__(self) -> None:
        self._place = Place(Path(), Path())
        self._before: list[logging.Handler] = []

    def open(self, source: Path, root: Path) -> None:
        """Notes the handlers that are there: each process has them."""
        self._place = Place(source, root)
        self._before = self._before or [handler for _, logger in _loggers() for handler in logger.handlers]

    def capture(self) -> Mapping[str, object]:
        """Returns what is not as in a new logger."""
        found: dict[str, object] = {"disable": logging.root.manager.disable}
        for name, logger in _loggers():
            usual = {"level": logging.NOTSET, "propagate": True, "disabled": False}
            for attribute, default in usual.items():
                if (value := getattr(logger, attribute)) != default:
                    found[f"{attribute} {name}"] = value
            handlers = [handler for handler in logger.handlers if self._is_users(handler)]
            for number, handler in enumerate(handlers):
                found[f"handler {name} {number}"] = self._handler_data(handler)
        return found

    def restore(self, values: Mapping[str, Any], gone: Collection[str]) -> None:
        """Sets levels and switches, and makes handlers anew."""
        logging.disable(values.get("disable", logging.root.manager.disable))
        loggers: dict[str, list[Any]] = {}
        for key in [*values, *gone]:
            if key == "disable":
                continue
            attribute, _, rest = key.partition(" ")
            if attribute == "handler":
                wanted = loggers.setdefault(rest.rpartition(" ")[0], [])
                wanted += [values[key]] if key in values else []
                continue
            default: object = {"level": logging.NOTSET, "propagate": True, "disabled": False}[attribute]
            value: Any = values.get(key, default)
            logger = _logger(rest)
            if attribute == "level":
                logger.setLevel(value)
            else:
                setattr(logger, attribute, value)
        for name, wanted in loggers.items():
            logger = _logger(name)
            for handler in [handler for handler in logger.handlers if self._is_users(handler)]:
                logger.removeHandler(handler)
            for data in wanted:
                logger.addHandler(self._handler(data))

    def _is_users(self, handler: logging.Handler) -> bool:
        return type(handler).__module__.startswith("logging") and not any(handler is one for one in self._before)

    def _handler_data(self, handler: logging.Handler) -> Any:
        """Returns the handler as plain data, or itself where that would not say all of it: it cannot be stored."""
        formatter = handler.formatter
        known = formatter is None or type(formatter) is logging.Formatter
        if handler.filters or not known:
            return handler
        where: list[Any] = []
        if type(handler) is logging.StreamHandler:
            where = [name for name in _STREAMS if handler.stream is getattr(sys, name)][:1]
        elif type(handler) is logging.FileHandler:
            where = ["file", self._place.shown(handler.baseFilename), handler.encoding, handler.errors]
        elif type(handler) is logging.NullHandler:
            where = ["nowhere"]
        if not where:
            return handler
        style = None
        if formatter is not None:
            style = [formatter._fmt, formatter.datefmt, _style(formatter)]  # noqa: SLF001 - no public way to ask
        return [where, handler.level, style]

    def _handler(self, data: Any) -> logging.Handler:
        if isinstance(data, logging.Handler):
            return data  # the process lives on
        where, level, style = data
        made: logging.Handler
        if where[0] == "file":
            # A file that the notebook began anew was begun by the step that opened it.
            made = logging.FileHandler(self._place.path(where[1]), "a", where[2], delay=True, errors=where[3])
        else:
            made = logging.NullHandler() if where[0] == "nowhere" else logging.StreamHandler(getattr(sys, where[0]))
        made.setLevel(level)
        if style is not None:
            made.setFormatter(logging.Formatter(*style))
        return made


def _style(formatter: logging.Formatter) -> str:
    kinds = {logging.StrFormatStyle: "{", logging.StringTemplateStyle: "$"}
    return kinds.get(type(formatter._style), "%")  # noqa: SLF001 - as above


def _loggers() -> list[tuple[str, logging.Logger]]:
    named = [(n, found) for n, found in logging.root.manager.loggerDict.items() if isinstance(found, logging.Logger)]
    return [("", logging.root), *sorted(named)]


def _logger(name: str) -> logging.Logger:
    return logging.getLogger(name) if name else logging.root
