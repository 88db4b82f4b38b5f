"""Blocks that decide once what a name means: `try: import x`, `if sys.version_info …: def f`, imports in a `with`.

Such a block gives the same in every process, so that it lives once in the package, like definitions. Comes in: the
units and the names by kind. Goes out: the units that may move, with the names that they bind.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from nbmlops.analysis.fidelity.repeatable import is_repeatable, unrepeatable_parts
from nbmlops.analysis.flow.scope import argument_names, collect_names
from nbmlops.analysis.statements import Unit
from nbmlops.core.syntax import children, walk

_AT_NAME = re.compile(r"@\s*([^\W\d]\w*)")
_HARMLESS_CONTEXTS = ("catch_warnings", "suppress")
_FILTERS = ("simplefilter", "filterwarnings")


def movable_blocks(
    units: Iterable[Unit],
    places: Mapping[str, AbstractSet[Unit]],
    data: AbstractSet[str],
    definitions: Mapping[str, Unit],
    late: AbstractSet[str],
) -> dict[Unit, frozenset[str]]:
    """Returns the blocks that give the same wherever they run -> the names that they bind.

    Args:
        units: All statements.
        places: Name -> the statements that bind it.
        data: Names whose value is made while running or given; those that blocks bind are among them.
        definitions: Functions and classes with one meaning.
        late: Names that mean something else above.
    """
    found = {unit: _bound(unit) for unit in units if _has_the_shape(unit.node)}
    found = {
        unit: names for unit, names in found.items() if all(places[n] == {unit} and n in data - late for n in names)
    }
    mentions = {name: _mentions(unit.node) for name, unit in definitions.items()} if found else {}
    asked = {unit: _mentions(unit.node) for unit in found}
    while True:
        tainted = set(data).difference(*found.values())
        while more := {name for name, names in mentions.items() if name not in tainted and names & tainted}:
            tainted |= more
        kept = {unit: names for unit, names in found.items() if not asked[unit] & tainted}
        if len(kept) == len(found):
            return kept
        found = kept


def _has_the_shape(node: ast.stmt) -> bool:
    if not isinstance(node, ast.If | ast.Try | ast.With) or not _is_movable(node):
        return False
    kinds = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
    return any(isinstance(part, kinds) for part in walk(node))


def _bound(unit: Unit) -> frozenset[str]:
    """Returns the names that the block leaves bound; those of exceptions are gone when it ends."""
    names = collect_names([unit.node]).bound
    return frozenset(name for name, node in names.items() if not isinstance(node, ast.ExceptHandler))


def _mentions(node: ast.AST) -> set[str]:
    """Returns the names that code takes from outside of itself."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        body = [node.body] if isinstance(node, ast.Lambda) else node.body
        names = collect_names(body)
        inside = _all_mentions(body) - names.locals() - set(argument_names(node.args))
        around = [part for part in children(node) if part not in body]
        return inside | names.globals | _all_mentions(around)
    if isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
        targets = {name for generator in node.generators for name in collect_names([generator.target]).bound}
        return _all_mentions(children(node)) - targets
    if isinstance(node, ast.Name):
        return {node.id} if isinstance(node.ctx, ast.Load | ast.Del) else set()
    if isinstance(node, ast.Constant):
        return set(_AT_NAME.findall(node.value)) if isinstance(node.value, str) and "@" in node.value else set()
    return _all_mentions(children(node))


def _all_mentions(nodes: Iterable[ast.AST]) -> set[str]:
    return set().union(*(_mentions(node) for node in nodes))


def _all_movable(body: Iterable[ast.stmt]) -> bool:
    return all(_is_movable(node) for node in body)


def _is_movable(node: ast.stmt) -> bool:
    """Returns whether a statement does nothing but decide what names mean, the same way each time."""
    movable = False
    match node:
        case ast.Import() | ast.Pass() | ast.Expr(value=ast.Constant()):
            movable = True
        case ast.ImportFrom(names=aliases):
            movable = all(alias.name != "*" for alias in aliases)
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            movable = not unrepeatable_parts(node)
        case ast.Assign(targets=targets, value=value):
            movable = all(isinstance(target, ast.Name) for target in targets) and is_repeatable(value)
        case ast.AnnAssign(target=ast.Name(), value=value):
            movable = value is None or is_repeatable(value)
        case ast.Raise(exc=error):
            movable = error is None or isinstance(error, ast.Name | ast.Call)
        case ast.If() | ast.Try() | ast.With():
            movable = _is_movable_block(node)
        case _:
            pass
    return movable


def _is_movable_block(node: ast.If | ast.Try | ast.With) -> bool:
    match node:
        case ast.If(test=test, body=body, orelse=orelse):
            return is_repeatable(test) and _all_movable([*body, *orelse])
        case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=finalbody):
            types = [handler.type for handler in handlers if handler.type is not None]
            inside = [*body, *orelse, *finalbody, *(part for handler in handlers for part in handler.body)]
            return all(map(is_repeatable, types)) and _all_movable(inside)
        case ast.With(items=items, body=body):
            is_harmless = all(_is_call(item.context_expr, _HARMLESS_CONTEXTS) for item in items)
            return is_harmless and all(_is_movable(part) or _is_filter(part) for part in body)


def _is_filter(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and _is_call(node.value, _FILTERS)


def _is_call(node: ast.expr, names: tuple[str, ...]) -> bool:
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=arguments, keywords=keywords):
            return name in names and all(map(is_repeatable, [*arguments, *(k.value for k in keywords)]))
        case _:
            return False
