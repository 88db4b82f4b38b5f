"""From `-p` texts and sweep files to a plan, and what is said of those that make no sense."""

from __future__ import annotations

import pytest

from nbmlops.app.sweep.plan import Method, Objective, SweepPlan, objective_of, plan_of_file, plan_of_texts
from nbmlops.app.sweep.space import Choices, Range
from nbmlops.core.errors import ConfigError, UsageError
from nbmlops.gate.policy import Direction, Policy, Rule
from nbmlops.pipeline.ir import Parameter, ParameterType, Pipeline

AUC = Objective("auc", Direction.HIGHER)
POLICY = Policy((Rule("odd", "oddness", min=1.0), Rule("floor", "auc", min=0.7)))


@pytest.fixture
def pipeline() -> Pipeline:
    return Pipeline(
        name="churn",
        title="Churn",
        notebook="../churn.ipynb",
        root="..",
        notebook_digest="n",
        cell_digests={},
        version="v",
        parameters=(
            Parameter("depth", ParameterType.INT, 3),
            Parameter("rate", ParameterType.FLOAT, 0.1),
            Parameter("label", ParameterType.STR, "a"),
            Parameter("kind", ParameterType.STR, "l1", choices=("l1", "l2")),
            Parameter("columns", ParameterType.LIST, []),
            Parameter("since", ParameterType.DATE, "2024-01-01"),
        ),
        steps=(),
    )


def test_values_with_commas_are_points_and_the_rest_is_fixed(pipeline: Pipeline) -> None:
    texts = ("depth=3, 5,5", "kind=l1,l2", "since=2024-01-01,2024-02-01", "rate=0.5", "label=a,b", "columns=[1,2]")
    space = {
        "depth": Choices((3, 5)),
        "kind": Choices(("l1", "l2")),
        "since": Choices(("2024-01-01", "2024-02-01")),
    }
    fixed = {"rate": 0.5, "label": "a,b", "columns": [1, 2]}
    assert plan_of_texts(pipeline, texts, "", POLICY) == SweepPlan(space, AUC, fixed)


def test_texts_with_one_value_each_are_no_sweep(pipeline: Pipeline) -> None:
    assert plan_of_texts(pipeline, ("depth=3", "label=a,b"), "", POLICY) is None


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (("depth=3,x",), "the parameter 'depth' must be an int, not the text 'x'"),
        (("depth=3,5", "depth=4"), "the parameter 'depth' is given twice"),
        (("depth=3,5", "depth=4,6"), "the parameter 'depth' is given twice"),
        (("depht=3,5",), "'depht' is not a parameter of the pipeline 'churn'"),
        (("kind=l1,l3",), "the parameter 'kind' must be one of 'l1', 'l2', not 'l3'"),
    ],
)
def test_what_is_wrong_with_a_value_is_said(pipeline: Pipeline, texts: tuple[str, ...], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        plan_of_texts(pipeline, (*texts, "rate=1,2"), "", POLICY)
    assert caught.value.message == message


def test_too_many_points_are_refused(pipeline: Pipeline) -> None:
    many = ",".join(map(str, range(40)))
    with pytest.raises(UsageError, match="the sweep has 1,600 points; 1,000 is the most"):
        plan_of_texts(pipeline, (f"depth={many}", f"rate={many}"), "", POLICY)


FILE = """
method = "random"
points = 8
seed = 3
metric = "cost"
direction = "lower"

[parameters]
depth = [3, 5]
rate = { low = 0.01, high = 0.3, log = true }
columns = [["a"], ["a", "b"]]
since = [2024-01-01, 2024-02-01]
"""


def test_a_file_is_read_whole(pipeline: Pipeline) -> None:
    space = {
        "depth": Choices((3, 5)),
        "rate": Range(0.01, 0.3, log=True),
        "columns": Choices((["a"], ["a", "b"])),
        "since": Choices(("2024-01-01", "2024-02-01")),
    }
    objective = Objective("cost", Direction.LOWER)
    plan = plan_of_file(pipeline, FILE, "sweep.toml", ("label=x",), "", POLICY)
    assert plan == SweepPlan(space, objective, {"label": "x"}, Method.RANDOM, 8, 3)
    assert plan.total == 8
    assert plan_of_file(pipeline, FILE, "sweep.toml", (), "auc", POLICY).objective == AUC


BROKEN = """\
method = "grid"
point = 3
"""
FAULTY = """\
points = 0
direction = "lower"

[parameters]
depht = [3]
depth = { low = 1.5, high = 3 }
rate = { low = 0.1, high = 0.3 }
label = { low = 1, high = 2 }
kind = []
columns = "a"
"""


def test_every_fault_of_a_file_is_named_with_its_line(pipeline: Pipeline) -> None:
    with pytest.raises(ConfigError) as caught:
        plan_of_file(pipeline, BROKEN, "sweep.toml", (), "", POLICY)
    assert str(caught.value) == (
        "sweep.toml has 2 faults:\n"
        "sweep.toml line 1: parameters: required, but not given\n"
        "sweep.toml line 2: point: unknown key\n"
        "  did you mean 'points'?"
    )
    with pytest.raises(ConfigError) as caught:
        plan_of_file(pipeline, FAULTY, "sweep.toml", (), "", POLICY)
    assert str(caught.value) == (
        "sweep.toml has 8 faults:\n"
        "sweep.toml line 1: points: must be from 1 to 1000, but is 0\n"
        "sweep.toml line 2: direction: belongs to a metric\n"
        '  add metric = "auc"\n'
        "sweep.toml line 5: parameters.depht: 'depht' is not a parameter of the pipeline 'churn'\n"
        "  did you mean 'depth'?\n"
        "sweep.toml line 6: parameters.depth: is an int, so its range needs whole numbers\n"
        "  write it as { low = 0.01, high = 0.3 }, with step = … or log = true if you like\n"
        "sweep.toml line 7: parameters.rate: a grid needs values or a step\n"
        '  add step, or method = "random"\n'
        "sweep.toml line 8: parameters.label: is no number, so it has no range\n"
        "  give its values as an array\n"
        "sweep.toml line 9: parameters.kind: has no values\n"
        "  write kind = [VALUE, VALUE]\n"
        "sweep.toml line 10: parameters.columns: "
        "the parameter 'columns' must be a list of plain values, not the text 'a'\n"
        "  give it as columns='[1, 2]' (JSON or a Python literal)"
    )


def test_what_is_best_is_declared_known_or_the_first_rule_that_tells() -> None:
    assert objective_of("", POLICY) == AUC
    assert objective_of("cost:lower", POLICY) == Objective("cost", Direction.LOWER)
    assert objective_of("rmse", POLICY) == Objective("rmse", Direction.LOWER)
    with pytest.raises(UsageError, match="nobody says whether a higher cost is better"):
        objective_of("cost", POLICY)
    with pytest.raises(UsageError, match="'up' is no direction of a metric"):
        objective_of("cost:up", POLICY)
    with pytest.raises(UsageError, match="nobody says which point of the sweep is the best"):
        objective_of("", Policy())
