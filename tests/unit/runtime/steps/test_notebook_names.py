from __future__ import annotations

import math

import pytest

from nbmlops.core.errors import StepFailed
from nbmlops.core.unbound import UNBOUND
from nbmlops.runtime.steps.notebook_names import NotebookNames, bind, bound


def test_what_cells_bind_change_and_unbind_is_found() -> None:
    items = [1]
    namespace = {"x": 1, "y": 2, "items": items, "math": math, "In": [], "_i": "", "__name__": "__main__"}
    names = NotebookNames(namespace, {"x", "y", "items", "later"})
    items.append(2)  # found by its fingerprint, not here
    namespace |= {"x": 3, "new": 4, "f": len, "_private": 5, "_": 6, "_7": 7, "_i7": "", "In": [1], "Out": {}}
    namespace |= {"_nbmlops_step": object(), "__doc__": ""}
    del namespace["y"]
    assert names.changed(namespace, ["f"]) == {"y": UNBOUND, "x": 3, "new": 4, "_private": 5}


def test_what_later_steps_import_may_not_become_something_else() -> None:
    namespace: dict[str, object] = {"math": math}
    names = NotebookNames(namespace, ())
    namespace["math"] = None
    with pytest.raises(StepFailed, match="'math' was imported or defined above"):
        names.changed(namespace, ())
    del namespace["math"]
    with pytest.raises(StepFailed, match="code that came as text unbinds it"):
        names.changed(namespace, ())


def test_names_without_a_value_are_marked_unless_python_has_them() -> None:
    assert bound({"x": 1, "max": 2}, ["x", "y", "max", "min"]) == {"x": 1, "y": UNBOUND, "max": 2, "min": min}


def test_marked_names_are_unbound() -> None:
    namespace: dict[str, object] = {"x": 1, "y": 2}
    bind(namespace, {"x": UNBOUND, "z": 3, "none": UNBOUND})
    assert namespace == {"y": 2, "z": 3}
