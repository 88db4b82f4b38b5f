"""Statements that importing depends on: what is found where, and what a module reads while it is imported.

Generated modules import at their top. That is too early for an import that stands below a change of the import path,
the working directory or the environment in the same step: such an import is code of its step, and what it binds is
handed over like any value.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence

from nbmlops.analysis.statements import Unit
from nbmlops.core.syntax import find
from nbmlops.notebook.model import RoleKind

_PLACES = frozenset({"sys.path", "os.chdir", "site.addsitedir"})
_TABLES = frozenset({"sys.path", "sys.modules", "os.environ"})
_VARIABLES = frozenset({"os.environ", "os.putenv", "dotenv.load_dotenv"})
# Most notebooks hold none of these words, and looking into every expression takes a while.
_SUSPECT = re.compile(r"\b(?:sys|chdir|addsitedir|environ|putenv|load_dotenv)\b")
_CHANGING = (ast.Call, ast.Subscript, ast.Attribute, ast.AugAssign)
_READING = frozenset({"get", "copy", "items", "keys", "values", "index", "count"})

# Installed libraries: where they are found does not depend on the folders of the notebook.
_LIBRARIES = """
    IPython altair category_encoders catboost imblearn joblib keras lightgbm matplotlib mlflow nbmlops networkx nltk
    numba numpy optuna pandas plotly polars pyarrow requests scipy seaborn shap skimage sklearn spacy statsmodels
    tensorflow torch torchvision tqdm transformers xgboost
"""
# Beginnings of the variables that they read when they are imported.
_VARIABLES_OF_LIBRARIES = """
    OMP_ MKL_ OPENBLAS_ BLIS_ VECLIB_ NUMEXPR_ NUMBA_ KMP_ GOTO_ MPL MATPLOTLIB PYTHON TF_ CUDA_ TORCH PYTORCH KERAS
    XLA_ JAX_ HF_ TRANSFORMERS TOKENIZERS PANDAS NUMPY SCIPY SKLEARN JOBLIB LOKY POLARS NLTK_ MLFLOW_ SPACY
"""
_INSTALLED = frozenset(_LIBRARIES.split())
_READ_BY_LIBRARIES = tuple(_VARIABLES_OF_LIBRARIES.split())


def changes_imports(node: ast.AST, paths: Mapping[str, str]) -> bool:
    """Returns whether a statement changes the import path, the working directory or the environment.

    Args:
        node: The statement.
        paths: What imported names stand for.
    """
    return any(_changed(part, paths) for kind in _CHANGING for part in find(node, kind))


def late_imports(units: Sequence[Unit], paths: Mapping[str, str], data: Collection[str]) -> set[Unit]:
    """Returns the import statements that must run at their place.

    Settings of shared cells that are made from literals are applied before anything is imported, and do not count.

    Args:
        units: All statements in the order in which they run.
        paths: What imported names stand for.
        data: Names that have a value only when the notebook runs.
    """
    if not any(map(_SUSPECT.search, {unit.cell.python for unit in units})):
        return set()
    changing = {unit.defines() for unit in units if unit.defines() and changes_imports(unit.node, paths)}
    found: set[Unit] = set()
    changed: dict[str, list[ast.AST]] = {}
    for unit in units:
        above = changed.get(unit.home, [])
        if isinstance(unit.node, ast.Import | ast.ImportFrom):
            if above and any(_depends(module, above, paths) for module in _modules(unit.node)):
                found.add(unit)
        elif not unit.defines() and not is_applied_first(unit, paths, data):
            parts = [part for kind in _CHANGING for part in find(unit.node, kind) if _changed(part, paths)]
            calls = [call for call in find(unit.node, ast.Call) if _calls(call, changing)]
            changed.setdefault(unit.home, []).extend([*parts, *calls])
    return found


def is_applied_first(unit: Unit, paths: Mapping[str, str], data: Collection[str]) -> bool:
    """Returns whether a statement of a shared cell changes such state from literals alone."""
    if unit.cell.role.kind not in {RoleKind.SHARED, RoleKind.SETUP}:
        return False
    names = find(unit.node, ast.Name)
    settled = not any(isinstance(name.ctx, ast.Store) or name.id in data for name in names)
    return settled and changes_imports(unit.node, paths)


def _modules(node: ast.Import | ast.ImportFrom) -> list[str]:
    found = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
    return [name.partition(".")[0] for name in found]


def _depends(module: str, changes: Iterable[ast.AST], paths: Mapping[str, str]) -> bool:
    if module in sys.stdlib_module_names or module == "nbmlops":
        return False
    return module not in _INSTALLED or any(_may_be_read_by_library(change, paths) for change in changes)


def _may_be_read_by_library(change: ast.AST, paths: Mapping[str, str]) -> bool:
    """Returns whether a change is one of a variable that installed libraries read, as far as its name is known."""
    if isinstance(change, ast.Call) and _path(change.func, paths) in _PLACES:
        return False
    if not any(_path(part, paths) in _VARIABLES for part in find(change, ast.Attribute)):
        return False
    texts = [part.value for part in find(change, ast.Constant) if isinstance(part.value, str)]
    keywords = [part.arg for part in find(change, ast.keyword) if part.arg]
    names = [*texts, *keywords]
    return not names or any(name.startswith(_READ_BY_LIBRARIES) for name in names)


def _changed(part: ast.AST, paths: Mapping[str, str]) -> bool:
    match part:
        case ast.Call(func=ast.Attribute(value=owner, attr=method) as function):
            called = _path(function, paths)
            changes = _path(owner, paths) in _TABLES and method not in _READING
            return changes or called in (_PLACES | _VARIABLES)
        case ast.Call(func=ast.Name() as function):
            return _path(function, paths) in (_PLACES | _VARIABLES)
        case ast.Subscript(value=owner, ctx=ast.Store() | ast.Del()):
            return _path(owner, paths) in _TABLES
        case ast.Attribute(ctx=ast.Store()):
            return _path(part, paths) == "sys.path"
        case ast.AugAssign(target=target):
            return _path(target, paths) == "sys.path"
        case _:
            return False


def _calls(call: ast.Call, functions: Collection[str]) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id in functions


def _path(node: ast.AST, paths: Mapping[str, str]) -> str:
    match node:
        case ast.Name(id=name):
            return paths.get(name, "")
        case ast.Attribute(value=value, attr=attribute):
            below = _path(value, paths)
            return f"{below}.{attribute}" if below else ""
        case _:
            return ""
