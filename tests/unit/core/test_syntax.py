"""Trees are parsed and walked once, and the walk meets what `ast.walk` meets, in its order."""

from __future__ import annotations

import ast
import warnings
from pathlib import Path

import pytest

import nbmlops
from nbmlops.core.syntax import children, find, kinds, parse, walk

_LEFT_OUT = (ast.expr_context, ast.boolop, ast.operator, ast.unaryop, ast.cmpop)
_RARE = """
async def f(a, /, b: int = 1, *c, d=2, **e) -> None:
    global g
    async with a as b, c: await b
    async for x in [y async for y in z if y]: yield x
    return lambda q: (w := q)
match a:
    case {"k": [1, *rest], **others} | C(x, y=None) as whole if not -a < b <= c and d: pass
    case _: del a[1:2, ...], b.c
try:
    x += f"{a!r:>{width}} {b}"
except* (A, B) as error:
    raise error from None
"""


def _texts() -> list[str]:
    return [
        _RARE,
        "",
        *(path.read_text("utf-8") for path in sorted(Path(nbmlops.__file__).parent.glob("analysis/*.py"))),
    ]


def _kept(nodes: object) -> list[ast.AST]:
    assert hasattr(nodes, "__iter__")
    return [node for node in nodes if not isinstance(node, _LEFT_OUT)]


@pytest.mark.parametrize("text", _texts())
def test_the_walk_is_that_of_the_standard_library(text: str) -> None:
    tree = parse(text)
    for node in ast.walk(tree):
        assert list(children(node)) == _kept(ast.iter_child_nodes(node))
    assert list(walk(tree)) == _kept(ast.walk(tree))
    assert list(walk(tree)) == _kept(ast.walk(tree))  # what was found the first time
    assert kinds(tree) == {type(node) for node in walk(tree)}
    for kind in kinds(tree):
        assert list(find(tree, kind)) == [node for node in walk(tree) if type(node) is kind]
    assert list(find(tree, ast.Interactive)) == []


def test_a_text_has_one_tree() -> None:
    assert parse("x = 1") is parse("x = 1")
    assert parse("x = 1", 2) is parse("x = 1", 2)
    assert parse("x = 1", 2) is not parse("x = 1", 3), "the analysis tells places apart by their nodes"


def test_strange_escapes_are_the_users_affair() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ast.unparse(parse(r"path = 'C:\d'")) == r"path = 'C:\\d'"


@pytest.mark.parametrize(("text", "error"), [("x =", SyntaxError), ("x\0", (SyntaxError, ValueError))])
def test_what_is_no_python_is_told_every_time(text: str, error: type[Exception]) -> None:
    for _ in range(2):
        with pytest.raises(error):
            parse(text)
