import collections
import copy
import dataclasses
import datetime as dt
import decimal
import enum
import functools
import io
import operator
import pathlib
import pickle
import re
import threading
import types
import uuid
import zoneinfo
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import scipy.sparse
from sklearn.compose import make_column_transformer
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from nbmlops.data.fingerprints.fingerprint import CannotFingerprint, fingerprint

X = np.abs(np.random.default_rng(0).standard_normal((120, 4)))
Y = (X[:, 0] > X[:, 1]).astype(int)


class Plain:
    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)


class Slotted:
    __slots__ = ("a", "b")

    def __init__(self, a: Any) -> None:
        self.a = a


class Refusing:
    def __getstate__(self) -> Any:
        raise ZeroDivisionError("no state today")


@dataclasses.dataclass
class Record:
    x: int
    y: list


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class Permission(enum.Flag):
    READ = 1
    WRITE = 2


Point = collections.namedtuple("Point", "x y")  # noqa: PYI024  # the untyped kind is what notebooks use


def pipeline(depth: int = 3) -> Any:
    columns = make_column_transformer((StandardScaler(), [0, 1]), (FunctionTransformer(np.log1p), [2]))
    return make_pipeline(columns, RandomForestClassifier(4, max_depth=depth, random_state=0)).fit(X, Y)


OBJECTS: dict[str, Any] = {
    "instance": Plain(a=1, b=[Plain(c=2)]),
    "slots": Slotted([1]),
    "dataclass": Record(1, [2]),
    "named tuple": Point(1, [2]),
    "enum": [Colour.RED, Permission.READ | Permission.WRITE, Permission(0), re.IGNORECASE],
    "dates": [dt.date(2024, 1, 2), dt.time(3), dt.timedelta(4), dt.datetime(2024, 1, 2, tzinfo=dt.UTC)],
    "zone": zoneinfo.ZoneInfo("Europe/Paris"),
    "numbers": [decimal.Decimal("1.50"), 3 + 4j, range(1, 9, 2), slice(1, None)],
    "names": [uuid.UUID(int=5), pathlib.PurePosixPath("a/b"), re.compile("a+", re.IGNORECASE)],
    "functions": [len, np.log1p, np.mean, functools.partial(int, base=2), operator.itemgetter(1), "a".join],
    "classes": [int, Plain, type(None), list[int], Exception],
    "collections": [
        collections.OrderedDict(a=1), collections.defaultdict(list, a=[1]), collections.Counter("abca"),
        collections.deque([1, 2], maxlen=3), frozenset({"a"}),
    ],
    "streams": [io.BytesIO(b"ab"), io.StringIO("ab")],
    "pandas": [
        pd.Timestamp("2024", tz="Europe/Paris"), pd.Timedelta(1), pd.Period("2024-01"), pd.Interval(0, 1),
        pd.NaT, pd.NA, pd.offsets.MonthEnd(2),
        pd.CategoricalDtype(["a"]), pd.Categorical(["a", None]), pd.DatetimeIndex(["2024"]),
    ],
    "arrow": [pa.table({"a": [1, None], "b": [[1], None]}), pa.array(["x", None]), pa.schema([("a", pa.int8())])],
    "sparse": scipy.sparse.csr_matrix(X),
    "forest": RandomForestClassifier(4, random_state=0).fit(X, Y),
    "boosting": GradientBoostingClassifier(n_estimators=3, random_state=0).fit(X, Y),
    "histogram boosting": HistGradientBoostingClassifier(max_iter=3).fit(X, Y),
    "neighbours": KNeighborsClassifier(algorithm="kd_tree").fit(X, Y),
    "pipeline": pipeline(),
}  # fmt: skip


@pytest.mark.parametrize("name", OBJECTS)
def test_copies_have_the_same_digest(name: str) -> None:
    value = OBJECTS[name]
    expected = fingerprint(value)
    assert fingerprint(pickle.loads(pickle.dumps(value))) == expected
    assert fingerprint(copy.deepcopy(value)) == expected
    assert fingerprint(value) == expected


def test_different_objects_have_different_digests() -> None:
    parts = [part for value in OBJECTS.values() for part in (value if isinstance(value, list) else [value])]
    digests = [fingerprint(part) for part in parts]
    assert len(set(digests)) == len(parts)


def test_models_fitted_alike_are_equal_and_others_are_not() -> None:
    assert fingerprint(pipeline()) == fingerprint(pipeline())
    assert fingerprint(pipeline()) != fingerprint(pipeline(depth=2))


def test_one_changed_weight_is_noticed() -> None:
    model = LogisticRegression().fit(X, Y)
    before = fingerprint(model)
    model.coef_[0, 1] = np.nextafter(model.coef_[0, 1], 9)
    assert fingerprint(model) != before


def test_one_changed_threshold_of_a_tree_is_noticed() -> None:
    model = RandomForestClassifier(2, random_state=0).fit(X, Y)
    before = fingerprint(model)
    model.estimators_[1].tree_.threshold[0] += 1e-9
    assert fingerprint(model) != before


def test_the_order_of_attributes_is_no_content() -> None:
    assert fingerprint(Plain(a=1, b=2)) == fingerprint(Plain(b=2, a=1))
    assert fingerprint(Plain(a=1, b=2)) != fingerprint(Plain(a=2, b=1))


def test_reading_a_sparse_matrix_does_not_change_it() -> None:
    matrix = scipy.sparse.csr_matrix(X)
    before = fingerprint(matrix)
    assert matrix.has_canonical_format
    assert matrix.has_sorted_indices
    assert fingerprint(matrix) == before


def test_a_cycle_through_an_object_ends() -> None:
    one, two = Plain(), Plain()
    one.me, two.me = one, two
    assert fingerprint(one) == fingerprint(two)
    assert fingerprint(one) != fingerprint(Plain(me=two))


def nested(depth: int) -> list:
    value: list = []
    for _ in range(depth):
        value = [value]
    return value


REFUSED = {
    "lambda": (lambda: 0, "x", "function '<lambda>' cannot be found by its name in module "),
    "model": (
        make_pipeline(StandardScaler(), FunctionTransformer(lambda v: v)),
        "x.steps[1][1].func",
        "function '<lambda>' cannot be found by its name in module ",
    ),
    "partial": (functools.partial(lambda v: v, 1), "x.args[0]", "function '<lambda>' cannot be found by its name in "),
    "generator": ((i for i in []), "x", "builtins.generator: cannot pickle 'generator' object"),
    "lock": ({"a": [Plain(lock=threading.Lock())]}, "x['a'][0].lock", "_thread.lock: cannot pickle"),
    "key": ({Plain: {Plain(f=open): Plain(g=lambda: 0)}}, "x[type][Plain].g", "function '<lambda>' cannot be found"),
    "module": ([types.ModuleType("made")], "x[0]", "module 'made' is not what importing its name gives"),
    "own state": ((Refusing(),), "x[0]", "Refusing: no state today"),
    "deep": (nested(100_000), "x", "it is nested too deeply"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_content_is_refused_and_named(name: str) -> None:
    value, part, reason = REFUSED[name]
    with pytest.raises(CannotFingerprint) as caught:
        fingerprint(value, "x")
    assert caught.value.part == part
    assert reason in caught.value.reason
    assert caught.value.message == f"cannot fingerprint {part}: {caught.value.reason}"
    assert caught.value.hint == (
        "keep it out of values that steps hand over, or define it as a function or class of the notebook"
    )


def test_a_module_is_known_by_its_name() -> None:
    assert fingerprint([pickle]) == fingerprint([pickle])
    assert fingerprint([pickle]) != fingerprint([copy])


def test_a_function_made_inside_another_is_refused() -> None:
    def inner() -> None: ...

    with pytest.raises(CannotFingerprint, match=r"inner' cannot be found by its name"):
        fingerprint(inner)
