"""Which names a step may not have: bound on some paths, and read by nobody for sure."""

from __future__ import annotations

import pytest

from nbmlops.analysis.model import NotebookAnalysis


def unsure(analysis: NotebookAnalysis) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    return {step.name: (step.unsure_inputs, step.unsure_outputs) for step in analysis.steps}


def test_a_name_of_a_branch_that_a_later_branch_reads_may_be_unbound(analyzed) -> None:
    analysis = analyzed(
        ("step:a", "n = 1\nif n > 1:\n    only = 5"),
        ("step:b", "print(only if n > 1 else 0)"),
    )

    assert unsure(analysis) == {"a": ((), ("only",)), "b": (("only",), ())}


@pytest.mark.parametrize(
    "reader",
    [
        "print(model)", "model.fit()", "x = [v for v in model]", "if model:\n    x = 1", "for part in model:\n    pass",
        "with model:\n    pass", "match model:\n    case _:\n        pass", "model += 1", "assert model",
    ],
)  # fmt: skip
def test_a_name_that_a_later_step_reads_whenever_it_runs_is_bound_in_every_notebook_that_completes(
    analyzed, reader: str
) -> None:
    analysis = analyzed(
        ("step:a", "parts = [1]\nfor part in parts:\n    model = part"), ("step:b", "y = 1"), ("step:c", reader)
    )

    assert unsure(analysis) == {"a": ((), ()), "b": ((), ()), "c": ((), ())}


@pytest.mark.parametrize(
    "reader",
    [
        "try:\n    print(model)\nexcept NameError:\n    pass", "print(lambda: model)", "y = [model for v in ()]",
        "print(0 and model)", "print(1 if True else model)", "print(2 < 1 < model)", "while False:\n    print(model)",
        "if False:\n    model = 3\nelse:\n    print(model)",
    ],
)  # fmt: skip
def test_a_read_that_may_not_happen_says_nothing(analyzed, reader: str) -> None:
    analysis = analyzed(("step:a", "parts = [1]\nfor part in parts:\n    model = part"), ("step:b", reader))

    assert unsure(analysis)["b"][0] == ("model",)


@pytest.mark.parametrize(
    "reader",
    [
        "model = told()", "model: object = told()", "print((model := told()) + model)", "print(made() + model)",
        "model = made() + model", "first, model = told(), 1", "print(told())",
    ],
)  # fmt: skip
def test_a_function_that_asks_for_a_name_which_the_statement_binds_itself_says_nothing(analyzed, reader: str) -> None:
    told = "def told():\n    try:\n        return model\n    except NameError:\n        return 0"
    made = "def made():\n    global model\n    if told() == 0:\n        model = 1\n    return model"
    analysis = analyzed(
        ("functions", f"{told}\n{made}"),
        ("step:a", "parts = [1]\nfor part in parts:\n    model = part"),
        ("step:b", reader),
    )

    assert unsure(analysis) == {"a": ((), ("model",)), "b": (("model",), ())}


@pytest.mark.parametrize("reader", ["model = model + told()", "model += told()", "model.x = told()", "told() + model"])
def test_a_read_beside_such_a_function_counts(analyzed, reader: str) -> None:
    told = "def told():\n    try:\n        return model\n    except NameError:\n        return 0"
    analysis = analyzed(
        ("functions", told), ("step:a", "parts = [1]\nfor part in parts:\n    model = part"), ("step:b", reader)
    )

    assert unsure(analysis) == {"a": ((), ()), "b": ((), ())}


def test_a_name_changed_through_another_one_need_not_be_bound(analyzed) -> None:
    analysis = analyzed(
        ("step:a", "xs = [1]\nif len(xs) > 1:\n    ys = xs"),
        ("step:b", "xs.append(2)"),
        ("step:c", "print(xs)"),
    )

    assert [step.outputs for step in analysis.steps] == [("xs",), ("xs",), ()]
    assert unsure(analysis) == {"a": ((), ()), "b": ((), ()), "c": ((), ())}
