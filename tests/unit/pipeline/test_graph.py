import msgspec
import pytest

from nbmlops.pipeline.graph import ancestors, descendants, mermaid, predecessors
from nbmlops.pipeline.ir import GateStage, Input, MetricSource, Pipeline, RegisterStage, Step, StepMode


def step(name: str, *inputs: Input, after: tuple[str, ...] = (), metrics: tuple[str, ...] = ()) -> Step:
    return Step(name, name, StepMode.FUNCTION, "", (), (), inputs, (), after, (), (), (), "", "", metrics=metrics)


PIPELINE = Pipeline(
    name="churn",
    title="",
    notebook="n.ipynb",
    root=".",
    notebook_digest="",
    cell_digests={},
    version="",
    parameters=(),
    steps=(
        step("load"),
        step("plot", Input("df", "load")),
        step("split", *(Input(name, "load") for name in ("df", "a", "b", "c"))),
        step("train", Input("X", "split"), after=("plot",), metrics=("auc",)),
    ),
    metrics=(MetricSource("f1", Input("f1", "train")),),
    gate=GateStage(),
    register=RegisterStage(Input("model", "train"), Input("X", "split"), 'the "best" <#1>'),
)


def test_what_a_step_needs_and_what_needs_it() -> None:
    assert predecessors(PIPELINE.step("train")) == {"split", "plot"}
    assert {s.name: ancestors(PIPELINE, s.name) for s in PIPELINE.steps} == {
        "load": frozenset(),
        "plot": {"load"},
        "split": {"load"},
        "train": {"load", "plot", "split"},
    }
    assert {s.name: descendants(PIPELINE, s.name) for s in PIPELINE.steps} == {
        "load": {"plot", "split", "train"},
        "plot": {"train"},
        "split": {"train"},
        "train": frozenset(),
    }


def test_an_unknown_step_is_an_error() -> None:
    with pytest.raises(KeyError, match="nothing"):
        ancestors(PIPELINE, "nothing")
    with pytest.raises(KeyError, match="nothing"):
        descendants(PIPELINE, "nothing")


def test_the_picture() -> None:
    assert mermaid(PIPELINE) == (
        "flowchart TD\n"
        '    s1["load"]\n'
        '    s2["plot"]\n'
        '    s3["split"]\n'
        '    s4["train"]\n'
        '    s1 -->|"df"| s2\n'
        '    s1 -->|"df, a, b and 1 more"| s3\n'
        "    s2 --> s4\n"
        '    s3 -->|"X"| s4\n'
        '    gate{{"gate"}}\n'
        '    s4 -->|"f1"| gate\n'
        '    s4 -->|"auc"| gate\n'
        '    register(["register the #quot;best#quot; #lt;#35;1#gt;"])\n'
        "    gate --> register\n"
        '    s4 -->|"model"| register\n'
        '    s3 -->|"X"| register\n'
    )


def test_a_pipeline_without_closing_stages_shows_its_steps_only() -> None:
    plain = msgspec.structs.replace(PIPELINE, gate=None, register=None, steps=PIPELINE.steps[:1])
    assert mermaid(plain) == 'flowchart TD\n    s1["load"]\n'
