"""Which names share objects: found by walking the mutable objects that pickling a value would visit.

numpy arrays are compared by the memory they cover. pandas frames and series are leaves: they copy on write, but not for
an array over their memory, as `to_numpy()` gives. Everything that cannot change (numbers, texts, functions, classes,
modules) is passed over.
"""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import fractions
import math
import pathlib
import pickle
import sys
import types
import uuid
from array import array as standard_array
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nbmlops.data.fingerprints.objects import global_generator
from nbmlops.runtime.handover.bound import bound_to_process

if TYPE_CHECKING:
    import numpy as np

_ATOMS = frozenset({
    type(None), bool, int, float, complex, str, bytes, range, slice, type(...), type(NotImplemented),
    dt.date, dt.datetime, dt.time, dt.timedelta, dt.timezone, decimal.Decimal,
    fractions.Fraction, uuid.UUID, pathlib.PurePosixPath, pathlib.PosixPath,
})  # fmt: skip
_CODE = (type, types.FunctionType, types.BuiltinFunctionType, types.ModuleType, enum.Enum)
_PARTS = ("_ndarray", "_data", "_mask")  # where arrays of pandas' own kinds hold their elements
_LEAF = "leaf"


class CannotStore(Exception):
    """A value cannot be stored; the text says which part and why."""


class _Nowhere:
    @staticmethod
    def write(data: Any) -> int:
        return len(data)


class Walk(pickle.Pickler):
    """What pickling one value visits.

    The objects are kept alive as long as the walk, so that an identity means one object.

    Attributes:
        objects: The mutable objects in the order they are met first, by identity.
        arrays: The numpy arrays among them.
        blocks: The arrays in which frames hold their columns, where a write to the frame goes into that very memory.
        columns: The arrays of pandas' own kinds in which frames hold columns, by identity: `df["k"].array` is that
            very object, and what is written to it is in the frame.
        code: The classes and functions that were met, by identity.
        indexes: The pandas indexes that were met, by identity: those of frames and series, and those by themselves.
        custom_errors: An exception was met that takes other arguments than it keeps.
        forgetful: An object was met whose class forgets its attributes when pickle loads it.
        visited: How many objects were met, each time counted.
        letters: How long the texts and bytes among them are together.
        repeated: A mutable object was met twice.
        has_sets: A set was met, whose order of iteration must survive.
        has_gaps: An array was met, or a frame with one, whose elements do not follow each other in memory. Sums and
            products over them may end in other bits than those over a copy without gaps.
        has_nan: `np.nan` or `math.nan` was met, or another NaN twice: code finds it by identity, `np.nan in values`.
        own_nan: Another NaN was met; it counts among the objects.
        has_modules: A module was met, which pickle knows no form for, or one of the global random generators.
    """

    def __init__(self, value: object) -> None:
        super().__init__(_Nowhere(), protocol=5)
        self.objects: dict[int, object] = {}
        self.arrays: list[np.ndarray[Any, Any]] = []
        self.blocks: list[np.ndarray[Any, Any]] = []
        self.columns: dict[int, object] = {}
        self.code: dict[int, object] = {}
        self.indexes: dict[int, Any] = {}
        self.custom_errors = False
        self.forgetful = False
        self.repeated = False
        self.visited = 0
        self.letters = 0
        self.has_sets = False
        self.has_gaps = False
        self.has_nan = False
        self.own_nan = False
        self.has_modules = False
        self._numpy = sys.modules.get("numpy")
        self._pandas = sys.modules.get("pandas")
        self._pending: list[object] = [value]
        while self._pending:
            part = self._pending.pop()
            try:
                self.dump(part)
            except CannotStore:
                raise
            except RecursionError as error:
                raise CannotStore("it is nested too deeply") from error
            except Exception as error:  # pickling runs code of any library; all of it means the same
                raise CannotStore(f"{error}" if str(error) else type(error).__name__) from error
        self.clear_memo()  # what counts is held by `objects` and `code`

    def persistent_id(self, obj: Any) -> str | None:
        """Returns a mark for what need not be descended into; notes what is mutable.

        Raises:
            CannotStore: it means something in this process only.
        """
        self.visited += 1
        kind = type(obj)
        if kind in _ATOMS or kind is tuple:
            self._atom(obj)
            return None
        if isinstance(obj, _CODE):
            return self._code(obj)
        if kind is frozenset:
            self.has_sets = True
            return None
        if self._is_constant(obj):
            self._note_constant(obj)
            return _LEAF
        if id(obj) in self.objects or global_generator(obj):
            self.repeated = True
            self.has_modules = self.has_modules or id(obj) not in self.objects
            return _LEAF
        if reason := bound_to_process(obj):
            raise CannotStore(reason)
        self.objects[id(obj)] = obj
        if kind is set:
            self.has_sets = True
        self.custom_errors = self.custom_errors or is_custom_error(obj)
        self.forgetful = self.forgetful or is_forgetful(obj)
        return self._leaf(obj)

    def _atom(self, obj: Any) -> None:
        kind = type(obj)
        if kind is str or kind is bytes:
            self.letters += len(obj)
        elif kind is float and math.isnan(obj):
            self._nan(obj)

    def _note_constant(self, obj: Any) -> None:
        if self._numpy is not None and isinstance(obj, self._numpy.floating) and math.isnan(obj):
            self._nan(obj)
        elif self._pandas is not None and isinstance(obj, self._pandas.Index):
            self.indexes[id(obj)] = obj

    def _nan(self, obj: Any) -> None:
        if known_nan(obj):
            self.has_nan = True
            return
        self.own_nan = True
        if id(obj) in self.objects:
            self.repeated = self.has_nan = True
        self.objects[id(obj)] = obj

    def _code(self, obj: Any) -> str | None:
        self.check_code(obj)
        code = type(obj) if isinstance(obj, enum.Enum) else obj
        self.code[id(code)] = code
        importable = is_importable(obj)
        self.has_modules = self.has_modules or importable
        return _LEAF if importable else None

    def check_code(self, obj: Any) -> None:
        """Refuses a class or function that another process would not find.

        Raises:
            CannotStore: it is of the step notebook itself.
        """
        if isinstance(obj, type | types.FunctionType) and obj.__module__ == "__main__":
            what = "class" if isinstance(obj, type) else "function"
            raise CannotStore(f"it refers to the {what} {obj.__qualname__!r}, which only its own step notebook knows")

    def _leaf(self, obj: Any) -> str | None:
        self.code[id(type(obj))] = type(obj)  # pickle is not asked for the class of a leaf
        if self._numpy is not None and isinstance(obj, self._numpy.ndarray):
            if obj.dtype.hasobject:
                return None
            self.arrays.append(obj)
            self.has_gaps = self.has_gaps or has_gaps(obj)
            return _LEAF
        if self._pandas is not None and isinstance(obj, self._pandas.DataFrame | self._pandas.Series):
            self.objects[id(obj._mgr)] = obj._mgr  # noqa: SLF001 - a resampler has a frame of its own over the same one
            self.indexes |= {id(index): index for index in obj.axes}
            self._pending.extend(_loose_cells(obj))
            if obj.attrs:
                self._pending.append(obj.attrs)
            self.blocks.extend(_own_blocks(obj, self._numpy))
            blocks = [block.values for block in obj._mgr.blocks]  # noqa: SLF001 - pandas tells it in no public way
            self.columns |= {id(values): values for values in blocks if not is_plain(values)}
            self.has_gaps = self.has_gaps or any(is_plain(values) and has_gaps(values) for values in blocks)
            return _LEAF
        return None

    def _is_constant(self, obj: Any) -> bool:
        if self._numpy is not None and isinstance(obj, self._numpy.generic | self._numpy.dtype | self._numpy.ufunc):
            return True
        if self._pandas is not None and isinstance(obj, self._pandas.Index | self._pandas.Timestamp):
            return True
        return type(obj).__module__.partition(".")[0] == "pyarrow"


def is_plain(array: Any) -> bool:
    """Returns whether a frame's array is one of numpy, not one of pandas' own."""
    return type(array).__name__ == "ndarray"


def has_gaps(array: Any) -> bool:
    """Returns whether the elements of an array lie neither row by row nor column by column in memory."""
    return not array.flags.forc and not array.dtype.hasobject


def is_importable(obj: object) -> bool:
    """Returns whether the value is a module that importing its name gives: only that name is stored."""
    return isinstance(obj, types.ModuleType) and sys.modules.get(obj.__name__) is obj and obj.__name__ != "__main__"


def is_custom_error(obj: object) -> bool:
    """Returns whether pickle would call the `__init__` of an exception's class with what it gave to `super()`."""
    kind = type(obj)
    return (
        isinstance(obj, BaseException)
        and isinstance(kind.__init__, types.FunctionType)
        and kind.__reduce__ is BaseException.__reduce__
        and kind.__reduce_ex__ is object.__reduce_ex__
    )


def is_forgetful(obj: object) -> bool:
    """Returns whether an object's class forgets its attributes when pickle loads it: a `Bunch` of scikit-learn's."""
    return type(obj).__name__ == "Bunch" and type(obj).__module__.startswith("sklearn.") and isinstance(obj, dict)


def known_nan(value: float) -> str:
    """Returns the module whose `nan` the value is, or ""."""
    if value is math.nan:  # noqa: PLW0177 - the object is meant, not its value
        return "math"
    numpy = sys.modules.get("numpy")
    return "numpy" if numpy is not None and value is numpy.nan else ""


def _is_nan(value: object) -> bool:
    return type(value) is float and math.isnan(value)


def _own_blocks(value: Any, numpy: Any) -> list[Any]:
    """Returns the plain arrays of a frame that no other frame shares: a write to a shared one would copy it first.

    Those inside of arrays of pandas' own kinds count always: whoever has such an array writes to it without a copy.
    """
    found = []
    for block in value._mgr.blocks:  # noqa: SLF001 - pandas tells it in no public way
        array = block.values
        if type(array) is not numpy.ndarray:
            parts: list[Any] = [getattr(array, part, None) for part in _PARTS]
            found += [part for part in parts if type(part) is numpy.ndarray and not part.dtype.hasobject]
        elif not array.dtype.hasobject and not block.refs.has_reference():
            found.append(array)
    return found


def _loose_cells(value: Any) -> list[object]:
    columns = [value] if value.ndim == 1 else [value.iloc[:, at] for at in range(value.shape[1])]
    loose = [
        c for column in columns if column.dtype == object for c in column.array if type(c) not in _ATOMS or _is_nan(c)
    ]
    return [loose] if loose else []


def shared_groups(walks: Mapping[str, Walk], *, indexes: bool = False) -> tuple[tuple[str, ...], ...]:
    """Returns the names in groups: two names are in one group when a change through one may be seen through the other.

    Args:
        walks: One walk for each name; the order of names is kept.
        indexes: Whether an index of pandas that two values hold counts; such values are stored each by itself.
    """
    leader = {name: name for name in walks}

    def find(name: str) -> str:
        while leader[name] != name:
            name = leader[name]
        return name

    owners: dict[int, str] = {}
    for name, walk in walks.items():
        for key in (*walk.objects, *walk.indexes) if indexes else walk.objects:
            leader[find(name)] = find(owners.setdefault(key, name))
    for name, walk in walks.items():
        for key in walk.columns.keys() & owners.keys():
            leader[find(name)] = find(owners[key])
    for cluster in memory_clusters(walks.items()):
        for _, name in cluster[1:]:
            leader[find(name)] = find(cluster[0][1])
    groups: dict[str, list[str]] = {}
    for name in walks:
        groups.setdefault(find(name), []).append(name)
    return tuple(tuple(group) for group in groups.values())


def sharing_signature(names: Sequence[str], walks: Mapping[str, Walk]) -> list[list[list[Any]]]:
    """Returns how the names share: for each shared object where each name meets it, in a canonical order."""
    places: dict[int, list[list[Any]]] = {}
    loose = {key for name in names for key in walks[name].objects}
    for name in names:
        for position, key in enumerate((*walks[name].objects, *(k for k in walks[name].columns if k in loose))):
            places.setdefault(key, []).append([name, position])
    shared = [found for found in places.values() if len(found) > 1]
    for cluster in memory_clusters((name, walks[name]) for name in names):
        start = min(extent(array)[0] for array, _ in cluster)
        shared.append([[name, extent(array)[0] - start, list(array.strides)] for array, name in cluster])
    return sorted(shared, key=repr)


def memory_clusters(walks: Iterable[tuple[str, Walk]]) -> list[list[tuple[np.ndarray[Any, Any], str]]]:
    """Returns the arrays whose memory overlaps, each with its name, in clusters of at least two different arrays.

    The memory of a frame counts where an array goes over it.
    """
    named = list(walks)
    loose = {id(array) for _, walk in named for array in walk.arrays}
    arrays = [(array, name) for name, walk in named for array in (*walk.arrays, *walk.blocks) if array.nbytes]
    spans = sorted(
        ((*extent(array), number, array, name) for number, (array, name) in enumerate(arrays)),
        key=lambda span: span[:3],
    )
    clusters: list[list[tuple[np.ndarray[Any, Any], str]]] = []
    reach = -1
    for low, high, _, array, name in spans:
        if low < reach:
            clusters[-1].append((array, name))
        else:
            clusters.append([(array, name)])
        reach = max(reach, high)
    found = []
    for cluster in clusters:
        members = {id(array) for array, _ in cluster}
        if len(members) > 1 and members & loose:
            found.append(cluster)
    return found


def borrowed_memory(walks: Mapping[str, Walk]) -> str:
    """Returns the name of a value with an array over the memory of another object, such as a bytearray, or ""."""
    met = {key for walk in walks.values() for key in walk.objects}
    for name, walk in walks.items():
        for array in walk.arrays:
            owner: Any = array
            while hasattr(owner, "base"):
                owner = owner.base
            owner = owner.obj if isinstance(owner, memoryview) else owner
            # Libraries that have arrays over memory of their own, such as a fitted tree, know how to pickle them.
            if isinstance(owner, bytearray | standard_array) and id(owner) in met:
                return name
    return ""


def extent(array: np.ndarray[Any, Any]) -> tuple[int, int]:
    """Returns the addresses of the first byte of the array's elements and of the one after the last."""
    low = high = int(array.__array_interface__["data"][0])
    for length, stride in zip(array.shape, array.strides, strict=True):
        if stride < 0:
            low += (length - 1) * stride
        else:
            high += (length - 1) * stride
    return low, high + array.itemsize
