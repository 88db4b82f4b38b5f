"""The notebook's own functions, and what calling each of them does, the functions that it calls included.

Comes in: the top-level statements of all cells. Goes out: `Callables` with a summary for every function and method,
computed until nothing changes any more, so that recursion and any order of definition are covered.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from msgspec import Struct

from nbmlops.analysis.flow.expressions import Names
from nbmlops.analysis.flow.flow import FlowWalker
from nbmlops.analysis.flow.idioms import class_made_by_call
from nbmlops.analysis.flow.objects import Heap
from nbmlops.analysis.flow.record import Callables, Summary
from nbmlops.analysis.flow.scope import FunctionNode

_MOST_SPANS = 64
_BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.Try, ast.TryStar, ast.With, ast.AsyncWith, ast.Match)


class NamedFunction(Struct, frozen=True):
    """A function with the name that it is called by (".name" for a method) and the class it belongs to."""

    name: str
    node: FunctionNode
    owners: tuple[str, ...] = ()


def summarize_functions(statements: Iterable[ast.stmt], names: Names, heap: Heap) -> Callables:
    """Returns the notebook's functions, methods and named lambdas with what calling them does."""
    callables = Callables()
    found = list(_find(statements, callables))
    for function in found:
        _store(callables, function, Summary())
        callables.nodes.add(function.node)
    walker = FlowWalker(names, callables, heap)
    waiting = found
    while waiting:
        changed = {function.name for function in waiting if _summarize(walker, function)}
        waiting = [
            function for function in found if not changed.isdisjoint(callables.records[function.node].dependencies)
        ]
    return callables


def callables_by_time(statements: Sequence[ast.stmt], names: Names, heap: Heap) -> Mapping[ast.stmt, Callables]:
    """Returns what the functions do that exist when a statement runs, for the first statement of each span of time.

    A span ends where a function or class is defined that takes the name of another one or brings methods: what runs
    above cannot mean it. Where there are too many of these, the last span knows all functions.

    Args:
        statements: The top-level statements in the order in which they run.
        names: The names of the notebook.
        heap: Where objects are made.
    """
    ends = [position for position in _changes(statements) if position][:_MOST_SPANS]
    return {
        statements[start]: summarize_functions(statements[:end], names, heap)
        for start, end in pairwise([0, *ends, len(statements)])
    }


def _changes(statements: Sequence[ast.stmt]) -> Iterator[int]:
    """Yields the positions of statements that change what a call above them could have meant."""
    known: set[str] = set()
    for position, statement in enumerate(statements):
        found = list(_find([statement], Callables()))
        if any(function.name in known or function.owners for function in found):
            yield position
        known |= {function.name for function in found}


def _summarize(walker: FlowWalker, function: NamedFunction) -> bool:
    """Returns whether the function turned out to do something else than was known so far."""
    callables = walker.callables
    known = _table(callables, function)[function.node]
    walker.enclosing_class = function.owners[0] if function.owners else ""
    summary = walker.summarize(function.node)
    if summary == known:
        return False
    _store(callables, function, summary)
    return True


def _table(callables: Callables, function: NamedFunction) -> dict[ast.AST, Summary]:
    if function.name.startswith("."):
        return callables.methods.setdefault(function.name[1:], {})
    return callables.functions.setdefault(function.name, {})


def _store(callables: Callables, function: NamedFunction, summary: Summary) -> None:
    _table(callables, function)[function.node] = summary
    for owner in function.owners:
        callables.classes[owner][function.name[1:]] = summary


def _find(statements: Iterable[ast.stmt], callables: Callables) -> Iterator[NamedFunction]:
    """Yields all functions that a name of the notebook can refer to, those in blocks (`if`, `try`) included."""
    classes: list[ast.ClassDef] = []
    for node in _flattened(statements):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield NamedFunction(node.name, node)
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Lambda() as function):
                yield NamedFunction(name, function)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.Lambda() as function):
                yield NamedFunction(name, function)
            case ast.ClassDef():
                classes.append(node)
                callables.classes.setdefault(node.name, {})
            case _ if made := class_made_by_call(node):
                callables.classes.setdefault(made, {})
            case _:
                pass
    heirs = _heirs(classes)
    for name in heirs:
        callables.bases[name] = frozenset(base for base, family in heirs.items() if name in family and base != name)
    for node in classes:
        own = {method.name[1:] for name in heirs[node.name][1:] for method in _methods(classes, name)}
        for method in _methods(classes, node.name):
            inherited = tuple(heirs[node.name]) if method.name[1:] not in own else (node.name,)
            yield NamedFunction(method.name, method.node, inherited)


def _heirs(classes: list[ast.ClassDef]) -> dict[str, list[str]]:
    """Returns for each class its own name and those of the classes that inherit from it, directly or not."""
    heirs: dict[str, list[str]] = {}
    for node in classes:
        heirs.setdefault(node.name, [node.name])
        bases = {base.id for base in node.bases if isinstance(base, ast.Name)}
        for family in heirs.values():
            if not bases.isdisjoint(family) and node.name not in family:
                family.append(node.name)
    return heirs


def _methods(classes: list[ast.ClassDef], name: str) -> Iterator[NamedFunction]:
    for node in classes:
        if node.name == name:
            for inner in _flattened(node.body, into_classes=True):
                match inner:
                    case ast.FunctionDef() | ast.AsyncFunctionDef():
                        yield NamedFunction(f".{inner.name}", inner)
                    case ast.Assign(targets=[ast.Name(id=method)], value=ast.Lambda() as function):
                        yield NamedFunction(f".{method}", function)
                    case _:
                        pass


def _flattened(statements: Iterable[ast.stmt], *, into_classes: bool = False) -> Iterator[ast.stmt]:
    """Yields statements and those nested in blocks; function bodies are left alone."""
    for node in statements:
        yield node
        if isinstance(node, ast.ClassDef):
            if into_classes:
                yield from _flattened(node.body, into_classes=True)
            continue
        if not isinstance(node, _BLOCKS):
            continue
        for name in ("body", "orelse", "finalbody", "handlers", "cases"):
            for inner in getattr(node, name, ()):
                if isinstance(inner, ast.stmt):
                    yield from _flattened([inner], into_classes=into_classes)
                elif isinstance(inner, ast.ExceptHandler | ast.match_case):
                    yield from _flattened(inner.body, into_classes=into_classes)
