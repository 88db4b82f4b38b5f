"""Step interfaces of small notebooks: the rows of the table of tricky cases that static analysis decides."""

from __future__ import annotations

import pytest

from nbmlops.analysis.model import ClosingNames, ImportedName, Placement, StatementKind
from nbmlops.pipeline.ir import DataUse, Input

IMPORTS = ("imports", "import numpy as np\nimport pandas as pd")
FRAME = ("step:a", "import pandas as pd\ndf = pd.read_csv('flights.csv')")
TRICKY = {
    "alias changed in one step, read by its first name in another": (
        [("step:a", "df = []\nx = df"), ("step:b", "x.append(3)"), ("step:c", "print(df)")],
        {"a": "-> df x", "b": "df@a x@a -> df", "c": "df@b ->"},
    ),
    "alias inside a step": (
        [FRAME, ("step:b", "x = df\nx['late'] = 1"), ("step:c", "print(df)")],
        {"a": "-> df", "b": "df@a -> df", "c": "df@b ->"},
    ),
    "two names of one list cross a border": (
        [("step:a", "p = [1]\nq = p"), ("step:b", "p.append(2)\nprint(q is p)")],
        {"a": "-> p q", "b": "p@a q@a ->"},
    ),
    "function changes a global frame": (
        [FRAME, ("step:b", "def add():\n    df['late'] = 1\nadd()"), ("step:c", "print(df)")],
        {"a": "-> df", "b": "df@a -> df", "c": "df@b ->"},
    ),
    "inplace": (
        [FRAME, ("step:b", "df.dropna(inplace=True)"), ("step:c", "print(df)")],
        {"a": "-> df", "b": "df@a -> df", "c": "df@b ->"},
    ),
    "inplace on a column": (
        [FRAME, ("step:b", "df['a'].fillna(0, inplace=True)"), ("step:c", "print(df)")],
        {"a": "-> df", "b": "df@a -> df", "c": "df@b ->"},
    ),
    "store through loc": (
        [FRAME, ("step:b", "df.loc[df.a > 1, 'b'] = 0"), ("step:c", "print(df)")],
        {"a": "-> df", "b": "df@a -> df", "c": "df@b ->"},
    ),
    "diamond: both branches change it": (
        [
            ("step:a", "d = {}"),
            ("step:b prev:a", "d['b'] = 1"),
            ("step:c prev:a", "d['c'] = 1"),
            ("step:d", "print(d)"),
        ],
        {"a": "-> d", "b": "d@a -> d", "c": "d@b -> d", "d": "d@c ->"},
    ),
    "global set by a function": (
        [
            ("functions", "def f():\n    global k\n    k = 2"),
            ("step:a", "k = 1\nprint(k)"),
            ("step:b", "f()"),
            ("step:c", "print(k)"),
        ],
        {"a": "->", "b": "-> k", "c": "k@b ->"},
    ),
    "global that no cell binds at the top level": (
        [("functions", "def f():\n    global k\n    k = 2"), ("step:b", "f()\nprint(k)"), ("step:c", "print(k)")],
        {"b": "-> k", "c": "k@b ->"},
    ),
    "augmented assignment": (
        [("step:a", "x = 1"), ("step:b", "x += 1"), ("step:c", "print(x)")],
        {"a": "-> x", "b": "x@a -> x", "c": "x@b ->"},
    ),
    "variables named like builtins": (
        [("step:a", "sum = 3\nid = 4"), ("step:b", "print(sum, id)")],
        {"a": "-> sum id", "b": "sum@a id@a ->"},
    ),
    "comprehension and lambda have names of their own": (
        [
            ("step:a", "k = 1\nd = 2"),
            ("step:b", "z = [k for k in range(3)]\ny = (lambda d: d)(2)"),
            ("step:c", "print(k, d, z)"),
        ],
        {"a": "-> k d", "b": "-> z", "c": "k@a d@a z@b ->"},
    ),
    "bound on one path only": (
        [("step:a", "mode = 'a'\nflag = False"), ("step:b", "if flag:\n    mode = 'b'"), ("step:c", "print(mode)")],
        {"a": "-> mode flag", "b": "mode@a flag@a -> mode", "c": "mode@b ->"},
    ),
    "bound on both paths": (
        [
            ("step:a", "mode = 'a'\nflag = False"),
            ("step:b", "if flag:\n    mode = 'b'\nelse:\n    mode = 'c'"),
            ("step:c", "print(mode)"),
        ],
        {"a": "-> flag", "b": "flag@a -> mode", "c": "mode@b ->"},
    ),
    "the other path raises": (
        [
            ("step:a", "flag = False"),
            ("step:b", "if flag:\n    mode = 'b'\nelse:\n    raise ValueError"),
            ("step:c", "print(mode)"),
        ],
        {"a": "-> flag", "b": "flag@a -> mode", "c": "mode@b ->"},
    ),
    "bound in try, with a value from before": (
        [
            ("step:a", "v = 1"),
            ("step:b", "try:\n    v = int('x')\nexcept ValueError:\n    pass"),
            ("step:c", "print(v)"),
        ],
        {"a": "-> v", "b": "v@a -> v", "c": "v@b ->"},
    ),
    "bound in try and in its handler": (
        [
            ("step:a", "v = 1"),
            ("step:b", "try:\n    v = int('x')\nexcept ValueError:\n    v = 0"),
            ("step:c", "print(v)"),
        ],
        {"a": "->", "b": "-> v", "c": "v@b ->"},
    ),
    "bound in a loop": (
        [
            ("step:a", "best = 0\nxs = []"),
            ("step:b", "for x in xs:\n    best = max(best, x)"),
            ("step:c", "print(best)"),
        ],
        {"a": "-> best xs", "b": "best@a xs@a -> best", "c": "best@b ->"},
    ),
    "async def in one step, run in another": (
        [
            ("step:a", "import asyncio\nasync def f():\n    return 1"),
            ("step:b", "x = asyncio.run(f())"),
            ("step:c", "print(x)"),
        ],
        {"a": "->", "b": "-> x", "c": "x@b ->"},
    ),
    "walrus and match": (
        [
            ("step:a", "if (n := 10) > 5:\n    pass\nmatch [1, 2]:\n    case [p, *q]:\n        pass"),
            ("step:b", "print(n, p, q)"),
        ],
        {"a": "-> n p q", "b": "n@a p@a q@a ->"},
    ),
    "del": (
        [("step:a", "x = 1\ny = 2"), ("step:b", "del x"), ("step:c", "x = 3\nprint(x, y)")],
        {"a": "-> x y", "b": "x@a ->", "c": "y@a ->"},
    ),
    "f-string, its format too": (
        [("step:a", "width = 5\nv = 1.0"), ("step:b", "print(f'{v:{width}.2f}')")],
        {"a": "-> width v", "b": "width@a v@a ->"},
    ),
    "annotations that are strings read nothing": (
        [("step:a", "x = 1"), ("step:b", "y: 'x' = 2\nprint(y)")],
        {"a": "->", "b": "->"},
    ),
    "unicode names": ([("step:a", "größe = 1"), ("step:b", "print(größe)")], {"a": "-> größe", "b": "größe@a ->"}),
    "late binding: the value of the moment": (
        [
            ("functions", "def f():\n    return k"),
            ("step:a", "k = 1\nprint(k)"),
            ("step:b", "k = 2"),
            ("step:c", "print(f())"),
        ],
        {"a": "->", "b": "-> k", "c": "k@b ->"},
    ),
    "lambda with a global": (
        [("step:a", "k = 1\ng = lambda x: x * k"), ("step:b", "print(g(2))")],
        {"a": "-> k", "b": "k@a ->"},
    ),
    "functions that call functions": (
        [
            ("functions", "def f():\n    return g()\ndef g():\n    return h()\ndef h():\n    return k"),
            ("step:a", "k = 1"),
            ("step:b", "print(f())"),
        ],
        {"a": "-> k", "b": "k@a ->"},
    ),
    "recursion": (
        [("functions", "def f(n):\n    return n and f(n - 1) + k"), ("step:a", "k = 1"), ("step:b", "print(f(3))")],
        {"a": "-> k", "b": "k@a ->"},
    ),
    "method that reads a global": (
        [("step:a", "class C:\n    def m(self):\n        return k\nk = 1\nc = C()"), ("step:b", "print(k)")],
        {"a": "-> k", "b": "k@a ->"},
    ),
    "state of a functions cell": (
        [
            ("functions", "CACHE = {}\ndef f(x):\n    CACHE[x] = 1\n    return len(CACHE)"),
            ("step:a", "print(f(1))"),
            ("step:b", "print(f(2))"),
        ],
        {"setup": "-> CACHE", "a": "CACHE@setup -> CACHE", "b": "CACHE@a ->"},
    ),
    "id made in an imports cell": (
        [("imports", "import uuid\nID = uuid.uuid4()"), ("step:a", "print(ID)"), ("step:b", "print(ID)")],
        {"setup": "-> ID", "a": "ID@setup ->", "b": "ID@setup ->"},
    ),
    "loop over a tuple of frames": (
        [
            FRAME,
            ("step:b", "train, test = df[:5], df[5:]"),
            ("step:c", "for d in (train, test):\n    d['x'] = 1"),
            ("step:d", "print(train, test)"),
        ],
        {"a": "-> df", "b": "df@a -> train test", "c": "train@b test@b -> train test", "d": "train@c test@c ->"},
    ),
    "generator object as state": (
        [
            IMPORTS,
            ("step:a", "rng = np.random.default_rng(0)"),
            ("step:b", "x = rng.normal()"),
            ("step:c", "print(rng.normal(), x)"),
        ],
        {"a": "-> rng", "b": "rng@a -> rng x", "c": "rng@b x@b ->"},
    ),
    "name in a query": (
        [
            FRAME,
            ("step:b", "limit = 3"),
            ("step:c", "late = df.query('delay > @limit and a == @ limit')"),
            ("step:d", "print(late)"),
        ],
        {"a": "-> df", "b": "-> limit", "c": "df@a limit@b -> late", "d": "late@c ->"},
    ),
    "names in pd.eval": (
        [IMPORTS, ("step:a", "p = pd.Series([1])\nq = pd.Series([2])"), ("step:b", "s = pd.eval('p + q')\nprint(s)")],
        {"a": "-> p q", "b": "p@a q@a ->"},
    ),
    "parameter bound again": (
        [("parameters", "n = 1"), ("step:a", "n = n + 1"), ("step:b", "print(n)")],
        {"a": "-> n", "b": "n@a ->"},
    ),
    "argument changed by the notebook's own function": (
        [
            FRAME,
            ("functions", "def add(frame):\n    frame['x'] = 1\ndef more(f):\n    add(frame=f)"),
            ("step:b", "more(df)"),
            ("step:c", "print(df)"),
        ],
        {"a": "-> df", "b": "df@a -> df", "c": "df@b ->"},
    ),
    "argument copied by the notebook's own function": (
        [
            FRAME,
            ("functions", "def add(frame):\n    frame = frame.copy()\n    frame['x'] = 1\n    return frame"),
            ("step:b", "new = add(df)"),
            ("step:c", "print(df, new)"),
        ],
        {"a": "-> df", "b": "df@a -> new", "c": "df@a new@b ->"},
    ),
    "fitting a pipeline fits its parts": (
        [
            ("imports", "from sklearn.pipeline import make_pipeline\nfrom sklearn.linear_model import Ridge"),
            ("step:a", "ridge = Ridge()\npipe = make_pipeline(ridge)\nX = y = [1]"),
            ("step:b", "pipe.fit(X, y)"),
            ("step:c", "print(ridge.coef_)"),
        ],
        {"a": "-> ridge pipe X y", "b": "ridge@a pipe@a X@a y@a -> ridge", "c": "ridge@b ->"},
    ),
    "unknown function may change what it is given": (
        [("imports", "from our_library import clean"), FRAME, ("step:b", "clean(df)"), ("step:c", "print(df)")],
        {"a": "-> df", "b": "df@a -> df", "c": "df@b ->"},
    ),
    "Kale's metrics cell belongs to the last step": (
        [("step:a", "acc = 0.5"), ("step:b", "loss = 1.0"), ("pipeline-metrics", "print(acc)\nprint(loss)")],
        {"a": "-> acc", "b": "acc@a -> loss"},
    ),
}


@pytest.mark.parametrize("name", TRICKY)
def test_interfaces(name, interfaces):
    cells, expected = TRICKY[name]
    assert interfaces(*cells) == expected


IDIOMS = {
    "reading does not hand over": (
        [
            FRAME,
            (
                "step:b",
                "print(df.shape)\ndf.head()\ndf.groupby('carrier').delay.mean().plot(kind='bar')\n"
                "for name, group in df.groupby('origin'):\n    print(name, len(group))\n"
                "df.describe().to_csv('described.csv')\nby = df['delay'].map(lambda d: d > 15)\nby.value_counts()",
            ),
            ("step:c", "print(df)"),
        ],
        {"a": "-> df", "b": "df@a ->", "c": "df@a ->"},
    ),
    "a column taken out and changed": (
        [FRAME, ("step:b", "y = df['late']\ny[0] = 1\nX = df[['a', 'b']]\nX['c'] = 1"), ("step:c", "print(df, X, y)")],
        {"a": "-> df", "b": "df@a -> y X", "c": "df@a y@b X@b ->"},
    ),
    "sklearn": (
        [
            (
                "imports",
                "from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split\nfrom sklearn.svm import SVC\nimport matplotlib.pyplot as plt",
            ),
            ("step:a", "X, y = [1], [2]\ngrid = {'C': [1]}"),
            (
                "step:b",
                "X_train, X_test, y_train, y_test = train_test_split(X, y)\nsvc = SVC()\nprint(cross_val_score(svc, X, y))",
            ),
            ("step:c", "search = GridSearchCV(svc, grid)\nsearch.fit(X_train, y_train)"),
            (
                "step:d",
                "fig, ax = plt.subplots()\nax.scatter(X_test, search.predict(X_test))\nax.set_title('x')\nplt.show()",
            ),
            ("step:e", "print(X, y, grid, svc, X_train, X_test, y_train, search, y_test)"),
        ],
        {
            "a": "-> X y grid",
            "b": "X@a y@a -> X_train X_test y_train y_test svc",
            "c": "grid@a X_train@b y_train@b svc@b -> search",
            "d": "X_test@b search@c ->",
            "e": "X@a y@a grid@a X_train@b X_test@b y_train@b y_test@b svc@b search@c ->",
        },
    ),
    "two results of one call are two things": (
        [
            ("functions", "def split(d):\n    return d[:1], d[1:]"),
            FRAME,
            ("step:b", "train, test = split(df.copy())"),
            ("step:c", "train['x'] = 1"),
            ("step:d", "print(train, test)"),
        ],
        {"a": "-> df", "b": "df@a -> train test", "c": "train@b -> train", "d": "train@c test@b ->"},
    ),
    "results of two calls are two things": (
        [
            ("functions", "def prepare(d):\n    d = d.dropna()\n    return d"),
            FRAME,
            ("step:b", "train = prepare(df)\ntest = prepare(df)"),
            ("step:c", "train['x'] = 1"),
            ("step:d", "print(train, test)"),
        ],
        {"a": "-> df", "b": "df@a -> train test", "c": "train@b -> train", "d": "train@c test@b ->"},
    ),
    "numbers have no inside": (
        [
            ("step:a", "n = 3\nscores = []"),
            ("step:b", "m = n\nm += 1\nscores.append(m)"),
            ("step:c", "print(n, scores)"),
        ],
        {"a": "-> n scores", "b": "n@a scores@a -> scores", "c": "n@a scores@b ->"},
    ),
}


@pytest.mark.parametrize("name", IDIOMS)
def test_idiomatic_cells_hand_over_what_a_person_would_return(name, interfaces):
    cells, expected = IDIOMS[name]
    assert interfaces(*cells) == expected


def test_numpy_slices_are_views(interfaces):
    cells = [IMPORTS, ("step:a", "x = np.zeros(3)"), ("step:b", "v = x[1:]\nv[0] = 1"), ("step:c", "print(x)")]
    assert interfaces(*cells) == {"a": "-> x", "b": "x@a -> x", "c": "x@b ->"}


def test_order_edges_come_from_data_and_from_tags(analyzed):
    found = analyzed(("step:a", "x = 1"), ("step:b", "open('out', 'w')"), ("step:c prev:b", "print(x)"))
    assert {step.name: step.after for step in found.steps} == {"a": (), "b": (), "c": ("a", "b")}


def test_facts_of_a_step(analyzed):
    found = analyzed(
        ("imports", "import pandas as pd\nfrom pathlib import Path\nTARGET = 'late'\n\nSCALE: float = -2.5 * 60"),
        ("functions", "def scaled(x):\n    return x * SCALE * weight\n\ndef plain(x):\n    return pd.Series(x)"),
        ("parameters", "weight = 2"),
        (
            "step:a",
            "# the flights\ndf = pd.read_csv(Path('data') / 'flights.csv')\n"
            "%mlops data df --name flights --context training\ny = plain(scaled(df[TARGET]))\ndf.to_csv('out.csv')\n"
            "with open('notes.txt', 'w') as f:\n    f.write('x')",
        ),
        ("step:b", "%mlops metric size len(y)\nimport os\ndisplay(y)"),
    )  # fmt: skip
    assert found.diagnostics == ()
    first, second = found.steps
    assert (first.name, first.cells, first.parameters, first.outputs) == ("a", (4,), ("weight",), ("y",))
    assert first.imports == {"pd", "Path", "nbmlops"}
    assert first.definitions == {"plain", "TARGET", "SCALE"}
    assert first.rebuilt == ("scaled",)
    assert (first.files, first.metrics, first.data) == (("data/flights.csv",), (), (DataUse("flights", "training"),))
    assert [(s.first, s.last, s.comments_from, s.kind) for s in first.statements] == [
        (2, 2, 1, StatementKind.CODE),
        (3, 3, 3, StatementKind.CODE),
        (4, 4, 4, StatementKind.CODE),
        (5, 5, 5, StatementKind.CODE),
        (6, 7, 6, StatementKind.CODE),
    ]
    assert (second.inputs, second.metrics, second.imports) == ((Input("y", "a"),), ("size",), {"nbmlops", "display"})
    assert ImportedName("display", "IPython.display", "display") in found.imports
    assert [constant.name for constant in found.constants] == ["TARGET", "SCALE"]
    scaled, plain = found.definitions
    assert (scaled.placement, scaled.uses, scaled.reads) == (Placement.STEP, {"SCALE"}, {"weight"})
    assert (plain.placement, plain.uses, plain.imports) == (Placement.MODULE, frozenset(), {"pd"})


def test_settings_of_shared_cells(analyzed):
    found = analyzed(
        (
            "imports",
            "import os\nimport pandas as pd\npd.set_option('display.width', 100)\npd.options.display.max_rows = 5\nos.environ['A'] = '1'",
        ),
        ("step:a", "with pd.option_context('display.width', 7):\n    print(1)"),
    )
    assert found.diagnostics == ()
    assert [(setting.first, setting.kind) for setting in found.settings] == [
        (n, StatementKind.SETTING) for n in (3, 4, 5)
    ]
    assert [step.name for step in found.steps] == ["a"]


def test_seeding_is_code_of_the_setup_step(analyzed):
    found = analyzed(("imports", "import numpy as np\nnp.random.seed(0)"), ("step:a", "x = np.random.rand()"))
    assert [(step.name, len(step.statements)) for step in found.steps] == [("setup", 1), ("a", 1)]
    assert found.diagnostics == ()


def test_a_docstring_makes_no_setup_step(analyzed):
    found = analyzed(("imports", '"""All imports."""\nimport os'), ("step:a", "x = 1"))
    assert [step.name for step in found.steps] == ["a"]


def test_shared_code_joins_a_first_step_of_the_same_name(interfaces):
    assert interfaces(("imports", "items = []"), ("step:setup", "items.append(1)"), ("step:b", "print(items)")) == {
        "setup": "-> items",
        "b": "items@setup ->",
    }


def test_setup_definitions_that_read_data_early_stay_in_their_step(analyzed):
    found = analyzed(("step:a", "n = 3\ndef f(x=n):\n    return x\ny = f()"), ("step:b", "print(y)"))
    assert found.diagnostics == ()
    assert [(s.first, s.kind) for s in found.steps[0].statements] == [
        (1, StatementKind.CODE),
        (2, StatementKind.DEFINITION),
        (4, StatementKind.CODE),
    ]
    assert found.steps[0].rebuilt == ()


def test_closing_values_come_from_the_register_line_and_from_metrics_cells(analyzed):
    found = analyzed(
        ("step:a", "model = object()\nX = [1]\nacc = 1.0"),
        ("pipeline-metrics", "print(acc)"),
        ("", "%mlops gate\n%mlops register model --data X"),
    )
    assert found.closing == {name: Input(name, "a") for name in ("model", "X", "acc")}
    assert found.steps[0].outputs == ("model", "X", "acc")
    assert found.diagnostics == ()


def test_closing_values_come_from_the_configuration(analyzed):
    closing = ClosingNames("model", "X", {"accuracy": "acc"})
    found = analyzed(("step:a", "model = object()\nX = [1]"), ("step:b", "acc = 1.0"), closing=closing)
    assert found.closing == {"model": Input("model", "a"), "X": Input("X", "a"), "acc": Input("acc", "b")}


def test_a_notebook_without_tags_is_one_step(analyzed):
    found = analyzed(("", "x = 1"), ("", "print(x)"))
    assert [(step.name, step.cells, step.outputs) for step in found.steps] == [("main", (1, 2), ())]


def test_analysing_twice_gives_the_same(build):
    from nbmlops.analysis.analyze import analyze

    cells = [cell for row, _ in TRICKY.values() for cell in row[-1:]]
    notebook = build(*[(f"step:s{n}", text) for n, (_, text) in enumerate(cells)])
    assert analyze(notebook) == analyze(notebook)
