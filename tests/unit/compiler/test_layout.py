from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbmlops.compiler.layout import bracketed, cells_of, docstring, names_of, plain_text, sentence


def test_brackets_are_wrapped_as_ruff_format_wraps_them() -> None:
    assert bracketed("f(", ["a", "b"], ")") == ["f(a, b)"]
    names = [f"argument_{number}" for number in range(7)]
    assert bracketed("def train(", names, "):") == ["def train(", f"    {', '.join(names)}", "):"]
    names = [f"argument_number_{number}" for number in range(7)]
    assert bracketed("def train(", names, "):") == ["def train(", *(f"    {name}," for name in names), "):"]
    assert bracketed("f" * 100 + "(", [], ")") == ["f" * 100 + "()"]


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ((4,), "cell 4"),
        ((4, 5), "cells 4 and 5"),
        ((9, 4, 5, 6, 6), "cells 4-6 and 9"),
        ((1, 3, 5), "cells 1, 3 and 5"),
    ],
)
def test_cells_are_named_as_a_person_writes_them(numbers: tuple[int, ...], text: str) -> None:
    assert cells_of(numbers) == text


def test_names_and_sentences() -> None:
    assert [names_of([]), names_of(["a"]), names_of(["a", "b", "c"])] == ["", "a", "a, b and c"]
    assert [sentence("Fit it"), sentence("Why?"), sentence("")] == ["Fit it.", "Why?", ""]


@given(st.text(), st.lists(st.text(), max_size=2))
def test_a_docstring_is_data_whatever_it_says(summary: str, details: list[str]) -> None:
    lines = docstring(summary, details, indent="    ")
    function = ast.parse("\n".join(["def f():", *lines, "    return 1"])).body[0]
    assert isinstance(function, ast.FunctionDef)
    assert len(function.body) == 2
    found = ast.get_docstring(function, clean=False) or ""
    assert found.split("\n")[0] == plain_text(summary)


def test_hostile_headings_stay_inert() -> None:
    for text in ['"""', 'ends with "', "ends with \\", '\\"""+exit()+"""', "${{ x }} $(rm) `id`", "a\nb\x00c\u2028d"]:
        lines = docstring(text)
        assert ast.get_docstring(ast.parse("\n".join(lines)), clean=False) == plain_text(text)
