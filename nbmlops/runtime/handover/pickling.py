"""Pickle 5 as our own store uses it: arrays that share memory stay views of one buffer, sets keep their order.

Only bytes whose digest was checked come here; see `nbmlops.runtime.store.store`.
"""

from __future__ import annotations

import ctypes
import math
import pickle
import struct
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, BinaryIO, SupportsIndex

from nbmlops.data.fingerprints.objects import global_generator
from nbmlops.runtime.handover.set_order import SetPlan, build_set, plan_set
from nbmlops.runtime.handover.sharing import (
    CannotStore,
    Walk,
    extent,
    has_gaps,
    is_custom_error,
    is_forgetful,
    is_importable,
    is_plain,
    known_nan,
    memory_clusters,
)

if TYPE_CHECKING:
    import numpy as np


TakeIndex = Callable[[str, Callable[[], Any]], Any]
"""Returns the pandas index that a token stands for, or the one that is made."""


class Parts(list[memoryview]):
    """The parts of a pickle, and what keeps the memory that they are views of."""

    keeper: object = None


def dumps(value: object, walks: Iterable[Walk], indexes: Mapping[int, str] | None = None) -> Parts:
    """Returns the pickle of the value, in parts; arrays and long texts in it are not copied.

    Args:
        value: What to pickle.
        walks: The walks over everything in it.
        indexes: Token of each pandas index that other values may hold, too, by identity.

    Raises:
        CannotStore: something in it cannot be pickled, or a set cannot be rebuilt in its order of iteration.
    """
    walks = tuple(walks)
    clusters = memory_clusters(("", walk) for walk in walks)
    stream = _Stream()
    marked = any(
        w.has_sets or w.has_nan or w.has_gaps or w.has_modules or w.custom_errors or w.forgetful for w in walks
    )
    marked = marked or (len(walks) > 1 and any(walk.own_nan for walk in walks))
    plain = not clusters and not marked
    if not plain:
        pickler: pickle.Pickler = _Pickler(stream, clusters, indexes or {})
    else:
        pickler = _IndexPickler(stream, indexes) if indexes else pickle.Pickler(stream, protocol=5)
    try:
        pickler.dump(value)
    except CannotStore:
        raise
    except Exception as error:  # pickling runs code of any library; all of it means the same
        raise CannotStore(str(error) or type(error).__name__) from error
    parts, stream.parts = stream.parts, Parts()  # the pickler has the stream: no circle keeps the value alive
    parts.keeper = pickler  # its memo has all objects that were pickled
    return parts


def load(file: BinaryIO, take: TakeIndex | None = None) -> Any:
    """Returns the value of a pickle that `dumps` made; the caller has checked the digest of the bytes.

    Args:
        file: The pickle.
        take: Tells which indexes are alive already; None if none is.
    """
    return _Unpickler(file, take).load()


class _Stream:
    """A file that keeps what is written to it, in parts."""

    def __init__(self) -> None:
        self.parts = Parts()

    def write(self, part: Any) -> int:
        """Keeps a view of the part's memory."""
        self.parts.append(part.raw() if isinstance(part, pickle.PickleBuffer) else memoryview(part))
        return self.parts[-1].nbytes


class _SetBox:
    """A set on its way: the plan to rebuild it by, and the set once it was built, so that it is the same each time."""

    __slots__ = ("frozen", "made", "plan")

    def __init__(self, items: list[Any], stand_ins: tuple[int, ...], size: int, frozen: bool) -> None:
        self.plan = SetPlan(tuple(items), stand_ins, size)
        self.frozen = frozen
        self.made: Any = None

    def __reduce__(self) -> tuple[Any, ...]:
        return _SetBox, (list(self.plan.items), self.plan.stand_ins, self.plan.size, self.frozen)

    def build(self) -> Any:
        """Returns the set, always the same one."""
        if self.made is None:
            self.made = build_set(self.plan, frozen=self.frozen)
        return self.made


class _Nan:
    """The NaN object of a module, which is the same object after loading, or another one, by its bits."""

    __slots__ = ("bits", "made", "module")

    def __init__(self, module: str, bits: bytes = b"") -> None:
        self.module, self.bits = module, bits
        self.made: float | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return _Nan, (self.module, self.bits)

    def build(self) -> float:
        """Returns the very object of the module; of another one always the same."""
        if self.made is None:
            self.made = import_module(self.module).nan if self.module else struct.unpack("<d", self.bits)[0]
        return self.made


def _boxed(value: Any) -> _SetBox:
    plan = plan_set(value)
    if plan is None:
        raise CannotStore("it holds a set whose order of iteration cannot be kept; use a list, or sorted(…)")
    return _SetBox(list(plan.items), plan.stand_ins, plan.size, isinstance(value, frozenset))


class _IndexPickler(pickle.Pickler):
    """Writes the tokens of indexes; asked for objects of classes only, so that texts and numbers cost nothing."""

    def __init__(self, stream: _Stream, indexes: Mapping[int, str]) -> None:
        super().__init__(stream, protocol=5)
        self._tokens = indexes

    def reducer_override(self, obj: Any) -> Any:
        token = self._tokens.get(id(obj))
        if token is None:
            return NotImplemented
        make, arguments, *_ = obj.__reduce_ex__(5)
        return _index, (token, make, arguments)


class _Pickler(_IndexPickler):
    def __init__(
        self,
        stream: _Stream,
        clusters: Sequence[Sequence[tuple[np.ndarray[Any, Any], str]]],
        indexes: Mapping[int, str],
    ) -> None:
        super().__init__(stream, indexes)
        self._numpy, self._pandas = sys.modules.get("numpy"), sys.modules.get("pandas")
        self._boxes: dict[int, tuple[Any, _SetBox]] = {}
        self._nans: dict[int, tuple[float, _Nan]] = {}
        self._views: dict[int, tuple[Any, tuple[Any, ...]]] = {}
        for cluster in clusters:
            arrays = [array for array, _ in cluster]
            memory = _Memory(arrays)
            for array in arrays:
                offset = int(array.__array_interface__["data"][0]) - memory.low
                layout = (array.dtype, array.shape, array.strides, offset)
                place = (memory, layout, array.flags.writeable, _kind(array))
                self._views[id(array)] = (array, place)

    def persistent_id(self, obj: Any) -> _SetBox | _Nan | None:
        if type(obj) is float:
            return self._nan(obj) if math.isnan(obj) else None
        if type(obj) is not set and type(obj) is not frozenset:
            return None
        if id(obj) not in self._boxes:
            self._boxes[id(obj)] = (obj, _boxed(obj))
        return self._boxes[id(obj)][1]

    def _nan(self, obj: float) -> _Nan:
        if module := known_nan(obj):
            return _Nan(module)
        if id(obj) not in self._nans:
            self._nans[id(obj)] = (obj, _Nan("", struct.pack("<d", obj)))
        return self._nans[id(obj)][1]

    def reducer_override(self, obj: Any) -> Any:
        if is_custom_error(obj):
            return _error, (type(obj), obj.args), obj.__dict__ or None
        if is_forgetful(obj):
            return type(obj).__new__, (type(obj),), vars(obj), None, iter(obj.items()), _set_attributes
        if is_importable(obj):
            return import_module, (obj.__name__,)
        if generator := global_generator(obj):
            return _attribute, generator
        if id(obj) in self._tokens:
            return super().reducer_override(obj)
        found = self._views.get(id(obj))
        return (_view, found[1]) if found else self._reduced_data(obj)

    def _reduced_data(self, obj: Any) -> Any:
        if self._numpy is not None and type(obj) is self._numpy.ndarray and has_gaps(obj):
            return _spread, (self._numpy.ascontiguousarray(obj), obj.strides, obj.flags.writeable)
        if self._pandas is not None and isinstance(obj, self._pandas.DataFrame | self._pandas.Series):
            return _reduced_frame(obj)
        return NotImplemented


class _Unpickler(pickle.Unpickler):  # noqa: S301 - the bytes are ours: their digest was checked
    def __init__(self, file: BinaryIO, take: TakeIndex | None) -> None:
        super().__init__(file)
        self._take = take

    def find_class(self, module: str, name: str) -> Any:
        found = super().find_class(module, name)
        return partial(_index, take=self._take) if found is _index else found

    def persistent_load(self, pid: Any) -> Any:
        return pid.build()


class _Memory:
    """The memory of arrays that share it: pickled from where it lies, a `bytearray` when loaded."""

    __slots__ = ("_arrays", "low", "view")

    def __init__(self, arrays: Sequence[np.ndarray[Any, Any]]) -> None:
        spans = [extent(array) for array in arrays]
        self.low, high = min(low for low, _ in spans), max(high for _, high in spans)
        self._arrays = arrays  # every byte lies in the extent of one of them: they overlap without gaps
        self.view = (ctypes.c_ubyte * (high - self.low)).from_address(self.low)

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        return _same, (pickle.PickleBuffer(self.view),)


def _same(data: bytearray) -> bytearray:
    return data


def _index(token: str, make: Callable[..., Any], arguments: tuple[Any, ...], take: TakeIndex | None = None) -> Any:
    """Returns the index that is alive for the token, or this one."""
    return take(token, lambda: make(*arguments)) if take else make(*arguments)


def _attribute(module: str, name: str) -> Any:
    return getattr(import_module(module), name)


def _kind(array: np.ndarray[Any, Any]) -> type:
    """Returns the class of an array that is nothing but its memory.

    Raises:
        CannotStore: the array has more to it, such as a mask.
    """
    import numpy as np

    kind = type(array)
    if kind not in {np.ndarray, np.memmap, np.recarray, np.matrix}:
        raise CannotStore(f"it is a {kind.__name__} over the memory of another array; make a copy of one of them")
    return kind


def _error(kind: type[BaseException], arguments: tuple[Any, ...]) -> BaseException:
    """Returns the exception with these arguments, its own `__init__` not called: that takes others."""
    made = kind.__new__(kind, *arguments)
    made.args = arguments
    return made


def _set_attributes(value: Any, attributes: dict[str, Any]) -> None:
    value.__dict__.update(attributes)  # `__setstate__` would drop them, and setting them one by one makes items


def _view(data: bytearray, layout: tuple[Any, ...], writeable: bool, kind: Any) -> Any:
    import numpy as np

    dtype, shape, strides, offset = layout
    array = np.ndarray(shape, dtype, buffer=data, offset=offset, strides=strides).view(kind)
    array.flags.writeable = writeable
    return array


def _spread(data: np.ndarray[Any, Any], strides: tuple[int, ...], writeable: bool) -> Any:
    """Returns an array with these elements that lie in memory as they did, with gaps between them."""
    import numpy as np

    last = [(length - 1) * stride for length, stride in zip(data.shape, strides, strict=True)]
    low = sum(offset for offset in last if offset < 0)
    size = sum(abs(offset) for offset in last) + data.itemsize
    array = np.ndarray(data.shape, data.dtype, np.zeros(size, np.uint8).data, -low, strides)
    array[...] = data
    array.flags.writeable = writeable
    return array


def _reduced_frame(frame: Any) -> Any:
    """Returns what pickle needs for a frame with gaps in its arrays, which pandas would close."""
    blocks = [block.values for block in frame._mgr.blocks]  # noqa: SLF001 - pandas tells it in no public way
    strides = [values.strides if is_plain(values) and has_gaps(values) else None for values in blocks]
    if not any(strides):
        return NotImplemented
    make, arguments, state, *_ = frame.__reduce_ex__(5)
    return make, arguments, (state, strides), None, None, _set_frame


def _set_frame(frame: Any, given: tuple[Any, list[tuple[int, ...] | None]]) -> None:
    state, strides = given
    frame.__setstate__(state)
    for block, wanted in zip(frame._mgr.blocks, strides, strict=True):  # noqa: SLF001 - as above
        if wanted is not None:
            block.values = _spread(block.values, wanted, block.values.flags.writeable)
