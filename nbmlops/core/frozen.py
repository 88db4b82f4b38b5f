"""`@frozen`: a dataclass that is frozen and slotted, made in a quarter of the time (ADR 19).

`dataclasses` writes and compiles six methods for each such class, which takes 0.45 ms. There are some three hundred of
them: making those that it needs took a third of a short command's time. Here all share their methods, but for
`__init__`. They are dataclasses to everybody: `fields`, `replace`, `asdict`, `match` and type checkers know them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields
from operator import attrgetter
from types import MappingProxyType
from typing import Any, TypeVar, dataclass_transform

Record = TypeVar("Record")

_ABSENT = object()  # an argument that was not given, of a field with a `default_factory`


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(record: type[Record]) -> type[Record]:
    """Returns the class as a frozen dataclass with slots; what it defines or inherits itself is kept.

    Raises:
        TypeError: it asks for something that only `dataclasses` does: `__post_init__`, or fields that `__init__` does
            not take by position.
    """
    made = dataclass(init=False, repr=False, eq=False, slots=True)(record)
    its = fields(made)  # type: ignore[arg-type]  # it is a dataclass now
    if hasattr(made, "__post_init__") or not all(one.init and not one.kw_only for one in its):
        raise TypeError(f"{made.__qualname__} needs dataclasses.dataclass")
    own: dict[str, Any] = {
        "__init__": _init(made.__qualname__, its),
        "__compared__": staticmethod(_getter([one.name for one in its if one.compare])),
        "__state__": staticmethod(_getter([one.name for one in its])),
    }
    for name, value in own.items():
        setattr(made, name, value)
    for name, method in _SHARED.items():
        if getattr(made, name, None) is getattr(object, name, None):
            setattr(made, name, method)
    return made


def _init(owner: str, its: Sequence[Field[Any]]) -> Callable[..., None]:
    """Returns the method that takes the values of the fields, by position or by name."""
    known: dict[str, Any] = {"_set": object.__setattr__, "_ABSENT": _ABSENT}
    taken, body = [], []
    for one in its:
        value = one.name
        if one.default_factory is not MISSING:
            known |= {f"_made_{one.name}": one.default_factory, f"_default_{one.name}": _ABSENT}
            value = f"_made_{one.name}() if {one.name} is _ABSENT else {one.name}"
        elif one.default is not MISSING:
            known[f"_default_{one.name}"] = one.default
        taken.append(f"{one.name}=_default_{one.name}" if f"_default_{one.name}" in known else one.name)
        body.append(f" _set(self, {one.name!r}, {value})")
    source = f"def __init__({', '.join(['self', *taken])}):\n" + ("\n".join(body) or " pass")
    exec(source, known)  # noqa: S102  # made of names of fields only, as `dataclasses` does it
    made: Callable[..., None] = known["__init__"]
    made.__qualname__ = f"{owner}.__init__"
    return made


def _getter(names: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    """Returns a function from a record to the tuple of these attributes."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda record: tuple(getattr(record, name) for name in names)  # `attrgetter` gives one value bare


def _equals(self: Any, other: Any) -> bool:
    return self.__compared__(self) == self.__compared__(other) if other.__class__ is self.__class__ else NotImplemented


def _hash(self: Any) -> int:
    return hash(self.__compared__(self))


def _repr(self: Any) -> str:
    shown = [f"{one.name}={getattr(self, one.name)!r}" for one in fields(self) if one.repr]
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _refuse_to_set(_self: object, name: str, _value: object) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(_self: object, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> tuple[Any, ...]:
    state: tuple[Any, ...] = self.__state__(self)
    return state


def _set_state(self: Any, state: Sequence[Any]) -> None:
    for one, value in zip(fields(self), state, strict=True):
        object.__setattr__(self, one.name, value)


_SHARED: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "__eq__": _equals,
        "__hash__": _hash,
        "__repr__": _repr,
        "__setattr__": _refuse_to_set,
        "__delattr__": _refuse_to_delete,
        "__getstate__": _state,
        "__setstate__": _set_state,
    }
)
