from __future__ import annotations

import operator
import os
from functools import partial
from importlib.metadata import version
from typing import Any

import numpy as np
import pytest
import scipy.stats
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
)
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, SplineTransformer, StandardScaler
from skops import io as skops_io

from nbmlops.core.errors import UsageError
from nbmlops.registry.model_format import check_types, is_trusted, pinned_requirements, trusted_types

X = np.arange(80.0).reshape(40, 2)
Y = np.arange(40) % 2
GRID = {"C": [1.0, 2.0]}


def own_code(values: Any) -> Any:
    return values


class OwnEstimator(LogisticRegression):
    pass


@pytest.mark.parametrize(
    "model",
    [
        RandomForestClassifier(n_estimators=3),
        GradientBoostingClassifier(n_estimators=3),
        HistGradientBoostingClassifier(max_iter=3),
        make_pipeline(make_column_transformer((StandardScaler(), [0])), HistGradientBoostingClassifier(max_iter=3)),
        KNeighborsClassifier(),
        MLPClassifier(hidden_layer_sizes=(2,), max_iter=5, tol=1e9, n_iter_no_change=1),
        GridSearchCV(LogisticRegression(), GRID, scoring=make_scorer(f1_score), cv=2),
        RandomizedSearchCV(LogisticRegression(), {"C": scipy.stats.loguniform(1, 2)}, n_iter=2, cv=2),
        GaussianProcessClassifier(),
        CalibratedClassifierCV(cv=2),
        make_pipeline(FunctionTransformer(np.log1p), LogisticRegression()),
        make_pipeline(SplineTransformer(), LogisticRegression()),
        StackingClassifier([("one", LogisticRegression())], cv=2),
    ],
    ids=lambda model: type(model).__name__,
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_every_common_model_is_stored_and_read_under_our_list_alone(model: BaseEstimator) -> None:
    fitted: Any = model.fit(X, Y)
    loaded = skops_io.loads(skops_io.dumps(fitted), trusted=list(trusted_types(fitted)))
    assert np.array_equal(loaded.predict(X), fitted.predict(X))


def test_the_list_of_a_forest() -> None:
    assert trusted_types(RandomForestClassifier(n_estimators=2).fit(X, Y)) == ("sklearn.tree._tree.Tree",)


@pytest.mark.parametrize(
    ("model", "named"),
    [
        (make_pipeline(FunctionTransformer(own_code), StandardScaler()), "own_code"),
        (make_pipeline(FunctionTransformer(lambda values: values), StandardScaler()), "<lambda>"),
        (OwnEstimator(), "OwnEstimator"),
    ],
)
def test_the_users_own_code_in_a_model_is_refused_and_named(model: Any, named: str) -> None:
    with pytest.raises(UsageError) as caught:
        trusted_types(model.fit(X, Y))
    start = f"the model ({type(model).__module__}.{type(model).__qualname__}) holds what cannot be stored safely: "
    assert caught.value.message.startswith(start)
    assert caught.value.message.endswith(named)


def test_a_partial_of_what_is_trusted_is_trusted() -> None:
    model = FunctionTransformer(partial(np.add, 1)).fit(X)
    loaded = skops_io.loads(skops_io.dumps(model), trusted=list(trusted_types(model)))
    assert np.array_equal(loaded.transform(X), model.transform(X))


@pytest.mark.parametrize(
    "function",
    [
        partial(own_code),
        partial(partial(own_code), 1),
        partial(os.system, "true"),
        partial(eval),
        partial(getattr),
        partial(np.load),
        partial(f1_score, own_code),
        partial(f1_score, sample_weight=os.system),
        partial(operator.methodcaller("sum")),
        partial(X.tofile),
    ],
)
def test_a_partial_hides_nothing(function: Any) -> None:
    with pytest.raises(UsageError, match="holds what cannot be stored safely"):
        trusted_types(FunctionTransformer(function))


@pytest.mark.parametrize("model", [None, {"a": 1}, np.arange(3), RandomForestClassifier])
def test_what_is_no_estimator_is_refused(model: object) -> None:
    with pytest.raises(UsageError, match="cannot be registered") as caught:
        trusted_types(model)
    assert caught.value.hint == "register a fitted scikit-learn estimator or Pipeline"


@pytest.mark.parametrize(
    "name",
    [
        "os.system",
        "builtins.eval",
        "sklearn.datasets._base.os.system",
        "sklearn.datasets._base.Path",
        "numpy.testing._private.utils.runstring",
        "numpy.testing._private.utils.IgnoreException",
        "numpy.load",
        "numpy.f2py.crackfortran.eval",
        "scipy.io._matlab._mio.loadmat",
        "sklearn.no_such.Thing",
        "sklearn",
        "sklearnx.Thing",
        "",
    ],
)
def test_names_that_are_never_trusted(name: str) -> None:
    assert not is_trusted(name)


def test_the_message_is_bounded() -> None:
    with pytest.raises(UsageError, match=r"mine\.T09 and 90 more\n"):
        check_types("model", [f"mine.T{number:02}" for number in range(100)])


def test_requirements_are_pinned_to_what_is_installed() -> None:
    names = ("numpy", "pandas", "scikit-learn", "scipy", "skops")
    assert pinned_requirements() == tuple(f"{name}=={version(name)}" for name in names)
