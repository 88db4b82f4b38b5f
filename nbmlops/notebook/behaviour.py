"""Behaviour tests of a cell: the functions `test_...` of a cell tagged `test`, and the call that runs them. Pure.

The tag means one more line below the cell, the call. Compiler and kernel add the same one, so that the pipeline runs
what the notebook runs, where the notebook runs it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from msgspec import Struct

from nbmlops.core.syntax import parse

TAG = "test"
PREFIX = "test_"
_FUNCTION = "nbmlops.api.test"
_WIDTH = 88


class CellTests(Struct, frozen=True):
    """The tests of a cell.

    Attributes:
        names: Of the functions, in their order.
        values: Names of the notebook's values that they ask for, in their order.
        line: Where the first one begins.
    """

    names: tuple[str, ...]
    values: tuple[str, ...]
    line: int = 0

    @property
    def call(self) -> str:
        """The call that runs them, as Python."""
        return f"{_FUNCTION}({', '.join(self._arguments)})"

    @property
    def code(self) -> str:
        """The same as it stands in generated code: on one line, or on a line for each argument."""
        arguments = "".join(f"    {argument},\n" for argument in self._arguments)
        return self.call if len(self.call) <= _WIDTH else f"{_FUNCTION}(\n{arguments})"

    @property
    def _arguments(self) -> list[str]:
        return [*self.names, *(f"{name}={name}" for name in self.values)]

    @property
    def live_call(self) -> str:
        """The same for a kernel, in whose namespace `nbmlops` may mean nothing."""
        return f"__import__('nbmlops.api').{self.call.removeprefix('nbmlops.')}"


def cell_tests(python: str) -> CellTests:
    """Returns the tests that a cell defines at its top level; none where it is not Python.

    A test asks for a value by a parameter without a default, as in pytest.
    """
    try:
        body = parse(python).body
    except (SyntaxError, ValueError):
        return CellTests((), ())
    found = [
        node
        for node in body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith(PREFIX)
    ]
    values = (name for node in found for name in _asked(node.args))
    names = dict.fromkeys(node.name for node in found)
    return CellTests(tuple(names), tuple(dict.fromkeys(values)), min((node.lineno for node in found), default=0))


def missed_tests(python: str) -> tuple[str, ...]:
    """Returns the tests of a cell that its call does not run: replaced by one below, or inside of a block or class."""
    try:
        body = parse(python).body
    except (SyntaxError, ValueError):
        return ()
    defined = [node.name for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    replaced = (name for place, name in enumerate(defined) if name in defined[:place])
    found = (name for name in (*replaced, *_inside(body)) if name.startswith(PREFIX))
    return tuple(dict.fromkeys(found))


def _inside(body: Sequence[ast.AST]) -> Iterator[str]:
    """Yields the names of functions in blocks and classes; what a function holds is its own business."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for inner in ast.iter_child_nodes(node):
            if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
                yield inner.name
            elif isinstance(inner, ast.stmt | ast.ExceptHandler | ast.match_case):
                yield from _inside([inner])


def called_tests(call: str) -> tuple[str, ...]:
    """Returns the names of the functions and modules that a call of `nbmlops.api.test` runs; none of another call."""
    if not call.startswith(f"{_FUNCTION}("):
        return ()
    node = ast.parse(call, mode="eval").body
    assert isinstance(node, ast.Call)
    return tuple(
        ast.unparse(argument).rpartition(".")[2] for argument in node.args if not isinstance(argument, ast.Starred)
    )


def _asked(arguments: ast.arguments) -> list[str]:
    plain = [*arguments.posonlyargs, *arguments.args]
    needed = plain[: len(plain) - len(arguments.defaults)]
    named = [one for one, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if default is None]
    return [one.arg for one in (*needed, *named)]
