from __future__ import annotations

import ast
import textwrap

import pytest

from nbmlops.compiler.cells import CellText, Line, function_text, indent, own, read_cell, read_cells, tidy
from nbmlops.notebook.model import Cell, CellKind, Notebook


def cell_text(python: str, number: int = 3) -> CellText:
    return read_cell(Cell("id", number, CellKind.CODE, python, python=python))


def texts(lines: list[Line]) -> list[str]:
    return [line.text for line in lines]


def test_statements_are_cut_by_character_also_behind_wide_characters() -> None:
    text = cell_text('é = "ü"; b = 2  # beide')
    assert [text.statement(index) for index in range(2)] == [
        ([Line('é = "ü"', 3, 1)], ""),
        ([Line("b = 2", 3, 1)], "  # beide"),
    ]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("plt.plot(x);", ("plt.plot(x)", "")),
        ("plt.plot(x) ;  # quiet", ("plt.plot(x)", "   # quiet")),
        ("x = 1# tight", ("x = 1", "  # tight")),
        ("x = 1   # wide", ("x = 1", "   # wide")),
    ],
)
def test_a_last_semicolon_goes_and_the_comment_stays(source: str, expected: tuple[str, str]) -> None:
    lines, comment = cell_text(source).statement(0)
    assert ("\n".join(texts(lines)), comment) == expected


def test_gaps_belong_to_the_statement_below_and_the_directive_is_ours() -> None:
    text = cell_text("# nbmlops: step=train\n# why\nx = 1\n\n# end")
    assert [texts(text.gap(0)), texts(text.gap(1))] == [["# why"], ["", "# end"]]


def test_comments_above_are_the_block_directly_above() -> None:
    text = cell_text("# far\n\n# near\n# nearer\nx = 1")
    assert texts(text.comments_above(0)) == ["# near", "# nearer"]


STRINGS = [
    'x = """a\n  b\n"""\n',
    "x = f'''a\n {1 +\n 2} b\n'''\ny = 1",
    "x = 'a\\\n  b'",
    'if True:\n    x = """\n\tq\n"""',
    "x = f\"\"\"{f'''in\nner'''}\n  tail\"\"\"",
]


@pytest.mark.parametrize("source", STRINGS)
def test_indenting_never_changes_a_string(source: str) -> None:
    text = cell_text(source)
    body = indent([text.line(number) for number in range(1, len(text.lines) + 1)])
    function = ast.parse("def f():\n" + "\n".join(texts(body))).body[0]
    assert isinstance(function, ast.FunctionDef)
    assert [ast.dump(node) for node in function.body] == [ast.dump(node) for node in ast.parse(source).body]


def test_blank_lines_are_thinned_but_not_those_of_strings() -> None:
    text = cell_text('\n\nx = """\n\n\n"""\n\n\n\ny = 2\n\n')
    lines = [text.line(number) for number in range(1, len(text.lines) + 1)]
    assert texts(tidy(lines)) == ['x = """', "", "", '"""', "", "y = 2"]
    assert tidy(own("", "")) == []


def test_global_becomes_nonlocal_in_definitions_and_pass_outside() -> None:
    source = textwrap.dedent('''
        if True:
            global z
            z = 1
        def f():
            """global x"""
            global x, y
            x = y = 1
        class A:
            global w
            w = 2
    ''')
    assert "\n".join(function_text(cell_text(source)).lines) == textwrap.dedent('''
        if True:
            pass
            z = 1
        def f():
            """global x"""
            nonlocal x, y
            x = y = 1
        class A:
            nonlocal w
            w = 2
    ''')


def test_a_cell_without_scope_statements_is_left_alone() -> None:
    text = cell_text("x = 1")
    assert function_text(text) is text


def test_decorators_belong_to_their_function() -> None:
    text = cell_text("x = 1\n@cache\ndef f():\n    return 1")
    assert [(unit.first, unit.last) for unit in text.units] == [(1, 1), (2, 4)]


def test_only_cells_with_code_are_read() -> None:
    cells = (
        Cell("a", 1, CellKind.MARKDOWN, "# Title"),
        Cell("b", 2, CellKind.CODE, "%matplotlib inline", python=""),
        Cell("c", 3, CellKind.CODE, "x = 1", python="x = 1"),
    )
    assert list(read_cells(Notebook("n.ipynb", "n", cells))) == [3]


@pytest.mark.parametrize(
    ("source", "fixed"),
    [
        ('x = (\n    "one"\n    "line"\n)', set()),
        ('x = """a\nb"""\ny = f("c", """\n  d\n""")', {2, 4, 5}),
        ('x = f"""a {y}\nb {\n    z\n}"""', {2, 3, 4}),
        ("x = b'''a\nb'''", {2}),
        ('# """\nx = 1\n# """', set()),
    ],
)
def test_lines_that_begin_inside_a_string_are_known(source: str, fixed: set[int]) -> None:
    assert cell_text(source).fixed == fixed
