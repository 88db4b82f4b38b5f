"""Which steps may show the text of a name's error, and why they then need the notebook's namespace."""

from __future__ import annotations

import pytest

from nbmlops.analysis.analyze import analyze

MAYBE = ("step:a", "flag = 0\nif flag:\n    extra = 1")


def reasons(build, *cells):
    return [step.reason for step in analyze(build(*cells)).steps]


@pytest.mark.parametrize(
    "handler",
    [
        "except NameError as e:\n    print(e)",
        "except (KeyError, Exception) as e:\n    print(type(e))",
        "except UnboundLocalError:\n    pass",
        "except:\n    import sys\n    print(sys.exc_info())",
        "except Exception:\n    import logging\n    logging.exception('failed')",
    ],
)
def test_a_handler_that_looks_at_the_error(build, handler):
    assert reasons(build, MAYBE, ("step:b", f"try:\n    extra\n{handler}")) == [
        "",
        "cell 2: 'extra' may have no value, and the text of that error is looked at",
    ]


@pytest.mark.parametrize(
    "code",
    [
        "try:\n    extra\nexcept NameError:\n    print('none')",
        "try:\n    extra\nexcept KeyError as e:\n    print(e)",
        "try:\n    flag\nexcept NameError as e:\n    print(e)",
        "extra = 1\ntry:\n    extra\nexcept NameError as e:\n    print(e)",
        "print(extra)\ntry:\n    flag / 0\nexcept Exception as e:\n    print(e)",
    ],
)
def test_no_other_text_can_be_seen(build, code):
    assert reasons(build, MAYBE, ("step:b", code)) == ["", ""]


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("try:\n    f(1)\nexcept TypeError as e:\n    print(e)", "f"),
        ("try:\n    g(1)\nexcept (ValueError, TypeError) as e:\n    print(e)", "f"),
        ("try:\n    h(1)\nexcept TypeError as e:\n    print(e)", ""),
        ("try:\n    f(1)\nexcept TypeError:\n    print(1)", ""),
        ("try:\n    f(1)\nexcept ValueError as e:\n    print(e)", ""),
    ],
)
def test_errors_of_calls(build, source, name):
    shared = "def f(x):\n    return x + k\ndef g(x):\n    return f(x)\ndef h(x):\n    return x"
    steps = analyze(build(("functions", shared), ("step:a", "k = 1"), ("step:b", source))).steps
    assert [step.reason for step in steps] == ["", f"cell 3: an error of calling '{name}' is looked at" if name else ""]
