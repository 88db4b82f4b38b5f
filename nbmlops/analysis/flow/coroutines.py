"""Which statements have to be awaited: a step with one of them is a coroutine, as its cells are in Jupyter."""

from __future__ import annotations

import ast

from nbmlops.core.syntax import children, kinds

_ASYNCHRONOUS = frozenset({ast.Await, ast.AsyncFor, ast.AsyncWith, ast.comprehension})
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def awaits(node: ast.AST) -> bool:
    """Returns whether code awaits something where it stands; the bodies of functions run elsewhere."""
    if _ASYNCHRONOUS.isdisjoint(kinds(node)):
        return False
    waiting: list[ast.AST] = [node]
    while waiting:
        part = waiting.pop()
        if isinstance(part, ast.Await | ast.AsyncFor | ast.AsyncWith):
            return True
        if isinstance(part, ast.comprehension) and part.is_async:
            return True
        waiting += evaluated_here(part) if isinstance(part, _FUNCTIONS) else children(part)
    return False


def evaluated_here(function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> list[ast.expr]:
    """Returns the parts of a function that run where it is made: decorators and default arguments."""
    defaults = [default for default in (*function.args.defaults, *function.args.kw_defaults) if default is not None]
    return [*getattr(function, "decorator_list", []), *defaults]
