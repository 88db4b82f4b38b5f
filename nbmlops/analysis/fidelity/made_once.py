"""What a definition evaluates once, when it is made, and would get otherwise if it were made again in each step.

`def f(t=time.time())`, `class C: created = datetime.now()`, a decorator that counts calls, a cache over a clock: in the
notebook the definition is made once, in a pipeline once in each process.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator

from nbmlops.analysis.fidelity.repeatable import defaults_of, is_repeatable, unrepeatable_parts
from nbmlops.analysis.flow.idioms import remembers
from nbmlops.analysis.flow.record import Summary, TokenKind
from nbmlops.analysis.flow.scope import FunctionNode, argument_names, collect_names
from nbmlops.analysis.graph import Graph
from nbmlops.analysis.imports.definitions import closure
from nbmlops.core.syntax import children, walk

# Packages whose functions give equal values for equal arguments, but for those that the pattern below knows.
_PACKAGES = """
    IPython PIL attr attrs builtins click cycler dateutil jax lightgbm matplotlib nbmlops networkx numba numpy packaging
    pandas pandera plotly polars pyarrow pydantic pytz scipy seaborn sklearn statsmodels sympy tabulate toolz torch tqdm
    typing_extensions xarray xgboost yaml
"""
_STEADY = frozenset(sys.stdlib_module_names) | frozenset(_PACKAGES.split())
_FICKLE_PATH = re.compile(
    r"""(?:^|\.)(?:
        random|secrets|uuid|tempfile|socket|getpass|threading|multiprocessing|subprocess|platform|psutil|requests|urllib
    )(?:\.|$)
    | ^(?:time|os|io|sqlite3|shelve|http|asyncio|gc|inspect|locale|logging)\.
    | ^torch\.(?:nn|optim|rand\w*|normal|empty|Generator|tensor)\b
    | ^builtins\.(?:open|input|id|next|iter|object|hash|globals|locals|vars|dir|map|filter|zip|enumerate|reversed)$
    | ^itertools\.
    | (?:^|\.)(?:now|today|utcnow|time|read_\w+|load|loads_from|loadtxt|genfromtxt|fetch_\w+|load_\w+|open\w*|getcwd
        |cwd|home|iterdir|glob|rglob|exists|stat|default_rng|RandomState|Generator|count|cycle)$
    """,
    re.VERBOSE,
)
_FICKLE_METHODS = re.compile(
    r"^(?:now|today|utcnow|read\w*|fetch\w*|connect|execute|cursor|rand\w*|integers|choice|normal|uniform|shuffle|sample"
    r"|permutation|submit|start)$"
)
_METHODS = "add append appendleft clear discard extend insert pop popitem popleft remove setdefault update"
_CHANGING = frozenset(_METHODS.split())
_FRESH = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)


def fickle_part(graph: Graph, node: ast.stmt) -> str:
    """Returns what of a definition may come out differently each time it is made, or ""."""
    part = next((part for part in unrepeatable_parts(node) if _is_fickle(graph, part)), None)
    return _where(node, part) if part is not None else ""


def lasting_state(graph: Graph, name: str, node: ast.stmt) -> str:
    """Returns where a definition keeps what its calls leave behind, beside its attributes, or ""."""
    for decorator in _decorators(node):
        if own := _own_decorator(graph, decorator):
            return f"its decorator '{own}'"
    for function in _functions(node):
        if remembers(function) and _reaches_fickle(graph, name, function):
            return "its cache"
        if kept := _leaking_default(graph, function):
            return f"its default argument '{kept}'"
    return ""


def _where(node: ast.stmt, part: ast.expr) -> str:
    for function in _functions(node):
        for argument, default in _pairs(function.args):
            if default is part:
                return f"its default argument '{argument}'"
    for inner in walk(node):
        match inner:
            case ast.Assign(targets=[ast.Name(id=name), *_], value=value) if value is part:
                return f"its class attribute '{name}'"
            case ast.AnnAssign(target=ast.Name(id=name), value=value) if value is part:
                return f"its class attribute '{name}'"
            case _:
                pass
    return f"`{ast.unparse(part):.60}`"


def _functions(node: ast.stmt) -> Iterator[FunctionNode]:
    """Yields the function, the named lambda, or the methods of the class."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            yield node
        case ast.Assign(value=ast.Lambda() as function) | ast.AnnAssign(value=ast.Lambda() as function):
            yield function
        case ast.ClassDef(body=body):
            for inner in body:
                yield from _functions(inner)
        case _:
            pass


def _decorators(node: ast.stmt) -> Iterator[ast.expr]:
    yield from getattr(node, "decorator_list", ())
    if isinstance(node, ast.ClassDef):
        for inner in node.body:
            yield from _decorators(inner)


def _pairs(arguments: ast.arguments) -> list[tuple[str, ast.expr]]:
    positional = [*arguments.posonlyargs, *arguments.args]
    given = list(zip(reversed(positional), reversed(arguments.defaults), strict=False))
    named = [(a, d) for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if d is not None]
    return [(argument.arg, default) for argument, default in (*given, *named)]


def _is_fickle(graph: Graph, node: ast.expr) -> bool:
    """Returns whether an expression may give something else the next time; containers with equal contents do not."""
    if isinstance(node, ast.Lambda):
        return any(_is_fickle(graph, default) for default in defaults_of(node.args))
    if isinstance(node, ast.Await | ast.Yield | ast.YieldFrom | ast.NamedExpr | ast.GeneratorExp):
        return True
    if isinstance(node, ast.Call) and _is_fickle_call(graph, node):
        return True
    return any(_is_fickle(graph, part) for part in _expressions(node))


def _expressions(node: ast.AST) -> Iterator[ast.expr]:
    for child in children(node):
        if isinstance(child, ast.expr):
            yield child
        else:
            yield from _expressions(child)


def _is_fickle_call(graph: Graph, call: ast.Call) -> bool:
    path = _path(graph, call.func)
    if path:
        return path.partition(".")[0] not in _STEADY or bool(_FICKLE_PATH.search(path))
    match call.func:
        case ast.Name(id=name):
            unit = graph.namespace.definitions.get(name)
            return unit is None or _reaches_fickle(graph, name, unit.node)
        case ast.Attribute(attr=method):
            return bool(_FICKLE_METHODS.match(method))
        case _:
            return True


def _path(graph: Graph, node: ast.expr) -> str:
    """Returns the dotted path of an imported thing or builtin, or ""."""
    match node:
        case ast.Name(id=name) if name in graph.namespace.bindings:
            return graph.namespace.paths.get(name, "") if name in graph.namespace.imports else ""
        case ast.Name(id=name):
            return f"builtins.{name}"
        case ast.Attribute(value=ast.Name() | ast.Attribute() as value, attr=attribute):
            below = _path(graph, value)
            return f"{below}.{attribute}" if below and not below.startswith("builtins.") else ""
        case _:
            return ""


def _reaches_fickle(graph: Graph, name: str, node: ast.AST) -> bool:
    """Returns whether calling a function may give something else the next time, through what it calls, too."""
    uses = {other: definition.uses for other, definition in graph.definitions.items()}
    behind = [graph.namespace.definitions[n].node for n in closure(uses, uses.get(name, ())) if n in uses]
    return any(_holds_fickle(graph, body) for body in (node, *behind))


def _holds_fickle(graph: Graph, node: ast.AST) -> bool:
    own = collect_names([node]).bound.keys() | {
        argument for inner in walk(node) if isinstance(inner, FunctionNode) for argument in argument_names(inner.args)
    }
    for part in walk(node):
        if isinstance(part, ast.Global):
            return True
        if isinstance(part, ast.Call):
            path = _path(graph, part.func)
            root = path.removeprefix("builtins.")
            if path and root not in own and _FICKLE_PATH.search(path) and not _is_harmless_builtin(path):
                return True
            if not path and isinstance(part.func, ast.Attribute) and _FICKLE_METHODS.match(part.func.attr):
                return True
    return False


def _is_harmless_builtin(path: str) -> bool:
    # Inside of a function these are used up by the time it returns, or their use is seen otherwise.
    return path.startswith("builtins.") and path not in {"builtins.open", "builtins.input", "builtins.id"}


def _own_decorator(graph: Graph, decorator: ast.expr) -> str:
    """Returns the name of one of the notebook's own decorators if what it gives back keeps state."""
    function = decorator.func if isinstance(decorator, ast.Call) else decorator
    name = function.id if isinstance(function, ast.Name) else ""
    unit = graph.namespace.definitions.get(name)
    if unit is None:
        return ""
    if isinstance(unit.node, ast.ClassDef):
        methods = [f for f in _functions(unit.node) if getattr(f, "name", "") not in {"__init__", "__new__"}]
        return name if any(_changes_self(graph, method) for method in methods) else ""
    return name if any(_keeps_state(f) for f in _functions(unit.node)) else ""


def _changes_self(graph: Graph, method: FunctionNode) -> bool:
    summary = graph.callables.summary(method)
    kinds = {TokenKind.ARGUMENT, TokenKind.INSIDE_ARGUMENT}
    return any(t.kind in kinds and summary.arguments[:1] == (t.name,) for t in summary.changes)


def _keeps_state(function: FunctionNode) -> bool:
    """Returns whether functions inside of a function change what outlives their calls."""
    if isinstance(function, ast.Lambda):
        return False
    inner = [node for node in walk(function) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    outer = {node.name for node in inner} | collect_names(function.body).locals() | set(argument_names(function.args))
    if any(isinstance(node, ast.Nonlocal) for node in walk(function)):
        return True
    for node in inner:
        if node is function:
            continue
        own = collect_names(node.body).locals() | set(argument_names(node.args))
        if outer.difference(own).intersection(_changed_roots(node)):
            return True
    return False


def _changed_roots(node: ast.AST) -> Iterator[str]:
    """Yields the names behind which something is changed in place."""
    for part in walk(node):
        owners: Iterable[ast.expr] = ()
        match part:
            case ast.Call(func=ast.Attribute(value=value, attr=method)) if method in _CHANGING:
                owners = (value,)
            case ast.Call(func=ast.Name(id="next"), args=[value, *_]):
                owners = (value,)
            case ast.Assign(targets=targets):
                owners = tuple(t.value for t in targets if isinstance(t, ast.Subscript | ast.Attribute))
            case ast.AugAssign(target=ast.Subscript(value=value) | ast.Attribute(value=value)):
                owners = (value,)
            case _:
                pass
        yield from (root.id for root in map(_root, owners) if isinstance(root, ast.Name))


def _root(node: ast.expr) -> ast.expr:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node


def _leaking_default(graph: Graph, function: FunctionNode) -> str:
    """Returns an argument whose default can be changed and that the function changes or gives back, or ""."""
    summary: Summary = graph.callables.summary(function)
    kinds = {TokenKind.ARGUMENT, TokenKind.INSIDE_ARGUMENT}
    changed = {token.name for token in summary.changes if token.kind in kinds}
    returned = {token.name for tokens in summary.returns for token in tokens if token.kind is TokenKind.ARGUMENT}
    for argument, default in _pairs(function.args):
        can_change = isinstance(default, _FRESH) or (isinstance(default, ast.Call) and not is_repeatable(default))
        if can_change and argument in changed | returned:
            return argument
    return ""
