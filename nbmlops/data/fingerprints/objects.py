"""Any other object, by what pickling would say of it: class, arguments, state. Never by pickle's bytes.

Equal values pickle to different bytes (memo order, shared strings, interpreter details); the structure that
`__reduce_ex__(4)` describes is walked instead. Nothing is stored or called but that method.
"""

from __future__ import annotations

import copyreg
import datetime as dt
import decimal
import fractions
import inspect
import re
import sys
import types
import uuid
from collections.abc import Iterable
from enum import Enum
from pathlib import PurePath
from typing import Any

from nbmlops.data.fingerprints.encoding import CannotFingerprint, Encoder, Handler, public_module

_PROTOCOL = 4
_IMMUTABLE = (
    dt.date, dt.time, dt.timedelta, dt.tzinfo, decimal.Decimal, fractions.Fraction,
    uuid.UUID, re.Pattern, slice,
)  # fmt: skip
_NAMELESS: tuple[type, ...] = (type(None), type(...), type(NotImplemented))
_NAMED = (type, types.FunctionType, types.BuiltinFunctionType)

_GLOBAL_GENERATORS = {"RandomState": (("numpy.random.mtrand", "_rand"),), "Random": (("random", "_inst"),)}

_CACHES = {"scipy.sparse": frozenset({"_has_sorted_indices", "_has_canonical_format"})}
"""Attributes that reading an object sets: they are no part of its content."""


def handler_of(cls: type) -> Handler:
    """Returns how instances of a class that is neither plain nor an array nor a frame are encoded."""
    if issubclass(cls, types.ModuleType):
        return Handler(_add_module, shared=False)
    # The class of what Cython compiles carries Cython's version in its name.
    if issubclass(cls, _NAMED) or cls.__name__ == "cython_function_or_method":
        return Handler(_add_named, shared=False)
    if issubclass(cls, Enum):
        return Handler(_add_member, shared=False)
    if issubclass(cls, PurePath):
        return Handler(_add_path, shared=False)
    return Handler(add_reduced, shared=not issubclass(cls, _IMMUTABLE))


def global_generator(value: object) -> tuple[str, str] | None:
    """Returns module and attribute of a generator that the functions of `random` or `numpy.random` draw from, or None.

    Whoever holds it, as `draw = np.random.rand` does, draws from the same one: what it is does not depend on its state.
    """
    for module, attribute in _GLOBAL_GENERATORS.get(type(value).__name__, ()):
        if (loaded := sys.modules.get(module)) is not None and getattr(loaded, attribute, None) is value:
            return module, attribute
    return None


def class_name(cls: type) -> str:
    """Returns the class's module and qualified name."""
    return f"{cls.__module__}.{cls.__qualname__}"


def _add_named(encoder: Encoder, value: Any) -> None:
    owner = getattr(value, "__self__", None)
    if owner is not None and not isinstance(owner, types.ModuleType):
        add_reduced(encoder, value)  # a method of a built-in object
        return
    module = public_module(value) if isinstance(value, type) else getattr(value, "__module__", None) or "builtins"
    name = getattr(value, "__qualname__", value.__name__)
    if not any(value is nameless for nameless in _NAMELESS):
        found: Any = sys.modules.get(module)
        for attribute in name.split("."):
            found = getattr(found, attribute, None)
        if found is not value:
            what = "class" if isinstance(value, type) else "function"
            raise CannotFingerprint(f"{what} {name!r} cannot be found by its name in module {module!r}")
    encoder.text(b"name", ":".join(encoder.name_of(module, name)))


def _add_module(encoder: Encoder, value: types.ModuleType) -> None:
    if sys.modules.get(value.__name__) is not value:
        raise CannotFingerprint(f"module {value.__name__!r} is not what importing its name gives")
    encoder.text(b"module", value.__name__)


def _add_member(encoder: Encoder, value: Enum) -> None:
    encoder.text(b"enum", encoder.class_name(type(value)))
    name: Any = value.name  # None for combinations of flags that have no name
    encoder.add(value.value if name is None else name)


def _add_path(encoder: Encoder, value: PurePath) -> None:
    encoder.text(b"path", encoder.class_name(type(value)))
    encoder.text(b"str", str(value))


def add_reduced(encoder: Encoder, value: Any) -> None:
    """Adds an object by its reduction.

    Raises:
        CannotFingerprint: it cannot be reduced, or a part of it cannot be fingerprinted.
    """
    if generator := global_generator(value):
        encoder.text(b"generator", ":".join(generator))
        return
    reduced = _reduce(value)
    encoder.text(b"object", encoder.class_name(type(value)))
    if isinstance(reduced, str):
        encoder.text(b"global", ":".join(encoder.name_of(getattr(value, "__module__", None) or "", reduced)))
        return
    _add_call(encoder, reduced[0], reduced[1])
    state, items, pairs, setter = (*reduced[2:], None, None, None, None)[:4]
    if state is not None:
        _add_state(encoder, state, type(value))
    if items is not None:
        encoder.token(b"list items")
        encoder.add_items(list(items))
    if pairs is not None:
        content = list(pairs)
        encoder.token(b"dict items")
        encoder.add_items([key for key, _ in content])
        encoder.add_items([item for _, item in content], [key for key, _ in content])
    if setter is not None:
        encoder.add(setter)


def _reduce(value: Any) -> Any:
    reducer = copyreg.dispatch_table.get(type(value))
    try:
        return reducer(value) if reducer is not None else value.__reduce_ex__(_PROTOCOL)
    except Exception as error:  # any code of the user's class may run here, and raise anything
        raise CannotFingerprint(f"{class_name(type(value))}: {error}") from error


def _add_call(encoder: Encoder, function: Any, arguments: tuple[Any, ...]) -> None:
    encoder.add(function)
    try:
        encoder.token(b"arguments")
        encoder.add_items(arguments)
    except CannotFingerprint as refusal:
        raise refusal.within(".args") from refusal.__cause__


def _add_state(encoder: Encoder, state: Any, cls: type) -> None:
    slotted = type(state) is tuple and len(state) == 2 and {type(None), dict}.issuperset(map(type, state))
    for part in state if slotted else (state,):  # of a class with __slots__: instance dictionary, slots
        if type(part) is dict and all(type(key) is str for key in part):
            _add_attributes(encoder, part, cls)
        else:
            encoder.add(part)


def _add_attributes(encoder: Encoder, attributes: dict[str, Any], cls: type) -> None:
    ignored = next((names for prefix, names in _CACHES.items() if cls.__module__.startswith(prefix)), frozenset())
    if encoder.compares:
        ignored |= caches(attributes, cls)
    names = sorted(attributes.keys() - ignored)
    encoder.size(b"attributes", len(names))
    for name in names:
        encoder.text(b"str", name)
        try:
            encoder.add(attributes[name])
        except CannotFingerprint as refusal:
            raise refusal.within(f".{name}") from refusal.__cause__


def caches(attributes: Iterable[str], cls: type) -> frozenset[str]:
    """Returns which attributes of an object are there because somebody has read it.

    That is what `functools.cached_property` and its likes leave under their own names, and what statsmodels collects
    in `_cache`.
    """
    found = {name for name in attributes if _is_cache(inspect.getattr_static(cls, name, None))}
    if cls.__module__.partition(".")[0] == "statsmodels":
        found.add("_cache")
    return frozenset(found)


def _is_cache(found: Any) -> bool:
    # A descriptor without `__set__` gives way to what stands in the object's dictionary, and fills it.
    kind = type(found)
    return "cache" in kind.__name__.lower() and hasattr(kind, "__get__") and not hasattr(kind, "__set__")
