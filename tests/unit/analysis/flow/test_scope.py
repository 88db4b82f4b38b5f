"""Scopes compared with Python's own symbol tables, over modules of the standard library."""

from __future__ import annotations

import ast
import symtable
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbmlops.analysis.flow.scope import Frame, FrameKind, argument_names, collect_names

LIBRARY = Path(ast.__file__).parent
MODULES = [
    "argparse",
    "ast",
    "collections/__init__",
    "contextlib",
    "dataclasses",
    "enum",
    "functools",
    "inspect",
    "typing",
]
COMPREHENSIONS = {"listcomp", "setcomp", "dictcomp", "genexpr"}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


Scope = tuple[int, str, frozenset[str], frozenset[str]]


def tables(table: symtable.SymbolTable) -> Iterator[symtable.Function]:
    for child in table.get_children():
        if isinstance(child, symtable.Function) and child.get_name() not in COMPREHENSIONS:
            yield child
        yield from tables(child)


def from_symtable(source: str, ignored: set[str]) -> set[Scope]:
    return {
        (
            table.get_lineno(),
            table.get_name(),
            frozenset(name for name in table.get_locals() if not name.startswith(".")) - ignored,
            frozenset(symbol.get_name() for symbol in table.get_symbols() if symbol.is_declared_global()),
        )
        for table in tables(symtable.symtable(source, "<module>", "exec"))
    }


def from_scope(source: str, ignored: set[str]) -> set[Scope]:
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, FUNCTIONS):
            names = collect_names([node.body] if isinstance(node, ast.Lambda) else node.body)
            local = names.locals() | set(argument_names(node.args))
            name = "lambda" if isinstance(node, ast.Lambda) else node.name
            found.add((node.lineno, name, frozenset(local - ignored), frozenset(names.globals)))
    return found


def comprehension_targets(source: str) -> set[str]:
    """Returns the names that comprehensions bind, which Python counts to the function around from 3.12 on."""
    generators = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.comprehension)]
    return {name.id for node in generators for name in ast.walk(node.target) if isinstance(name, ast.Name)}


@pytest.mark.parametrize("module", MODULES)
def test_locals_and_globals_of_functions(module):
    source = (LIBRARY / f"{module}.py").read_text(encoding="utf-8")
    ignored = comprehension_targets(source) if sys.version_info >= (3, 12) else set()
    assert from_scope(source, ignored) == from_symtable(source, ignored)


SOURCE = """\
(a := 1)
b, (c, *d) = 1, (2, 3)
for e in range(3): pass
with open('x') as f, open('y') as (g, h): pass
import i.j, k.l as m
from n import o as p, q
def r(not_this, nor=(s := 1)): nor_that = 1
class t(u := object): and_not_this = 1
[v for v in [(w := 2)] if (x := v)]
try: pass
except ValueError as y: pass
match z:
    case {'k': aa, **ab} | [aa, *ab] | (aa as ab): pass
ac: int
ad += 1
del ae
lambda af=(ag := 1): (ah := af)
"""


def test_every_way_to_bind_a_name():
    names = " ".join(sorted(collect_names(ast.parse(SOURCE).body).bound))
    assert names == "a aa ab ac ad ae ag b c d e f g h i m p q r s t u w x y"


def test_without_a_walrus_expressions_are_passed_over():
    tree = ast.parse("a, [b, *c] = d = f(lambda e: [g for g in h])\nx.y = z[0] = 1").body
    assert list(collect_names(tree, walrus=False).bound) == ["a", "b", "c", "d"]


def test_class_names_are_seen_in_the_class_only():
    module = Frame(FrameKind.MODULE)
    outer = Frame(FrameKind.FUNCTION, 1, module, {"x"})
    cls = Frame(FrameKind.CLASS, 2, outer, {"y"})
    method = Frame(FrameKind.FUNCTION, 3, cls, {"z"}, {"w"})
    assert [cls.resolve(name) for name in "xyz"] == [(1, "x"), (2, "y"), "z"]
    assert [method.resolve(name) for name in "xyzw"] == [(1, "x"), "y", (3, "z"), "w"]
    assert (outer.in_function(), cls.in_function(), module.in_function()) == (True, True, False)


def test_a_walrus_in_comprehensions_binds_around_them():
    function = Frame(FrameKind.FUNCTION, 1, Frame(FrameKind.MODULE))
    inner = Frame(FrameKind.COMPREHENSION, 3, Frame(FrameKind.COMPREHENSION, 2, function))
    assert inner.holder() is function
