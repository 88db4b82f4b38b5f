"""Which names a piece of code binds in its own scope, by Python's rules (those that `symtable` implements).

Comes in: statements or a function's body. Goes out: the names that are local to them, and those declared `global` or
`nonlocal`. The flow analysis opens a `Frame` for each scope and resolves every name through it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from enum import IntEnum

from msgspec import Struct, field

from nbmlops.core.syntax import children

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_TARGETS = (ast.Tuple, ast.List, ast.Starred)
_BINDING = frozenset({
    ast.Name, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.ExceptHandler,
    ast.MatchAs, ast.MatchStar, ast.MatchMapping, ast.Global, ast.Nonlocal,
})  # fmt: skip
_SCOPES = frozenset({
    ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef, ast.ListComp, ast.SetComp, ast.GeneratorExp,
    ast.DictComp,
})  # fmt: skip

Key = str | tuple[int, str]


class ScopeNames(Struct):
    """What one scope binds (in order of first binding) and declares."""

    bound: dict[str, ast.AST] = field(default_factory=dict)
    globals: set[str] = field(default_factory=set)
    nonlocals: set[str] = field(default_factory=set)

    def locals(self) -> set[str]:
        """Returns the names that are local to the scope."""
        return self.bound.keys() - self.globals - self.nonlocals


def collect_names(statements: Iterable[ast.AST], *, walrus: bool = True) -> ScopeNames:
    """Returns the names that the statements bind in the scope they stand in; nested scopes keep theirs.

    Args:
        statements: Statements, or an expression.
        walrus: Whether `:=` may occur; without it expressions bind nothing and are passed over.
    """
    names = ScopeNames()
    stack = list(statements)[::-1]
    while stack:
        node = stack.pop()
        if node.__class__ in _BINDING:
            _note_binding(node, names)
        if walrus or not isinstance(node, ast.expr) or isinstance(node, _TARGETS):
            stack.extend(reversed(_children_in_scope(node)))
    return names


def _note_binding(node: ast.AST, names: ScopeNames) -> None:
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            names.bound.setdefault(name, node)
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            names.bound.setdefault(name, node)
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            for alias in aliases:
                if alias.name != "*":
                    names.bound.setdefault(alias.asname or alias.name.split(".")[0], node)
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            names.bound.setdefault(name, node)
        case ast.MatchMapping(rest=str(name)):
            names.bound.setdefault(name, node)
        case ast.Global(names=declared):
            names.globals.update(declared)
        case ast.Nonlocal(names=declared):
            names.nonlocals.update(declared)
        case _:
            pass


def _children_in_scope(node: ast.AST) -> Sequence[ast.AST]:
    """Returns the parts of a node that are evaluated in the scope the node stands in."""
    if node.__class__ not in _SCOPES:
        return children(node)
    parts: list[ast.AST] = []
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            parts = [*node.decorator_list, *_defaults(node.args)]
        case ast.Lambda():
            parts = _defaults(node.args)
        case ast.ClassDef():
            parts = [*node.decorator_list, *node.bases, *node.keywords]
        case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
            parts = [node.elt, *_walrus_parts(node.generators)]
        case ast.DictComp():
            parts = [node.key, node.value, *_walrus_parts(node.generators)]
        case _:
            pass
    return parts


def _walrus_parts(generators: list[ast.comprehension]) -> list[ast.AST]:
    """Returns what a comprehension may bind names outside of itself with: never its targets."""
    return [part for generator in generators for part in (generator.iter, *generator.ifs)]


def _defaults(arguments: ast.arguments) -> list[ast.AST]:
    return [*arguments.defaults, *(default for default in arguments.kw_defaults if default is not None)]


def argument_names(arguments: ast.arguments) -> tuple[str, ...]:
    """Returns the names of all arguments, positional ones first, `*args` and `**kwargs` last."""
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    starred = [argument for argument in (arguments.vararg, arguments.kwarg) if argument is not None]
    return tuple(argument.arg for argument in (*named, *starred))


class FrameKind(IntEnum):
    """What a scope belongs to; the module's is the notebook's namespace."""

    MODULE = 0
    FUNCTION = 1
    CLASS = 2
    COMPREHENSION = 3


class Frame(Struct):
    """One open scope. `serial` keeps its local names apart from those of all others."""

    kind: FrameKind
    serial: int = 0
    parent: Frame | None = None
    locals: set[str] = field(default_factory=set)
    globals: set[str] = field(default_factory=set)

    def resolve(self, name: str) -> Key:
        """Returns the key of the variable that a name means here: itself for a name of the notebook, else a pair."""
        frame: Frame | None = self
        innermost = True
        while frame is not None and frame.kind is not FrameKind.MODULE:
            visible = innermost or frame.kind is not FrameKind.CLASS
            if visible and name in frame.globals:
                return name
            if visible and name in frame.locals:
                return frame.serial, name
            innermost = False
            frame = frame.parent
        return name

    def holder(self) -> Frame:
        """Returns the scope that a walrus binds in: the nearest that is not a comprehension."""
        frame = self
        while frame.kind is FrameKind.COMPREHENSION and frame.parent is not None:
            frame = frame.parent
        return frame

    def in_function(self) -> bool:
        """Returns whether code here runs when a function is called, not when the cell runs."""
        frame: Frame | None = self
        while frame is not None:
            if frame.kind is FrameKind.FUNCTION:
                return True
            frame = frame.parent
        return False
