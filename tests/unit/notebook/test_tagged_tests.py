"""Cells tagged `test`: the call that runs their tests, and what could let a test go unnoticed."""

from __future__ import annotations

import ast

import pytest

from nbmlops.notebook.behaviour import CellTests, cell_tests
from nbmlops.notebook.model import Magic, MagicAction
from nbmlops.notebook.reader import parse_notebook

TESTS = "def test_b(model, X, /, *, y, n=3, **rest):\n    ...\n\n\ndef test_a(X, seed=1, *more):\n    ..."
CALL = "nbmlops.api.test(test_b, test_a, model=model, X=X, y=y)"


def test_functions_and_the_values_that_they_ask_for() -> None:
    tests = cell_tests(f"helper = 3\n{TESTS}\ndef helper_test(z): ...\nclass T:\n    def test_c(self): ...")
    assert tests == CellTests(("test_b", "test_a"), ("model", "X", "y"), 2)
    assert tests.call == CALL
    assert tests.code == CALL
    ast.parse(tests.live_call)
    long = CellTests(("test_" + "a" * 80,), ("model", "X"))
    assert long.code == f"nbmlops.api.test(\n    {long.names[0]},\n    model=model,\n    X=X,\n)"
    assert cell_tests("x = (") == CellTests((), ())


@pytest.mark.parametrize("cell", [(TESTS, "test"), (TESTS, "test", "step:behave"), (f"# nbmlops: test\n{TESTS}",)])
def test_the_tag_is_one_more_line(ipynb, cell: tuple[str, ...]) -> None:
    notebook = parse_notebook(ipynb(("model = X = y = 1", "step:train"), cell), "x.ipynb")
    assert notebook.diagnostics == ()
    found = notebook.cells[1]
    assert found.python == f"{cell[0]}\n{CALL}"
    line = 2 if cell[0].startswith("#") else 1
    assert found.magics == (Magic(line, "the tag `test`", MagicAction.CALL, "runs the cell's behaviour tests", CALL),)
    assert "test" in found.tags


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (
            [("from checks import test_late", "test")],
            [("NB128", "the cell is tagged `test`, but defines no function `test_...`")],
        ),
        (
            [(TESTS, "test", "raises-exception")],
            [("NB129", "the cell is tagged `test` and `raises-exception`: after an error its tests would not run")],
        ),
        (
            [("def test_a(): ...", "test"), ("x = 1",), ("def test_a(): ...", "test")],
            [("NB129", "the behaviour test 'test_a' has the name of one in cell 2")],
        ),
        (
            [("def test_a(): assert 0\ndef test_a(): ...", "test")],
            [("NB129", "the behaviour test 'test_a' would not run: it is defined again below")],
        ),
        (
            [("def test_a(): ...\nif X:\n    with X:\n        def test_b(): ...", "test")],
            [("NB129", "the behaviour test 'test_b' would not run: it is defined again below, or inside of a block")],
        ),
        (
            [("def test_a(): ...\nclass T:\n    def test_b(self): ...", "test")],
            [("NB129", "the behaviour test 'test_b' would not run: it is defined again below, or inside of a block")],
        ),
        ([("def test_a():\n    def test_b(): ...", "test")], []),
        (
            [("import checks\n%mlops test checks.test_a(X)\n%mlops test checks.test_a(model)",)],
            [("NB129", "the behaviour test 'test_a' has the name of one in cell 2")],
        ),
        (
            [("import checks\n%mlops test checks.test_a(X)",), ("def test_a(): ...", "test")],
            [("NB129", "the behaviour test 'test_a' has the name of one in cell 2")],
        ),
        (
            [("import checks\n%mlops test checks(X)", "raises-exception")],
            [("NB129", "the cell runs behaviour tests and is tagged `raises-exception`: after an error they would")],
        ),
        ([("import checks\n%mlops test checks(X)",), ("%mlops test checks.test_a(X)", "skip")], []),
        ([("def test_a(): ...", "test"), ("def test_a(): ...", "test", "skip"), ("def test_a(): ...",)], []),
        ([("%mlops gate",), ("def test_a(): ...", "test")], [("NB122", "`nbmlops.api.test` is called below the gate")]),
        ([("def test_a(): ...", "tests")], [("NB130", "the tag `tests` is not known")]),
        ([("# nbmlops: tset\nx = 1",)], [("NB131", "`# nbmlops:` does not know `tset`")]),
    ],
)
def test_what_is_told(ipynb, cells: list[tuple[str, ...]], told: list[tuple[str, str]]) -> None:
    notebook = parse_notebook(ipynb(("model = X = y = 1", "step:train"), *cells), "x.ipynb")
    found = [(one.code, one.message) for one in notebook.diagnostics]
    assert [code for code, _ in found] == [code for code, _ in told]
    assert all(message.startswith(start) for (_, message), (_, start) in zip(found, told, strict=True))
