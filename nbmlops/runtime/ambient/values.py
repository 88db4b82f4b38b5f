"""The value of one setting <-> text: plain where it can be, else a pickle; functions that stand alone by their code.

`pd.set_option("display.float_format", lambda x: f"{x:.2f}")` stands in many notebooks. Such a lambda uses nothing but
its arguments, builtins and modules, so that its code says everything; one that uses a variable is not storable, since
the variable may change later.
"""

from __future__ import annotations

import base64
import builtins
import dis
import io
import marshal
import pickle
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from importlib import import_module
from types import CodeType, FunctionType, ModuleType
from typing import Any

from blake3 import blake3

from nbmlops.data.fingerprints.fingerprint import CannotFingerprint, fingerprint
from nbmlops.runtime.handover import plain_text
from nbmlops.runtime.handover.carried import carried_code
from nbmlops.runtime.handover.sharing import CannotStore, Walk

_GLOBAL = frozenset({"LOAD_GLOBAL", "LOAD_NAME", "STORE_GLOBAL", "STORE_NAME", "DELETE_GLOBAL"})


class Form(StrEnum):
    """How the value of a setting is written."""

    PLAIN = "plain"
    PICKLE = "pickle"
    ABSENT = "absent"
    UNSTORABLE = "unstorable"


@dataclass(frozen=True, slots=True)
class Item:
    """The value of a setting at one moment.

    Attributes:
        form: How it is written.
        body: The text, or why there is none.
        identity: What tells it from other values.
        held: A value that cannot be stored, kept so that it is known again.
    """

    form: Form
    body: str = ""
    identity: str = ""
    held: object = field(default=None, compare=False, repr=False)


ABSENT = Item(Form.ABSENT)
"""Stands for a setting that is not there: a variable that was deleted, say."""


def item_of(value: object, package: str) -> Item:
    """Returns the value as an item; one that cannot be stored is an item too, equal only to itself.

    Args:
        value: The value.
        package: The generated package, whose functions it may hold.
    """
    try:
        text = plain_text.to_text(value)
    except plain_text.NotPlain:
        return _pickled(value, package)
    return Item(Form.PLAIN, text, text)


def value_of(item: Item) -> Any:
    """Returns the value of an item that was stored, or that lives in this process."""
    if item.form is Form.UNSTORABLE:
        return item.held
    if item.form is Form.PLAIN:
        return plain_text.from_text(item.body)
    return pickle.loads(base64.b64decode(item.body))  # noqa: S301 - ours: the digest of the bytes was checked


def _pickled(value: object, package: str) -> Item:
    stream = io.BytesIO()
    pickler = _Pickler(stream)
    try:
        pickler.dump(value)
    except Exception as error:  # noqa: BLE001 - pickling runs code of any library; all of it means the same
        reason = str(error) or type(error).__name__
        return Item(Form.UNSTORABLE, reason, f"{type(value).__qualname__} {id(value)}", value)
    data = stream.getvalue()
    try:
        identity = fingerprint(value)
    except CannotFingerprint:
        identity = blake3(data).hexdigest()
    code = carried_code(_referred(value), package)
    return Item(Form.PICKLE, base64.b64encode(data).decode(), f"{type(value).__qualname__} {identity} {code}".rstrip())


def _referred(value: object) -> Iterator[object]:
    """Yields the functions and classes that a value refers to by their names."""
    try:
        yield from Walk(value).code.values()
    except CannotStore:  # a function that travels with its code
        return


class _Pickler(pickle.Pickler):
    """Pickles functions that cannot be imported by their code, if that is all there is to them."""

    def __init__(self, stream: io.BytesIO) -> None:
        super().__init__(stream, protocol=5)

    def reducer_override(self, obj: Any) -> Any:
        if not isinstance(obj, FunctionType):
            return NotImplemented
        if _importable(obj):
            return NotImplemented
        modules = _surroundings(obj)
        code = obj.__code__.replace(co_filename="<setting>", co_firstlineno=1)
        # Version 2 of marshal writes no references, so that equal code gives equal bytes.
        parts = (marshal.dumps(code, 2), modules, obj.__name__, obj.__defaults__, obj.__kwdefaults__)
        return _function, parts


def _importable(function: FunctionType) -> bool:
    if function.__module__ == "__main__":
        return False  # of another step's notebook
    found: Any = sys.modules.get(function.__module__)
    for name in function.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is function


def _surroundings(function: FunctionType) -> dict[str, str]:
    """Returns the modules that a function refers to: the name it uses -> the module's name.

    Raises:
        PicklingError: it refers to anything else, which may change.
    """
    name = function.__qualname__.rpartition(".")[2]
    if function.__closure__ or function.__dict__:
        raise pickle.PicklingError(f"the function {name!r} uses variables of the code around it")
    modules = {}
    for used in sorted(set(_global_names(function.__code__))):
        value = function.__globals__.get(used, vars(builtins).get(used))
        if isinstance(value, ModuleType):
            modules[used] = value.__name__
        elif used in function.__globals__ or used not in vars(builtins):
            raise pickle.PicklingError(f"the function {name!r} uses the variable {used!r}")
    return modules


def _global_names(code: CodeType) -> Iterator[str]:
    yield from (str(found.argval) for found in dis.get_instructions(code) if found.opname in _GLOBAL)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _global_names(constant)


def _function(
    code: bytes, modules: dict[str, str], name: str, defaults: tuple[Any, ...] | None, named: dict[str, Any] | None
) -> FunctionType:
    surroundings: dict[str, Any] = {local: import_module(module) for local, module in modules.items()}
    surroundings["__builtins__"] = builtins
    made = FunctionType(marshal.loads(code), surroundings, name, defaults)  # noqa: S302 - as above
    made.__kwdefaults__ = named
    return made
