"""NB221: value that cannot be stored, read by a later step.

*note.* An open file, a generator, a lock, a connection: such a value lives in one process. The steps keep their
borders in code; when they run, those from the one that makes the value to its last reader run in one process, and the
cache takes them as one. The hint says how to keep them apart.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from nbmlops.analysis.graph import Graph
from nbmlops.core.diagnostics import Diagnostic, Severity
from nbmlops.core.syntax import children, find

CODE = "NB221"
_LIST = "make it a list, [… for …] or list(…), to keep the steps apart"
_OPEN = "open it in the step that reads it, to keep the steps apart"
_MAKE = "make it in the step that uses it, to keep the steps apart"
_ARRAYS = "hand over what it is made from, and make it in the step that uses it, to keep the steps apart"
_FUNCTION = "define the function with def in a cell tagged `functions`, to keep the steps apart"
_KINDS = {
    "a generator": _LIST,
    "an open file": _OPEN,
    "a connection": _OPEN,
    "a lock or a thread": _MAKE,
    "a weak reference": _MAKE,
    "a temporary file or folder": "use a folder that stays, to keep the steps apart",
    "a pool of workers": _MAKE,
    "a view of a buffer": _MAKE,
    "a design of patsy": _ARRAYS,
    "a DMatrix of XGBoost": _ARRAYS,
    "a density estimate of statsmodels": _ARRAYS,
    "a container of lambdas": _FUNCTION,
}
_CALLS = {
    "builtins.open": "an open file",
    "io.open": "an open file",
    "codecs.open": "an open file",
    "gzip.open": "an open file",
    "bz2.open": "an open file",
    "lzma.open": "an open file",
    "zipfile.ZipFile": "an open file",
    "tarfile.open": "an open file",
    "h5py.File": "an open file",
    "csv.reader": "an open file",
    "csv.writer": "an open file",
    "csv.DictReader": "an open file",
    "csv.DictWriter": "an open file",
    "sqlite3.connect": "a connection",
    "duckdb.connect": "a connection",
    "psycopg2.connect": "a connection",
    "sqlalchemy.create_engine": "a connection",
    "socket.socket": "a connection",
    "socket.create_connection": "a connection",
    "subprocess.Popen": "a connection",
    "tempfile.TemporaryDirectory": "a temporary file or folder",
    "tempfile.NamedTemporaryFile": "a temporary file or folder",
    "tempfile.TemporaryFile": "a temporary file or folder",
    "concurrent.futures.ThreadPoolExecutor": "a pool of workers",
    "concurrent.futures.ProcessPoolExecutor": "a pool of workers",
    "multiprocessing.Pool": "a pool of workers",
    "multiprocessing.pool.ThreadPool": "a pool of workers",
    "builtins.memoryview": "a view of a buffer",
    "patsy.dmatrix": "a design of patsy",
    "patsy.dmatrices": "a design of patsy",
    "xgboost.DMatrix": "a DMatrix of XGBoost",
    "xgboost.QuantileDMatrix": "a DMatrix of XGBoost",
    "statsmodels.api.nonparametric.KDEUnivariate": "a density estimate of statsmodels",
    "statsmodels.nonparametric.kde.KDEUnivariate": "a density estimate of statsmodels",
    "weakref.ref": "a weak reference",
    "weakref.proxy": "a weak reference",
    "weakref.WeakValueDictionary": "a weak reference",
    "weakref.WeakKeyDictionary": "a weak reference",
    "weakref.WeakSet": "a weak reference",
}
_THREADING = ("threading.", "queue.", "multiprocessing.Queue", "multiprocessing.Lock")
_KEEP_FUNCTIONS = frozenset({
    "collections.defaultdict", "functools.partial", "sklearn.preprocessing.FunctionTransformer",
})  # fmt: skip


def check(graph: Graph) -> Iterator[Diagnostic]:
    """Yields a note at each statement that makes such a value for a later step."""
    generators = {name for name, unit in graph.namespace.definitions.items() if _is_generator(unit.node)}
    for position, step in enumerate(graph.steps):
        for unit in step.units:
            value, names = _bound(unit.node)
            if value is None or names.isdisjoint(step.outputs):
                continue
            what = _kind(value, graph.namespace.paths, generators)
            if not what:
                continue
            readers = {name: reader for name in names if (reader := _last_reader(graph, position, name))}
            if readers:
                last = max(readers.values(), key=[other.name for other in graph.steps].index)
                yield Diagnostic(
                    CODE,
                    Severity.NOTE,
                    f"{what} cannot be stored, so that the steps from '{step.name}' to '{last}', which share "
                    f"{' and '.join(map(repr, sorted(readers)))}, run in one process",
                    graph.place(unit, value),
                    _KINDS[what],
                )


def _last_reader(graph: Graph, position: int, name: str) -> str:
    """Returns the last step that reads the value that a step gives a name, or ""."""
    last = ""
    if name in graph.steps[position].outputs:
        for later in graph.steps[position + 1 :]:
            if any(value.name == name for value in later.inputs):
                last = later.name
            elif name in later.outputs:
                break  # bound anew
    return last


def _bound(node: ast.stmt) -> tuple[ast.expr | None, set[str]]:
    """Returns the value of an assignment to names, and the names."""
    match node:
        case ast.Assign(targets=targets, value=value):
            names = {part.id for target in targets for part in find(target, ast.Name)}
            return value, names
        case ast.AnnAssign(target=ast.Name(id=name), value=value):
            return value, {name}
        case _:
            return None, set()


def _kind(value: ast.expr, paths: Mapping[str, str], generators: set[str]) -> str:
    """Returns what an expression makes, as far as it is known and cannot be stored; else ""."""
    match value:
        case ast.GeneratorExp():
            return "a generator"
        case ast.Call(func=ast.Name(id=name)) if name in generators:
            return "a generator"
        case ast.Call(func=ast.Attribute(attr="open", value=ast.Call() as made)) if (
            _path(made.func, paths) == "pathlib.Path"
        ):
            return "an open file"
        case ast.Call(func=function, args=arguments):
            return _kind_of_call(_path(function, paths), arguments)
        case ast.Dict(values=parts) | ast.List(elts=parts) | ast.Tuple(elts=parts):
            return "a container of lambdas" if any(isinstance(part, ast.Lambda) for part in parts) else ""
        case _:
            return ""


def _kind_of_call(path: str, arguments: Sequence[ast.expr]) -> str:
    if path.startswith(_THREADING):
        return "a lock or a thread"
    has_lambda = any(isinstance(argument, ast.Lambda) for argument in arguments)
    return "a container of lambdas" if has_lambda and path in _KEEP_FUNCTIONS else _CALLS.get(path, "")


def _path(node: ast.expr, paths: Mapping[str, str]) -> str:
    """Returns the dotted path of a function, "" for any other expression."""
    match node:
        case ast.Name(id=name):
            return paths.get(name, f"builtins.{name}")
        case ast.Attribute(value=value, attr=attr):
            outer = _path(value, paths)
            return f"{outer}.{attr}" if outer and not outer.startswith("builtins.") else ""
        case _:
            return ""


def _is_generator(node: ast.stmt) -> bool:
    """Returns whether calling a function gives a generator: it has a `yield` of its own."""
    if not isinstance(node, ast.FunctionDef) or node.decorator_list:
        return False
    waiting: list[ast.AST] = list(node.body)
    while waiting:
        part = waiting.pop()
        if isinstance(part, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            waiting.extend(children(part))
    return False
