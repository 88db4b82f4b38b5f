import pytest

import nbmlops
from nbmlops.core.errors import UsageError
from nbmlops.ipython.evaluate import evaluate_call, shorten


def test_the_call_sees_the_namespace_and_nbmlops_without_binding_it():
    namespace = {"x": 2}
    assert evaluate_call("(nbmlops, x + 1)", "x", namespace, namespace) == (nbmlops, 3)
    assert {name for name in namespace if name != "__builtins__"} == {"x"}


def test_comprehensions_and_lambdas_see_the_namespace():
    namespace = {"x": 2, "values": [1, 2]}
    assert evaluate_call("[value * x for value in values]", "", namespace, namespace) == [2, 4]
    assert evaluate_call("(lambda: x)()", "", namespace, namespace) == 2


def test_a_walrus_binds_in_the_namespace():
    namespace = {"x": 2}
    assert evaluate_call("(y := x + 1)", "", namespace, namespace) == 3
    assert namespace["y"] == 3


def test_a_variable_of_the_users_named_nbmlops_survives():
    namespace = {"nbmlops": "mine"}
    assert evaluate_call("nbmlops", "", namespace, namespace) is nbmlops
    assert namespace["nbmlops"] == "mine"


def test_locals_of_a_function_come_first_and_are_not_spilled():
    namespace = {"x": 1}
    assert evaluate_call("(z := x + y)", "", namespace, {"x": 10, "y": 5}) == 15
    assert "z" not in namespace


def test_the_users_exception_comes_through():
    with pytest.raises(NameError, match="name 'missing' is not defined"):
        evaluate_call("missing", "data missing", {}, {})


def test_our_errors_are_shown_as_message_and_hint():
    error = shorten(UsageError("no run", "put `%mlops track` first"))
    assert error._render_traceback_() == ["UsageError: no run", "hint: put `%mlops track` first"]
    assert shorten(UsageError("no run"))._render_traceback_() == ["UsageError: no run"]
