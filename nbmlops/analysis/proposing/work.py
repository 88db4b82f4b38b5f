"""What a cell is there for: loading, preparing, exploring, training, evaluating or saving, by the calls that it makes.

A guess for proposals, never for meaning: nothing that is compiled depends on it but where a proposed step begins and
what it is called. Four of ten cells of real notebooks have no such call.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

from msgspec import Struct

from nbmlops.analysis.statements import Unit
from nbmlops.core.syntax import walk

_LONGEST_CALL = 40


class Work(StrEnum):
    """What a cell does, in the words that name steps; `NONE`: nothing that is recognised."""

    LOAD = "load"
    PREPARE = "prepare"
    EXPLORE = "explore"
    TRAIN = "train"
    EVALUATE = "evaluate"
    SAVE = "save"
    NONE = ""


class CellWork(Struct, frozen=True):
    """What a cell does, and the call that shows it, as written."""

    work: Work = Work.NONE
    call: str = ""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# By dotted path of what is called.
_PATHS = (
    (Work.LOAD, re.compile(
        r"(pandas|polars|geopandas|dask\.dataframe)\.(read|scan)_\w+|(\w+\.)*datasets\.(\w+\.)*(load|fetch|make)_?\w*"
        r"|seaborn\.load_dataset|numpy\.(load|loadtxt|genfromtxt|fromfile)|(json|pickle|joblib|dill)\.load|yaml\.\w*load"
        r"|requests\.get|urllib\.request\.url\w+|torchvision\.datasets\.\w+|torch\.load|sqlite3\.connect"
        r"|glob\.glob|(\w+\.)*load_data(set)?"
    )),
    (Work.PREPARE, re.compile(
        r"pandas\.(merge|merge_asof|concat|get_dummies|to_datetime|to_numeric|cut|qcut|melt|pivot_table|crosstab|wide_to_long)"
        r"|sklearn\.model_selection\.(train_test_split|\w*Fold|\w*Split)"
        r"|sklearn\.(preprocessing|impute|feature_extraction|feature_selection|decomposition|compose|utils)\.(\w+\.?)+"
        r"|imblearn\.(\w+\.?)+|category_encoders\.\w+|tensorflow\.keras\.(utils|preprocessing)\.(\w+\.?)+"
        r"|torch\.utils\.data\.\w+"
    )),
    (Work.EVALUATE, re.compile(
        r"sklearn\.metrics\.\w+|sklearn\.model_selection\.(cross_\w+|learning_curve|validation_curve)"
        r"|sklearn\.inspection\.\w+|shap\.\w+|nbmlops\.metric|nbmlops\.api\.test|scipy\.stats\.(ttest|ks|chi2|mannwhitney|pearson)\w*"
    )),
    (Work.TRAIN, re.compile(
        r"sklearn\.(linear_model|ensemble|tree|svm|neighbors|naive_bayes|neural_network|cluster|mixture|gaussian_process"
        r"|discriminant_analysis|kernel_ridge|calibration|multiclass|semi_supervised)\.\w+"
        r"|sklearn\.model_selection\.\w*SearchCV|(xgboost|lightgbm|catboost)\.\w+|(tensorflow\.)?keras\.(Sequential|Model)"
        r"|(tensorflow\.)?keras\.models\.(Sequential|Model)|statsmodels\.(\w+\.)+(ols|OLS|logit|Logit|GLM|glm|SARIMAX|ARIMA)"
    )),
    (Work.SAVE, re.compile(r"(json|pickle|joblib|dill|yaml)\.\w*dump|numpy\.save\w*|torch\.save|nbmlops\.register")),
    (Work.EXPLORE, re.compile(r"(matplotlib|seaborn|plotly|altair|bokeh|missingno|IPython\.display)\.(\w+\.?)+")),
)  # fmt: skip
# By the name of a method, whatever it belongs to.
_METHODS: Mapping[Work, frozenset[str]] = {
    Work.LOAD: _words("read_sql load_data load_dataset load_pandas"),
    Work.PREPARE: _words(
        "fillna dropna drop drop_duplicates merge join astype replace rename map apply applymap assign set_index "
        "reset_index sort_values pivot pivot_table melt fit_transform transform interpolate clip get_dummies resample "
        "fit_resample insert ffill bfill stack unstack explode"
    ),
    Work.EVALUATE: _words("score predict predict_proba evaluate decision_function forecast get_forecast"),
    Work.TRAIN: _words("fit train partial_fit fit_predict fit_generator fit_regularized compile optimize"),
    Work.SAVE: _words(
        "to_csv to_parquet to_pickle to_excel to_feather to_hdf to_sql save save_model save_weights dump"
    ),
    Work.EXPLORE: _words(
        "plot hist boxplot describe head tail info value_counts corr scatter show sample nunique unique groupby isnull "
        "isna pie bar barh heatmap"
    ),
}
# What comes first where a cell does several things.
_RANK = (Work.TRAIN, Work.EVALUATE, Work.LOAD, Work.SAVE, Work.PREPARE, Work.EXPLORE)
_PREPARERS = re.compile(
    r"sklearn\.(preprocessing|impute|feature_extraction|feature_selection|decomposition|compose)\..*|imblearn\..*"
    r"|category_encoders\..*"
)
# Verbs that the notebook's own functions begin with.
_VERBS = (
    (Work.LOAD, re.compile(r"(load|read|fetch|download|get_data)(_.*)?")),
    (Work.PREPARE, re.compile(r"(clean|prepare|pre_?process|transform|encode|split|add|make_features)(_.*)?")),
    (Work.TRAIN, re.compile(r"(train|fit|build_model|tune)(_.*)?")),
    (Work.EVALUATE, re.compile(r"(evaluate|eval|score|test|report)(_.*)?")),
    (Work.SAVE, re.compile(r"(save|export|store)(_.*)?")),
    (Work.EXPLORE, re.compile(r"(plot|show|draw|display|explore)(_.*)?")),
)  # fmt: skip


def makers_of(units: Iterable[Unit], paths: Mapping[str, str]) -> dict[str, str]:
    """Returns name -> dotted path of the class that makes its value, for `scaler = StandardScaler()`.

    Args:
        units: All statements of the notebook.
        paths: Imported name -> dotted path.
    """
    made: dict[str, str] = {}
    for unit in units:
        match unit.node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=function)):
                if path := _path(function, paths):
                    made[name] = path
            case _:
                pass
    return made


def work_of(units: Iterable[Unit], paths: Mapping[str, str], makers: Mapping[str, str]) -> CellWork:
    """Returns what a cell does; code in functions that it defines does not run there and does not count.

    Args:
        units: Its statements.
        paths: Imported name -> dotted path.
        makers: Name -> dotted path of its class, as `makers_of` gives it.
    """
    found: dict[Work, str] = {}
    for unit in units:
        for call in _calls(unit):
            work = _work_of_call(call, paths, makers)
            if work is not Work.NONE:
                found.setdefault(work, _shown(call))
        if _stores_column(unit.node):
            found.setdefault(Work.PREPARE, _shown_target(unit.node))
    return next((CellWork(work, found[work]) for work in _RANK if work in found), CellWork())


def _calls(unit: Unit) -> Iterator[ast.Call]:
    if unit.defines():
        return
    for node in walk(unit.node):
        if isinstance(node, ast.Call):
            yield node


def _work_of_call(call: ast.Call, paths: Mapping[str, str], makers: Mapping[str, str]) -> Work:
    path = _path(call.func, paths)
    if path:
        return next((work for work, pattern in _PATHS if pattern.fullmatch(path)), Work.NONE)
    match call.func:
        case ast.Attribute(value=receiver, attr=method):
            work = next((work for work in _RANK if method in _METHODS[work]), Work.NONE)
            if work is Work.TRAIN and _PREPARERS.fullmatch(_maker(receiver, paths, makers)):
                return Work.PREPARE
            return work
        case ast.Name(id=name):
            return next((work for work, pattern in _VERBS if pattern.fullmatch(name.lower())), Work.NONE)
        case _:
            return Work.NONE


def _maker(receiver: ast.expr, paths: Mapping[str, str], makers: Mapping[str, str]) -> str:
    if isinstance(receiver, ast.Name):
        return makers.get(receiver.id, "")
    return _path(receiver.func, paths) if isinstance(receiver, ast.Call) else ""


def _path(node: ast.expr, paths: Mapping[str, str]) -> str:
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.insert(0, node.attr)
        node = node.value
    first = paths.get(node.id, "") if isinstance(node, ast.Name) else ""
    return ".".join([first, *names]) if first else ""


def _stores_column(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript)


def _shown(call: ast.Call) -> str:
    text = ast.unparse(call.func).replace("\n", " ")
    return text if len(text) <= _LONGEST_CALL else f"…{text[-_LONGEST_CALL + 1 :]}"


def _shown_target(node: ast.stmt) -> str:
    assert isinstance(node, ast.Assign)
    text = f"{ast.unparse(node.targets[0])} =".replace("\n", " ")
    return text if len(text) <= _LONGEST_CALL else f"{text[: _LONGEST_CALL - 1]}…"
