"""Names that code which comes as text may bind, as far as the texts of a notebook show: `exec("f = 1")`.

Comes in: statements. Goes out: the names. One that is imported or defined as well has more than one meaning, and is a
variable. Names that are put together when the code runs, or stand in files, cannot be seen: the step that binds one
stops (`runtime.steps.notebook_names`).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from nbmlops.analysis.fidelity.whole import Access
from nbmlops.analysis.flow.scope import collect_names
from nbmlops.core.syntax import parse, walk

_WORDS = re.compile(r"[\w\s,]*")
_BOUND = re.compile(
    r"\b(?:import|as|def|class|del|for|global)\s+([^\W\d]\w*)"
    r"|\b([^\W\d]\w*)\s*(?::[^=\n]*)?(?:[-+*/%&|^@]|//|\*\*|<<|>>)?=(?!=)"
)


def names_bound_by_text(
    statements: Sequence[ast.stmt], accesses: Mapping[ast.AST, Access]
) -> dict[str, frozenset[str]]:
    """Returns the names that text may bind: name -> the dotted paths that it imports them from, "" for anything else.

    Where each text stands in the call that runs it, those texts tell; else every text of the notebook may be run, and
    may be a name that goes to `globals()[name]`.

    Args:
        statements: All statements of the notebook.
        accesses: Calls that reach names which are not known before.
    """
    binding = [s for s in statements if any(accesses.get(node) is Access.BIND for node in walk(s))]
    found: dict[str, set[str]] = {}
    for statement in binding if all(_tells(statement, accesses) for statement in binding) else statements:
        for name, path in _of_texts(statement):
            found.setdefault(name, set()).add(path)
    for keyword in (part for statement in binding for part in walk(statement) if isinstance(part, ast.keyword)):
        if keyword.arg:
            found.setdefault(keyword.arg, set()).add("")  # globals().update(name=1)
    return {name: frozenset(paths) for name, paths in found.items()}


def _tells(statement: ast.stmt, accesses: Mapping[ast.AST, Access]) -> bool:
    """Returns whether the code or name that each such call is given stands there as a literal."""
    asked = {node for node in walk(statement) if accesses.get(node) is Access.BIND}
    for part in walk(statement):
        match part:
            case ast.Call(args=[ast.Constant(), *_]) if part in asked:
                asked.discard(part)
            case ast.Subscript(value=value, slice=ast.Constant()):
                asked.discard(value)
            case ast.Call(func=ast.Attribute(value=value, attr="update"), args=[], keywords=given):
                asked -= {value} if all(keyword.arg for keyword in given) else set()
            case ast.Call(func=ast.Attribute(value=value, attr=method), args=[ast.Constant(), *_]) if (
                method != "update"
            ):
                asked.discard(value)
            case _:
                pass
    return not asked


def _of_texts(statement: ast.stmt) -> Iterator[tuple[str, str]]:
    documentation = {id(text) for text in _documentation(statement)}
    for part in walk(statement):
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and id(part) not in documentation:
            yield from _of_text(part.value)


def _documentation(statement: ast.stmt) -> Iterable[ast.expr]:
    """Yields texts that stand by themselves."""
    return [part.value for part in walk(statement) if isinstance(part, ast.Expr)]


def _of_text(text: str) -> Iterator[tuple[str, str]]:
    if text.isidentifier():
        yield text, ""
        return
    try:
        tree = parse(text)
    except (SyntaxError, ValueError):
        words = text.replace(",", " ").split() if _WORDS.fullmatch(text) else []
        for name in (*words, *(match[1] or match[2] for match in _BOUND.finditer(text))):
            yield name, ""
        return
    yield from _of_code(tree)


def _of_code(tree: ast.Module) -> Iterator[tuple[str, str]]:
    imports = [s for s in tree.body if isinstance(s, ast.Import | ast.ImportFrom)]
    for statement in imports:
        for alias in statement.names:
            whole = alias.name if alias.asname else alias.name.split(".")[0]
            path = whole if isinstance(statement, ast.Import) else f"{statement.module}.{alias.name}"
            yield alias.asname or path.rpartition(".")[2], path
    names = collect_names(s for s in tree.body if s not in imports)
    declared = [name for part in walk(tree) if isinstance(part, ast.Global) for name in part.names]
    listed = [s.value.elts for s in tree.body if isinstance(s, ast.Expr) and isinstance(s.value, ast.Tuple)]
    words = [item.id for items in listed for item in items if isinstance(item, ast.Name)]  # "a, b", to be split
    yield from ((name, "") for name in (*names.bound, *declared, *words))
