from __future__ import annotations

import textwrap

import pytest

from nbmlops.analysis.model import Effects, Statement, StatementKind
from nbmlops.compiler.bodies import cell_body, definition_lines, nodes_of, shown_units, units_of
from nbmlops.compiler.cells import CellText, read_cell
from nbmlops.notebook.model import Cell, CellKind


def cell_text(python: str) -> CellText:
    python = textwrap.dedent(python).strip("\n")
    return read_cell(Cell("id", 1, CellKind.CODE, python, python=python))


def statement(first: int, last: int = 0, *, shows: bool = False, index: int = 0) -> Statement:
    return Statement(1, first, last or first, first, StatementKind.CODE, Effects(), shows, index)


def body(python: str, kept: list[int] | None = None, *, shows: bool = False, plotting: set[str] | None = None) -> str:
    text = cell_text(python)
    indices = list(range(len(text.units))) if kept is None else kept
    shown = {len(text.units) - 1} if shows else set()
    lines = cell_body(text, indices, shown, plotting if plotting is not None else {"plt"}, "show")
    return "\n".join(line.text for line in lines)


def test_comments_and_formatting_are_kept() -> None:
    source = "# why\n\nx = [1,\n     2]   # odd spacing\n# after x\ny  =  1\n\n# at the end"
    assert body(source) == source


def test_a_comment_leaves_with_the_statement_below_it() -> None:
    source = """
        # a helper

        def f():
            return 1


        # the data
        x = f()
        # plots
        def g(): pass
    """
    assert body(source, [1]) == "# the data\nx = f()"


def test_the_comment_above_an_import_stays_where_code_follows_at_once() -> None:
    assert body("# read it\nimport pandas as pd\nimport os\ndf = pd.read_csv('x')", [2]) == (
        "# read it\ndf = pd.read_csv('x')"
    )
    assert body("# libraries\nimport pandas as pd\n\ndf = pd.read_csv('x')", [1]) == "df = pd.read_csv('x')"


def test_statements_on_one_line_are_put_on_lines_of_their_own() -> None:
    assert body("import os; x = 1; y = [\n  2]; z = 3  # three", [1, 2, 3]) == "x = 1\ny = [\n  2]\nz = 3  # three"


SHOWN = [
    ("df.head()", "show(df.head())"),
    ("df.head()  # look", "show(df.head())  # look"),
    ("a, b", "show((a, b))"),
    ("(a, b)", "show((a, b))"),
    ("(a), b", "show(((a), b))"),
    ("*a, b", "show((*a, b))"),
    ("(x for x in y)", "show((x for x in y))"),
    ("(n := 5)", "show(n := 5)"),
    ("(df\n .mean())  # all", "show(df\n     .mean())  # all"),
    ("(\n    df\n    .mean()\n)", "show(\n    df\n    .mean()\n)"),
    ("df.groupby(\n    'a'\n).mean()  # m", "show(\n    df.groupby(\n        'a'\n    ).mean()\n)  # m"),
    ("f('''a\n b''')", "show(\n    f('''a\n b''')\n)"),
    ("print(x)", "print(x)"),
    ("None", "None"),
    ("...", "show(...)"),
    ("lambda: 1", "show(lambda: 1)"),
]


@pytest.mark.parametrize(("source", "expected"), SHOWN)
def test_the_displayed_expression_is_wrapped(source: str, expected: str) -> None:
    assert body(source, shows=True) == expected
    compile(expected, "cell", "exec")


PLOTS = [
    ("plt.plot(x);", False, "plt.plot(x)\nshow()"),
    ("plt.plot(x)", True, "show(plt.plot(x))"),
    ("plt.plot(x)\nplt.show()", True, "plt.plot(x)\nplt.show()"),
    ("ax = df.plot()", False, "ax = df.plot()\nshow()"),
    ("df.hist()\nprint(1)", True, "df.hist()\nprint(1)\nshow()"),
    (
        "CalibrationDisplay.from_estimator(m, x, y)\nx = 1",
        False,
        "CalibrationDisplay.from_estimator(m, x, y)\nx = 1\nshow()",
    ),
    ("x = 1", False, "x = 1"),
]


@pytest.mark.parametrize(("source", "shows", "expected"), PLOTS)
def test_figures_are_flushed_where_the_cell_ended(source: str, shows: bool, expected: str) -> None:
    assert body(source, shows=shows) == expected


def test_a_cell_of_comments_stays() -> None:
    assert body("# df.head()\n# nothing") == "# df.head()\n# nothing"


def test_statements_of_one_line_are_told_apart_by_their_place() -> None:
    text = cell_text("a.b(1); import os; a.b(1)")
    assert units_of(text, [statement(1, index=2), statement(1, index=0)]) == [0, 2]
    assert [type(node).__name__ for node in nodes_of({1: text}, [statement(1, index=1)])] == ["Import"]


def test_a_definition_is_taken_out_of_its_line() -> None:
    text = cell_text("# why\na = 1; f = lambda: (\n    1\n); b = 2  # two\ng = lambda: 3  # three")
    found = [definition_lines(text, Statement(1, 2, 4, 2, StatementKind.DEFINITION, Effects(), index=1))]
    found.append(definition_lines(text, Statement(1, 5, 5, 5, StatementKind.DEFINITION, Effects(), index=3)))
    assert [[line.text for line in lines] for lines in found] == [
        ["f = lambda: (", "    1", ")"],
        ["g = lambda: 3  # three"],
    ]


def test_only_the_last_statement_is_shown() -> None:
    text = cell_text("x = 1\nx")
    assert shown_units(text, [statement(1), statement(2, shows=True, index=1)]) == {1}
    assert shown_units(text, [statement(1)]) == set()
