"""Whether a call surely gives what a function takes."""

from __future__ import annotations

import ast

import pytest

from nbmlops.analysis.flow.call_fits import fits, signatures


def _call(text: str) -> ast.Call:
    node = ast.parse(text, mode="eval").body
    assert isinstance(node, ast.Call)
    return node


def _taken(text: str) -> ast.arguments:
    node = ast.parse(f"lambda {text}: 0", mode="eval").body
    assert isinstance(node, ast.Lambda)
    return node.args


@pytest.mark.parametrize(
    ("call", "taken"),
    [
        ("f()", ""),
        ("f(1, 2)", "a, b"),
        ("f(1, b=2)", "a, b"),
        ("f(1)", "a, b=2"),
        ("f(1, 2, 3, k=4)", "a, *more, k"),
        ("f(k=1, z=2)", "*, k, j=3, **others"),
    ],
)
def test_calls_that_fit(call: str, taken: str) -> None:
    assert fits(_call(call), _taken(taken))


@pytest.mark.parametrize(
    ("call", "taken"),
    [
        ("f()", "a"),
        ("f(1)", ""),
        ("f(1, a=2)", "a, b=1"),
        ("f(z=1)", "a=0"),
        ("f(1)", "a, *, k"),
        ("f(a=1)", "a, /"),
        ("f(*given)", "a"),
        ("f(**given)", "**others"),
    ],
)
def test_calls_that_may_not_fit(call: str, taken: str) -> None:
    assert not fits(_call(call), _taken(taken))


def test_methods_and_classes_are_given_their_object() -> None:
    tree = ast.parse("class Box:\n    def __init__(self, size): ...\n    def grow(self, by=1): ...")
    known = signatures({"Box": tree.body[0], "twice": ast.parse("lambda x: 2 * x", mode="eval").body})
    found = {
        text: known.misfit([ast.parse(text)])
        for text in ("Box(1)", "Box()", "box.grow()", "box.grow(1, 2)", "twice(1)", "twice()", "other()")
    }
    assert found == {
        "Box(1)": "",
        "Box()": "Box",
        "box.grow()": "",
        "box.grow(1, 2)": "grow",
        "twice(1)": "",
        "twice()": "twice",
        "other()": "",
    }
