from __future__ import annotations

import pytest

from nbmlops.analysis.proposing.work import CellWork, Work, makers_of, work_of
from nbmlops.analysis.statements import parse_cell
from nbmlops.notebook.model import Cell, CellKind

PATHS = {
    "pd": "pandas",
    "np": "numpy",
    "plt": "matplotlib.pyplot",
    "sns": "seaborn",
    "joblib": "joblib",
    "load_iris": "sklearn.datasets.load_iris",
    "train_test_split": "sklearn.model_selection.train_test_split",
    "GridSearchCV": "sklearn.model_selection.GridSearchCV",
    "cross_val_score": "sklearn.model_selection.cross_val_score",
    "StandardScaler": "sklearn.preprocessing.StandardScaler",
    "SVC": "sklearn.svm.SVC",
    "accuracy_score": "sklearn.metrics.accuracy_score",
    "xgb": "xgboost",
    "smf": "statsmodels.formula.api",
}


@pytest.mark.parametrize(
    ("source", "work", "call"),
    [
        ("df = pd.read_csv('a.csv')", Work.LOAD, "pd.read_csv"),
        ("X, y = load_iris(return_X_y=True)", Work.LOAD, "load_iris"),
        ("tips = sns.load_dataset('tips')", Work.LOAD, "sns.load_dataset"),
        ("a = load_everything()", Work.LOAD, "load_everything"),
        ("df = df.dropna()", Work.PREPARE, "df.dropna"),
        ("df['z'] = df.x * 2", Work.PREPARE, "df['z'] ="),
        ("a, b = train_test_split(df)", Work.PREPARE, "train_test_split"),
        ("df = pd.get_dummies(df)", Work.PREPARE, "pd.get_dummies"),
        ("scaler.fit(X)", Work.PREPARE, "scaler.fit"),
        ("StandardScaler().fit(X)", Work.PREPARE, "StandardScaler().fit"),
        ("plt.plot(x)", Work.EXPLORE, "plt.plot"),
        ("df.describe()", Work.EXPLORE, "df.describe"),
        ("plot_digits(x)", Work.EXPLORE, "plot_digits"),
        ("model = SVC()", Work.TRAIN, "SVC"),
        ("model.fit(X, y)", Work.TRAIN, "model.fit"),
        ("b = xgb.train({}, d)", Work.TRAIN, "xgb.train"),
        ("m = smf.ols('y ~ x', df).fit()", Work.TRAIN, "smf.ols('y ~ x', df).fit"),
        ("g = GridSearchCV(model, {})", Work.TRAIN, "GridSearchCV"),
        ("accuracy_score(y, p)", Work.EVALUATE, "accuracy_score"),
        ("s = cross_val_score(model, X, y)", Work.EVALUATE, "cross_val_score"),
        ("p = model.predict(X)", Work.EVALUATE, "model.predict"),
        ("joblib.dump(model, 'm')", Work.SAVE, "joblib.dump"),
        ("df.to_csv('out.csv')", Work.SAVE, "df.to_csv"),
        ("x = a + b", Work.NONE, ""),
        ("def load_all():\n    return pd.read_csv('a.csv')", Work.NONE, ""),
        ("df = pd.read_csv('a.csv')\ndf = df.dropna()\ndf.plot()", Work.LOAD, "pd.read_csv"),
        ("model.fit(X, y)\nmodel.score(X, y)", Work.TRAIN, "model.fit"),
        ("(lambda a: a)(1)", Work.NONE, ""),
        (
            "x.very_long_name_of_a_frame_that_goes_on.describe()",
            Work.EXPLORE,
            "…g_name_of_a_frame_that_goes_on.describe",
        ),
    ],
)
def test_calls_say_what_a_cell_is_for(source: str, work: Work, call: str) -> None:
    units = parse_cell(Cell("c", 1, CellKind.CODE, source, python=source))
    assert work_of(units, PATHS, {"scaler": "sklearn.preprocessing.StandardScaler"}) == CellWork(work, call)


def test_makers() -> None:
    source = "scaler = StandardScaler()\nmodel = SVC(C=2)\nx = own()\na, b = SVC(), SVC()"
    units = parse_cell(Cell("c", 1, CellKind.CODE, source, python=source))
    assert makers_of(units, PATHS) == {"scaler": "sklearn.preprocessing.StandardScaler", "model": "sklearn.svm.SVC"}
