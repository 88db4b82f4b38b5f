"""What is displayed, which comments belong to a statement, what becomes of it."""

from __future__ import annotations

import pytest

from nbmlops.analysis.model import StatementKind

SHOWN = [
    "df.head()",
    "x",
    "(1,\n 2)",
    "x  # the end",
    "df.describe(); y",
    "'text'",
    "plt.plot([1])",
    "df.to_csv()",
    "index.append(other)",
    "%mlops data x",
    "%mlops metric auc 0.5",
    "f(x)",
    "await_ = 1\nawait_",
    "df.fillna(0, inplace=True)",
    "df.index.append(other)",
    "import polars\nfound = polars.read_csv('x')\nfound.extend(found)",
]
HIDDEN = [
    "df.head();",
    "df.head() ;  # quiet",
    "x = 1",
    "None",
    "print(1)",
    "display(1)",
    "plt.show()",
    "df.to_csv('x.csv')",
    "df.to_csv(path_or_buf='x.csv')",
    "df.dropna(inplace=True)",
    "xs = []\nxs.extend([1])",
    "xs = {1}\nxs.add(2)",
    "df.head()\nx = 1",
    "if x:\n    df.head()",
    "df.head()\n%mlops status",
    "df.head()\n%matplotlib inline",
    "df.head()\n%mlops gate",
    "df.info()",
    "def f(): pass",
]


def last(analyzed, source):
    found = analyzed(("imports", "import matplotlib.pyplot as plt"), ("step:a", source))
    return found.steps[0].statements[-1] if found.steps[0].statements else found.definitions[-1].statement


@pytest.mark.parametrize("source", SHOWN)
def test_displayed(source, analyzed):
    assert last(analyzed, source).shows


@pytest.mark.parametrize("source", HIDDEN)
def test_not_displayed(source, analyzed):
    assert not last(analyzed, source).shows


def test_only_the_last_expression_of_each_cell_is_displayed(analyzed):
    found = analyzed(("step:a", "x = 1\nx\nx"), ("", "x"))
    assert [(s.cell, s.first) for s in found.steps[0].statements if s.shows] == [(1, 3), (2, 1)]


COMMENTED = """\
# nbmlops: step=a
# one
# two
x = 1

# not mine

y = 2
z = 3  # behind
# mine
@staticmethod
def f(): pass
f()"""


def test_comments_above(analyzed):
    found = analyzed(("", COMMENTED))
    assert [(s.first, s.last, s.comments_from) for s in found.steps[0].statements] == [
        (4, 4, 2),
        (8, 8, 8),
        (9, 9, 9),
        (13, 13, 13),
    ]
    function = found.definitions[0].statement
    assert (function.first, function.last, function.comments_from) == (11, 12, 10)


KINDS = {
    "import os": StatementKind.IMPORT,
    "from os import path as p": StatementKind.IMPORT,
    "def f(): pass": StatementKind.DEFINITION,
    "async def f(): pass": StatementKind.DEFINITION,
    "class C: pass": StatementKind.DEFINITION,
    "f = lambda x: x": StatementKind.DEFINITION,
    "N = 1": StatementKind.CONSTANT,
    "N: int = -60 * 60": StatementKind.CONSTANT,
    "N = ('a', None, True, 1.5)": StatementKind.CONSTANT,
    "N = [1]": StatementKind.CODE,
    "N = {}": StatementKind.CODE,
    "N = M = 1": StatementKind.CODE,
    "N = len('abc')": StatementKind.CODE,
    "N = 1\nN = 2": StatementKind.CODE,
    "N = 1\ndef f():\n    global N\n    N = 2": StatementKind.CODE,
    "warnings.filterwarnings('ignore')": StatementKind.SETTING,
    "plt.rcParams['figure.dpi'] = 100": StatementKind.SETTING,
    "if os.environ.get('CI'):\n    pd.set_option('display.width', 1)": StatementKind.SETTING,
    "random.seed(0)": StatementKind.CODE,
    "print(1)": StatementKind.CODE,
}


@pytest.mark.parametrize("source", KINDS)
def test_kinds_of_shared_statements(source, graph):
    above = "import os, random, warnings\nimport matplotlib.pyplot as plt\nimport pandas as pd"
    found = graph(("imports", above), ("imports", source), ("step:a", "x = 1"))
    assert next(unit.kind for unit in found.units if unit.cell.number == 2) is KINDS[source]
