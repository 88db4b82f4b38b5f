from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from nbmlops.pipeline.ir import SourceLines, Step, StepMode
from nbmlops.runtime.handover.closures import SharedVariables

Load = Callable[..., ModuleType]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Makes a module of a package `tiny` that holds the function of one step."""
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)

    def make(name: str, code: str) -> ModuleType:
        (tmp_path / "tiny" / f"{name}.py").write_text(code)
        return __import__(f"tiny.{name}", fromlist=[name])

    yield make
    for name in [name for name in sys.modules if name.partition(".")[0] == "tiny"]:
        del sys.modules[name]


def step(name: str, *rebuilt: int) -> Step:
    """A step of cell 9; its lines that are given stand in cell 1."""
    lines = tuple(SourceLines(line, 1, 1, "c1", 1) for line in rebuilt)
    return Step(name, name, StepMode.FUNCTION, "", (9,), ("c9",), (), (), (), (), (), (name,), "", "", lines)


def learned(module: ModuleType, name: str, *arguments: Any) -> tuple[SharedVariables, Any]:
    shared = SharedVariables()
    result = getattr(module, name)(*arguments)
    shared.learn(getattr(module, name))
    return shared, result


def test_variables_of_live_functions_and_generators_are_found_and_others_are_not(load: Load) -> None:
    made = """
def a(k):
    unused = 5
    dead = [lambda: unused]
    def outer():
        n = 3
        return lambda: (k, n, m)
    m = 7
    dead.clear()
    return [outer()], (k + i for i in range(2)), outer
"""
    shared, (table, generator, outer) = learned(load("a", made), "a", 2)
    assert dict(shared.values()) == {"k": 2, "m": 7}
    assert shared.definitions == {"outer": outer}
    assert (table[0](), list(generator)) == ((2, 3, 7), [2, 3])


def test_nothing_is_shared_when_nothing_lives_on(load: Load) -> None:
    shared, _ = learned(load("a", "def a(k):\n    f = lambda: k\n    return f()\n"), "a", 1)
    assert dict(shared.values()) == {}


def test_a_later_function_binds_the_variable_that_a_live_lambda_reads(load: Load) -> None:
    shared, table = learned(load("a", "def a():\n    k = 2\n    return [lambda x: x * k]\n"), "a")
    code = '''
def b(table, k, *, step=1) -> int:
    """Docs."""
    first = table[0](1), k
    k: int = 10
    k: "later"
    for k in [k, k + step]:
        pass
    def inner():
        nonlocal k
        k += 1
        return k
    return first, table[0](1), inner(), k
'''
    module = load("b", code)
    shared.rebind(step("b"), module)
    assert module.b(table, 5, step=2) == ((5, 5), 12, 13, 13)
    assert (dict(shared.values()), table[0](1)) == ({"k": 13}, 13)
    assert (module.b.__name__, module.b.__doc__) == ("b", "Docs.")


def test_a_live_function_binds_a_variable_that_a_later_step_reads(load: Load) -> None:
    made = "def a():\n    n = 0\n    def bump():\n        nonlocal n\n        n += 1\n    return {'bump': bump}\n"
    shared, table = learned(load("a", made), "a")
    module = load("b", "def b(table, n):\n    table['bump']()\n    return n\n")
    shared.rebind(step("b"), module)
    assert module.b(table, 0) == 1


DEFINES = """
def {name}({arguments}):
    class Box:
        def limit(self):
            return LIMIT
    {body}
"""


def test_a_class_that_is_alive_is_not_made_anew(load: Load) -> None:
    first = DEFINES.format(name="a", arguments="LIMIT", body="return Box()")
    shared, box = learned(load("a", first), "a", 3)
    second = DEFINES.format(name="b", arguments="LIMIT, box", body="return isinstance(box, Box), Box().limit()")
    own, rebuilt = load("b", second), load("c", second.replace("def b", "def c"))
    shared.rebind(step("b"), own)
    assert own.b(4, box) == (False, 4), "a class of that name in a cell of the step is another one"
    shared.rebind(step("c", 3), rebuilt)
    assert rebuilt.c(5, box) == (True, 5)
    assert box.limit() == 5


def test_a_decorated_function_is_kept_if_what_became_of_it_is_known(load: Load) -> None:
    code = """
import functools
def twice(f):
    @functools.wraps(f)
    def inner():
        return 2 * f()
    return inner
def raw(f):
    return [f]
def a():
    @twice
    def shown():
        return 1
    @raw
    def listed():
        return 1
    return shown, listed
"""
    shared, (shown, listed) = learned(load("a", code), "a")
    second = code.replace("def a():", "def b(first, second):")
    module = load("b", second.replace("return shown, listed", "return first is shown, listed"))
    shared.rebind(step("b", 12, 15), module)
    same, others = module.b(shown, listed)
    assert same
    assert others is not listed
    assert others[0]() == 1


def test_a_function_without_common_variables_stays_as_it_is(load: Load) -> None:
    shared, _table = learned(load("a", "def a():\n    k = 2\n    return [lambda x: x * k]\n"), "a")
    module = load("b", "def b(x):\n    return x\n")
    before = module.b
    shared.rebind(step("b"), module)
    assert module.b is before


def test_errors_point_to_the_lines_of_the_module(load: Load) -> None:
    shared, table = learned(load("a", "def a():\n    k = 2\n    return [lambda x: x * k]\n"), "a")
    module = load("b", "\n\ndef b(table):\n    k = 0\n    return 1 / k\n")
    shared.rebind(step("b"), module)
    with pytest.raises(ZeroDivisionError) as caught:
        module.b(table)
    assert [(Path(str(e.path)).name, e.lineno + 1) for e in caught.traceback][-1] == ("b.py", 5)
    assert ast.parse(Path(str(module.__file__)).read_text())
