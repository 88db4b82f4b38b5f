"""Tells values in a form that shows what matters: types, contents, who shares what, and in which order.

The last step of most generated programs tells all their names, so that final values are compared, not only prints.
"""

from __future__ import annotations

import collections
import collections.abc
import dataclasses
import enum
import functools
import hashlib
import random
import types
from typing import Any

import numpy as np
import pandas as pd


def tell(**values: object) -> None:
    """Prints each value: objects that occur twice are numbered, arrays that share memory are listed."""
    teller = _Teller()
    for name, value in values.items():
        print(name, "=", teller.told(value))  # noqa: T201 - what the programs print is compared
    print("memory:", teller.shared())  # noqa: T201 - as above


class _Teller:
    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}
        self._kept: list[object] = []
        self._arrays: list[tuple[int, np.ndarray[Any, Any]]] = []

    def told(self, value: Any) -> str:
        """Returns the text of a value."""
        if isinstance(value, enum.Enum):
            return repr(value)
        if value is None or isinstance(value, int | float | complex | str | bytes | np.generic):
            return f"{_name(type(value))}:{value!r}"
        if isinstance(value, type | types.ModuleType):
            return value.__name__
        if isinstance(value, tuple | frozenset):
            return f"{_name(type(value))} {self._inside(value, -1)}"  # whether two are one is told by what is in them
        number = self._numbers.get(id(value))
        if number is not None:
            return f"#{number}"
        number = self._numbers[id(value)] = len(self._numbers)
        self._kept.append(value)
        return f"#{number} {_name(type(value))} {self._inside(value, number)}"

    def _inside(self, value: Any, number: int) -> str:
        match value:
            case dict():
                factory = f" by {value.default_factory}" if isinstance(value, collections.defaultdict) else ""
                return "{" + ", ".join(f"{self.told(k)}: {self.told(v)}" for k, v in value.items()) + "}" + factory
            case list() | tuple() | set() | frozenset() | collections.deque():
                return "[" + ", ".join(self.told(item) for item in value) + "]"
            case functools.partial():
                return f"{self.told(value.func)} {self.told(value.args)} {self.told(value.keywords)}"
            case types.FunctionType() | types.MethodType():
                return value.__name__
            case collections.abc.Iterator():
                return "of " + self.told(list(value))
            case _:
                return self._of_library(value, number)

    def _of_library(self, value: Any, number: int) -> str:
        match value:
            case np.ndarray():
                self._arrays.append((number, value))
                flags = "" if value.flags.writeable else " read-only"
                return f"{value.dtype} {value.shape} {value.strides} {self._items(value)}{flags}"
            case pd.DataFrame() | pd.Series():
                return self._frame(value)
            case random.Random():
                return _digest(value.getstate())
            case np.random.Generator():
                return _digest(value.bit_generator.state)
            case _:
                return self._attributes(value)

    def _attributes(self, value: Any) -> str:
        names = [field.name for field in dataclasses.fields(value)] if dataclasses.is_dataclass(value) else vars(value)
        return "<" + ", ".join(f"{name}={self.told(getattr(value, name))}" for name in names) + ">"

    def _frame(self, value: Any) -> str:
        index = f"{type(value.index).__name__} {value.index.name!r} {value.index.dtype} {list(value.index)!r}"
        if value.ndim == 1:
            return f"{value.name!r} {value.dtype} {self._items(value)} index {index} {value.attrs!r}"
        columns = {str(name): (str(value[name].dtype), self._items(value[name])) for name in value.columns}
        return f"{columns!r} {list(value.columns)!r} index {index} {value.attrs!r}"

    def _items(self, values: Any) -> str:
        items = values.tolist()
        return self.told(items) if values.dtype == object else repr(items)

    def shared(self) -> list[tuple[int, int]]:
        """Returns the pairs of arrays that share memory, by their numbers."""
        found = self._arrays
        pairs = ((a, b) for at, a in enumerate(found) for b in found[at + 1 :])
        return [(one[0], other[0]) for one, other in pairs if np.shares_memory(one[1], other[1])]


def _name(kind: type) -> str:
    """Returns the name of a type without its module, which is another one in a pipeline, or the function around it."""
    return kind.__qualname__.rpartition(".")[2]


def _digest(state: object) -> str:
    return hashlib.sha256(repr(state).encode()).hexdigest()[:12]
