"""Which names are surely bound between steps, for the notebooks that complete.

A name may be bound on some paths only, in `if flag: model = …` or in a loop that may not run. Where a later step reads
it on every path, the notebook would fail without it; where it does not, the step hands over that it has no value.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence

from nbmlops.analysis.graph import StepNode
from nbmlops.analysis.statements import Unit
from nbmlops.core.syntax import children, find, kinds

# Expressions with parts that are not always evaluated.
_SOMETIMES = frozenset({
    ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.IfExp, ast.BoolOp, ast.Compare
})  # fmt: skip
_STRAIGHT = (ast.Expr, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Assert)


def surely_bound(steps: Sequence[StepNode], parameters: Iterable[str], closing: Iterable[str]) -> list[frozenset[str]]:
    """Returns the names that are surely bound before each step and, as the last entry, after all of them.

    Args:
        steps: The steps in order, with their effects.
        parameters: Names that are bound from the start.
        closing: Names that the closing stages read.
    """
    needed = frozenset(closing)
    read_later = [needed]
    for step in reversed(steps):
        for unit in reversed(step.units):
            effects = unit.effects
            needed = (needed - effects.may_bind - effects.deletes) | certain_reads(unit)
        read_later.insert(0, needed)
    bound = frozenset(parameters)
    found = [bound | read_later[0]]
    for step, later in zip(steps, read_later[1:], strict=True):
        bound = (bound - step.effects.deletes) | step.effects.binds
        found.append(bound | later)
    return found


def certain_reads(unit: Unit) -> frozenset[str]:
    """Returns names that a notebook which completes has bound when the statement runs, since it reads them first."""
    if unit.cell.may_raise or not unit.record.reads:
        return frozenset()
    names = {
        name.id
        for node in _evaluated(unit.node)
        for name in _on_every_path(node)
        # What the statement binds itself, or a function that it calls, may be bound before it is read here.
        if name.id not in unit.effects.may_bind or unit.record.strict.get(name.id) is name
    }
    if isinstance(unit.node, ast.AugAssign) and isinstance(unit.node.target, ast.Name):
        names.add(unit.node.target.id)
    return frozenset(names & unit.record.reads.keys())


def _evaluated(node: ast.stmt) -> Iterator[ast.AST]:
    """Yields the parts of a statement that are evaluated whenever it runs."""
    match node:
        case ast.If(test=test) | ast.While(test=test):
            yield test
        case ast.For(iter=iterated) | ast.AsyncFor(iter=iterated):
            yield iterated
        case ast.With(items=[first, *_]) | ast.AsyncWith(items=[first, *_]):
            yield first.context_expr
        case ast.Match(subject=subject):
            yield subject
        case _ if isinstance(node, _STRAIGHT):
            yield node
        case _:
            pass


def _on_every_path(node: ast.AST) -> Iterator[ast.Name]:
    """Yields the names in an expression that are evaluated whenever it is."""
    if _SOMETIMES.isdisjoint(kinds(node)):
        yield from find(node, ast.Name)
        return
    match node:
        case ast.Lambda():
            inner: Iterable[ast.AST] = ()
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            inner = (node.generators[0].iter,)
        case ast.IfExp(test=test):
            inner = (test,)
        case ast.BoolOp(values=[first, *_]):
            inner = (first,)
        case ast.Compare(left=left, comparators=[first, *_]):
            inner = (left, first)
        case _:
            inner = children(node)
    for part in inner:
        yield from _on_every_path(part)
