from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from nbmlops.runtime.handover.carried import carried_code
from nbmlops.runtime.handover.sharing import Walk

SOURCE = """
import enum
import math

FACTOR = 2

class Model:
    def predict(self, x):
        return scale(x)

def scale(x):
    return x * FACTOR

def other(x):
    return math.floor(x)

class Colour(enum.Enum):
    RED = 1
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], ModuleType]]:
    """Writes `carried_package/helpers.py` and imports it anew."""
    folder = tmp_path / "carried_package"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def write(source: str) -> ModuleType:
        (folder / "helpers.py").write_text(source)
        forget()
        importlib.invalidate_caches()
        return importlib.import_module("carried_package.helpers")

    def forget() -> None:
        for name in [name for name in sys.modules if name.partition(".")[0] == "carried_package"]:
            del sys.modules[name]

    yield write
    forget()


def code_of(value: object) -> str:
    return carried_code(Walk(value).code.values(), "carried_package")


def test_what_a_value_reaches_by_its_class_counts_and_nothing_else(package: Callable[[str], ModuleType]) -> None:
    before = code_of([package(SOURCE).Model()])
    comment = SOURCE.replace("return scale(x)", "return scale(x)  # as before").replace("FACTOR = 2", "FACTOR  =  2")
    edits = {
        comment: True,
        SOURCE.replace("math.floor", "math.ceil"): True,
        SOURCE.replace("return scale(x)", "return -scale(x)"): False,
        SOURCE.replace("x * FACTOR", "x + FACTOR"): False,
        SOURCE.replace("FACTOR = 2", "FACTOR = 3"): False,
    }
    assert before
    assert {source: code_of([package(source).Model()]) == before for source in edits} == edits


def test_functions_classes_and_members_are_code_as_well(package: Callable[[str], ModuleType]) -> None:
    def codes(module: ModuleType) -> list[str]:
        return [code_of(value) for value in (module.other, {"f": module.scale}, module.Model, module.Colour.RED)]

    before = codes(package(SOURCE))
    edited = SOURCE.replace("floor", "ceil").replace("x * FACTOR", "x").replace("RED = 1", "RED = 1\n    BLUE = 2")
    assert all(before)
    assert not set(before) & set(codes(package(edited)))


def test_a_subclass_of_an_array_is_code_too(package: Callable[[str], ModuleType]) -> None:
    module = package("import numpy as np\n\nclass Grid(np.ndarray):\n    pass\n")
    assert code_of(np.eye(2).view(module.Grid))


def test_values_of_libraries_carry_no_code_of_the_package() -> None:
    assert [code_of(value) for value in (1, [len], np.eye(2), Path, {"a": {1}})] == [""] * 5
