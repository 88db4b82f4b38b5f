"""The shape of the code that no tool checks for us: sizes, frozen records, light imports."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import subprocess
import sys
import typing
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles

import pytest
from msgspec import Struct

import nbmlops

PACKAGE = Path(nbmlops.__file__).parent
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "_templates" not in path.parts)


def code_lines(path: Path) -> int:
    return sum(1 for line in path.read_text().splitlines() if line.strip() and not line.lstrip().startswith("#"))


def functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body
            has_docstring = isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
            start = body[1].lineno if has_docstring and len(body) > 1 else body[0].lineno
            yield f"{path.relative_to(PACKAGE)}:{node.name}", (node.end_lineno or start) - start + 1


def test_no_module_is_longer_than_400_lines() -> None:
    assert {str(path.relative_to(PACKAGE)): n for path in MODULES if (n := code_lines(path)) > 400} == {}


def test_modules_are_small_in_the_median_and_at_the_90th_percentile() -> None:
    sizes = [n for path in MODULES if (n := code_lines(path)) > 5]
    assert median(sizes) <= 130
    assert quantiles(sizes, n=10)[-1] <= 300


def test_no_function_body_is_longer_than_60_lines() -> None:
    assert {name: n for path in MODULES for name, n in functions(path) if n > 60} == {}


def test_no_catch_all_module_names() -> None:
    banned = {"utils", "util", "common", "helpers", "misc", "manager"}
    assert [str(path) for path in MODULES if path.stem in banned or banned & set(path.parts)] == []


def test_records_are_structs() -> None:
    told = {path.relative_to(PACKAGE).as_posix() for path in MODULES if "\n@dataclass" in path.read_text()}
    assert told == {"runtime/ambient/values.py"}  # a field of it takes no part in comparing (ADR 26)


def frozen_records() -> Iterator[type]:
    importlib.import_module("papermill")  # it loads our engine, by the entry point, before it is imported itself
    for info in pkgutil.walk_packages([str(PACKAGE)], "nbmlops."):
        if info.name == "nbmlops.__main__":
            continue
        module = importlib.import_module(info.name)
        for value in vars(module).values():
            is_record = isinstance(value, type) and issubclass(value, Struct) and value.__module__ == info.name
            if is_record and value.__struct_config__.frozen:
                yield value


def test_no_frozen_record_has_a_field_of_a_mutable_type() -> None:
    mutable = (list, dict, set, bytearray)
    found = [
        f"{record.__module__}.{record.__name__}.{field}"
        for record in frozen_records()
        for field, hint in typing.get_type_hints(record).items()
        if hint in mutable or typing.get_origin(hint) in mutable
    ]
    assert found == []


@pytest.mark.parametrize("statement", ["import nbmlops", "import nbmlops.ipython.extension", "import nbmlops.cli.main"])
def test_faces_load_no_heavy_library(statement: str) -> None:
    heavy = [
        "mlflow",
        "pandas",
        "numpy",
        "sklearn",
        "papermill",
        "nbformat",
        "pydantic",
        "pandera",
        "matplotlib",
        "rich",
    ]
    program = f"{statement}\nimport sys\nprint([name for name in {heavy!r} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_the_python_api_has_at_most_ten_names() -> None:
    names = [name for name in nbmlops.__all__ if not name.startswith("_") and name != "load_ipython_extension"]
    assert len(names) <= 10
    assert all(getattr(nbmlops, name).__doc__ for name in names)
