from __future__ import annotations

import pytest
from msgspec.structs import replace

from nbmlops.pipeline.ir import Input, Parameter, ParameterType, Pipeline, RegisterStage, Step, StepMode
from nbmlops.pipeline.validate import mistakes


def step(name: str, **other: object) -> Step:
    bare = Step(name, name, StepMode.FUNCTION, "", (1,), ("c",), (), (), (), (), (), (), f"notebooks/{name}.ipynb", "")
    return replace(bare, **other)  # type: ignore[arg-type]  # tests name fields of the record


READ = step("read", outputs=("x",), parameters=("depth",), modules=("helpers",))
USE = step("use", inputs=(Input("x", "read"),), after=("read",))
PIPELINE = Pipeline(
    "flights", "", "../../a.ipynb", "../..", "", {}, "", (Parameter("depth", ParameterType.INT, 3),), (READ, USE),
    register=RegisterStage(Input("x", "read"), Input("x", "read"), "flights"),
)  # fmt: skip


def test_a_compiled_pipeline_has_no_mistakes() -> None:
    assert list(mistakes(PIPELINE)) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "../../x"}, "name: '../../x' is not a Python name"),
        ({"name": "class"}, "name: 'class' is not a Python name"),
        ({"root": "/"}, "the path '/' must be relative to the pipeline's folder"),
        ({"notebook": "/etc/a.ipynb"}, "the path '/etc/a.ipynb' must be relative to the pipeline's folder"),
        ({"steps": (READ, replace(USE, module="../x"))}, "step 'use': '../x' is not a Python name"),
        ({"steps": (READ, replace(USE, module="read"))}, "modules of steps: 'read' stands twice"),
        ({"steps": (READ, replace(USE, outputs=("x = 1",)))}, "step 'use': 'x = 1' is not a Python name"),
        (
            {"steps": (READ, replace(USE, notebook="a/../../x.ipynb"))},
            "step 'use': the notebook 'a/../../x.ipynb' must be inside the pipeline's folder",
        ),
        (
            {"steps": (READ, replace(USE, notebook="/x.ipynb"))},
            "step 'use': the notebook '/x.ipynb' must be inside the pipeline's folder",
        ),
        (
            {"steps": (READ, replace(USE, parameters=("width",)))},
            "step 'use' reads the parameter 'width', which is not declared",
        ),
        ({"steps": (READ, replace(USE, after=("use",)))}, "step 'use' comes after 'use', which is no earlier step"),
        (
            {"steps": (READ, replace(USE, inputs=(Input("x", "later"),)))},
            "step 'use' reads 'x' from 'later', which is no earlier step",
        ),
        (
            {"register": RegisterStage(Input("x", "gone"), None, "flights")},
            "a closing stage reads 'x' from 'gone', which is no earlier step",
        ),
    ],
)
def test_each_mistake_is_named(change: dict[str, object], message: str) -> None:
    assert list(mistakes(replace(PIPELINE, **change))) == [message]  # type: ignore[arg-type]  # as above


def test_a_parameter_that_is_code_is_no_name() -> None:
    name = "depth = __import__('os').system('true') #"
    parameters = (*PIPELINE.parameters, Parameter(name, ParameterType.INT, 3))
    assert list(mistakes(replace(PIPELINE, parameters=parameters))) == [f"parameters: {name!r} is not a Python name"]


def test_names_that_stand_twice_are_told_once() -> None:
    doubled = replace(PIPELINE, parameters=PIPELINE.parameters * 3)
    assert list(mistakes(doubled)) == ["parameters: 'depth' stands twice"]
