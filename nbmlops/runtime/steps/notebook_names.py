"""The names of a step notebook whose step runs verbatim: values go in and come out of its global namespace."""

from __future__ import annotations

import builtins
import re
from collections.abc import Collection, Iterable, Mapping, MutableMapping
from types import FunctionType
from typing import Any

from nbmlops.core.errors import StepFailed
from nbmlops.core.unbound import UNBOUND

# Names that IPython keeps, and those that every module has.
_OF_THE_SESSION = re.compile(r"In|Out|get_ipython|exit|quit|open|_exit_code|_+|_i+|_[iod]h|_i?\d+|__\w+__|_nbmlops_\w+")


class NotebookNames:
    """What a namespace holds when the cells of a step begin.

    Args:
        namespace: The globals of the step notebook.
        values: Names of the pipeline's values among them.
        released: Those of which nothing but the namespace may hold the value; they count as bound by the cells.
    """

    def __init__(
        self, namespace: Mapping[str, Any], values: Collection[str], released: Collection[str] = frozenset()
    ) -> None:
        self._before = {name: value for name, value in namespace.items() if name not in released}
        self._values = frozenset(values)
        self._released = frozenset(released) & namespace.keys()

    def changed(self, namespace: Mapping[str, Any], code: Collection[str]) -> dict[str, Any]:
        """Returns the names that the cells have bound since, with their values; names that are gone are `UNBOUND`.

        Args:
            namespace: The globals of the step notebook.
            code: Names that the cells import or define: later steps have those by themselves.

        Raises:
            StepFailed: a name now stands for something else that later steps import. Analysis sees the names that
                texts of the notebook bind, and makes values of them; here are those that it cannot see.
        """
        known = self._before.keys() | self._released
        gone = [name for name in self._before if name not in namespace and name not in self._values]
        for name in gone:
            if not _OF_THE_SESSION.fullmatch(name):
                failure: StepFailed = _means_something_else(name, "unbinds it")
                raise failure
        found = {name: UNBOUND for name in self._values if name not in namespace and name in known}
        for name, value in namespace.items():
            if _OF_THE_SESSION.fullmatch(name) or (name in self._before and self._before[name] is value):
                continue
            if (name in self._before and name not in self._values) or (name in code and _is_from_text(value)):
                failure = _means_something_else(name, "binds it to something else")
                raise failure
            if name not in code:
                found[name] = value
        return found


def _means_something_else(name: str, what: str) -> StepFailed:
    return StepFailed(
        f"the name {name!r} was imported or defined above, and code that came as text {what}",
        f"let the notebook tell: write globals()[{name!r}] = … or {name} = … in the cell; or use another name",
    )


def _is_from_text(value: object) -> bool:
    """Returns whether it is a function or class that `exec` has made, which no cell defines."""
    functions = [value, *(vars(value).values() if isinstance(value, type) and value.__module__ == "__main__" else ())]
    return any(isinstance(item, FunctionType) and item.__code__.co_filename == "<string>" for item in functions)


def bound(namespace: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Returns the values of the names; of one that is not bound Python's own, or the mark that it is not."""
    return {name: namespace.get(name, getattr(builtins, name, UNBOUND)) for name in names}


def bind(namespace: MutableMapping[str, Any], values: Mapping[str, Any]) -> None:
    """Binds the names to their values, and unbinds those that are marked so."""
    for name, value in values.items():
        if value is UNBOUND:
            namespace.pop(name, None)
        else:
            namespace[name] = value
