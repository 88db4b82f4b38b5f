"""What ruff and mypy report in a function though it is right in a notebook: a module says so in a comment, once.

A notebook binds names that only its reader looks at, and fills containers in later cells, here other functions.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Sequence

from nbmlops.core.syntax import children, find, kinds

_UNUSED = "F841"
_UNPACKED = "RUF059"
_DUMMY = re.compile(r"_+|_+[a-zA-Z0-9_]*[a-zA-Z0-9]+")
_FILLING = frozenset({"append", "extend", "insert", "add", "update", "setdefault"})
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp)


def checker_comments(nodes: Sequence[ast.stmt], returned: Collection[str]) -> list[str]:
    """Returns the comments that a module needs whose function has these statements and returns these names."""
    codes = unread_codes(nodes, returned)
    comments = (
        [f"# ruff: noqa: {', '.join(codes)} (names that nothing reads are as the notebook has them)"] if codes else []
    )
    return comments + (['# mypy: disable-error-code="var-annotated"'] if fills_later(nodes) else [])


def block_comments(blocks: Sequence[ast.stmt], module: Sequence[ast.stmt]) -> list[str]:
    """Returns the comments that a module needs which holds blocks such as `try: import x` with `except ImportError:`.

    Args:
        blocks: The blocks.
        module: All statements of the module, blocks included.
    """
    bound = [pair for block in blocks for part in _parts(block) for pair in _names_of(part)]
    last = dict(bound)
    unread = {name for name, is_import in last.items() if is_import} - set(_read(module))
    lines = ["# ruff: noqa: F401 (the steps import these names from here)"] if unread else []
    return lines + (['# mypy: disable-error-code="assignment, misc, no-redef"'] if len(bound) > len(last) else [])


def _names_of(statement: ast.stmt) -> Iterator[tuple[str, bool]]:
    """Yields the names that a statement of a block binds, with whether it imports them."""
    match statement:
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            yield from ((alias.asname or alias.name.partition(".")[0], True) for alias in aliases)
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name, False
        case ast.Assign() | ast.AnnAssign():
            yield from ((name, False) for name, _ in _bindings([statement]))
        case _:
            pass


def _parts(block: ast.stmt) -> Iterator[ast.stmt]:
    """Yields the statements inside a block, those inside of functions and classes left out."""
    bodies = [getattr(block, "body", ()), *(handler.body for handler in getattr(block, "handlers", ()))]
    bodies += [getattr(block, "orelse", ()), getattr(block, "finalbody", ())]
    for part in (part for body in bodies for part in body):
        yield part
        if not isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from _parts(part)


def fills_later(nodes: Sequence[ast.stmt]) -> bool:
    """Returns whether a name is bound to an empty container that these statements do not fill."""
    empty: set[str] = set()
    filled: set[str] = set()
    for part in (part for node in nodes for kind in (ast.Assign, ast.Call) for part in find(node, kind)):
        match part:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if _is_empty_container(value):
                empty.add(name)
            case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=name))]):
                filled.add(name)
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)) if method in _FILLING:
                filled.add(name)
            case _:
                pass
    return bool(empty - filled)


def _is_empty_container(value: ast.expr) -> bool:
    match value:
        case ast.List(elts=[]) | ast.Dict(keys=[]):
            return True
        case ast.Call(func=ast.Name(id="list" | "dict" | "set"), args=[], keywords=[]):
            return True
        case _:
            return False


def unread_codes(nodes: Sequence[ast.stmt], returned: Collection[str]) -> list[str]:
    """Returns the codes that ruff would report for the statements as a function's body, sorted.

    Args:
        nodes: The statements.
        returned: Names that the function returns.
    """
    last = dict(_bindings(nodes, walrus=any(ast.NamedExpr in kinds(node) for node in nodes)))
    read = {*returned, *_read(nodes)}
    return sorted({code for name, code in last.items() if code and name not in read and not _DUMMY.fullmatch(name)})


def _read(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        yield from (name.id for name in find(node, ast.Name) if not isinstance(name.ctx, ast.Store))
        yield from (part.target.id for part in find(node, ast.AugAssign) if isinstance(part.target, ast.Name))
        yield from (name for part in find(node, ast.Nonlocal) for name in part.names)
        yield from (name for part in find(node, ast.Global) for name in part.names)


def _bindings(nodes: Iterable[ast.AST], *, walrus: bool = True) -> Iterator[tuple[str, str]]:
    """Yields each name that is bound in the function's own scope, in order, with the code of a binding nobody reads.

    Args:
        nodes: The code.
        walrus: Whether `:=` may occur; without it expressions bind nothing and are passed over.
    """
    for node in nodes:
        if not walrus and isinstance(node, ast.expr):
            continue
        match node:
            case ast.Assign(targets=targets, value=value):
                # To ruff, `a, b = 1, 2` is two assignments, not an unpacking.
                unpacked = _UNUSED if isinstance(value, ast.Tuple | ast.List) else _UNPACKED
                for target in targets:
                    yield from _target(target, unpacked)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr()) | ast.NamedExpr(target=ast.Name(id=name)):
                yield name, _UNUSED
            case ast.withitem(optional_vars=ast.expr() as target):
                yield from _target(target)
            case ast.ExceptHandler(name=str(name)):
                yield name, _UNUSED
            case ast.For(target=target) | ast.AsyncFor(target=target):
                yield from ((name, "") for name, _ in _target(target))
            case _:
                pass
        if not isinstance(node, _SCOPES):
            yield from _bindings(children(node), walrus=walrus)


def _target(target: ast.expr, unpacked: str = _UNPACKED) -> Iterator[tuple[str, str]]:
    if isinstance(target, ast.Name):
        yield target.id, _UNUSED
    elif isinstance(target, ast.Tuple | ast.List):
        for element in target.elts:
            inner = element.value if isinstance(element, ast.Starred) else element
            yield from ((name, unpacked) for name, _ in _target(inner))
