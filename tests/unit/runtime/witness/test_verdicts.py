"""Which names are compared at which border."""

from msgspec.structs import replace

from nbmlops.pipeline.ir import Input, MetricSource, Pipeline, RegisterStage, Step, StepMode
from nbmlops.runtime.witness.records import ALL
from nbmlops.runtime.witness.verdicts import names_at_borders


def step(name: str, reads: dict[str, str], hands_over: tuple[str, ...]) -> Step:
    inputs = tuple(Input(value, source) for value, source in reads.items())
    return Step(name, name, StepMode.FUNCTION, "", (), (), inputs, hands_over, (), (), (), (), "", "")


def pipeline(*steps: Step, **closing: object) -> Pipeline:
    return Pipeline("churn", "", "", "", "", {}, "", (), steps, **closing)


def test_outputs_and_what_later_steps_still_read() -> None:
    found = names_at_borders(
        pipeline(
            step("load", {}, ("df", "raw", "unused")),
            step("clean", {"raw": "load"}, ("df",)),  # binds df anew
            step("fit", {"df": "clean"}, ("model",)),
            step("report", {"raw": "load", "model": "fit"}, ()),
        )
    )
    assert found == {
        "load": ("df", "raw", "unused"),
        "clean": ("df", "raw"),
        "fit": ("raw", "model"),
        "report": (),
    }


def test_what_the_closing_stages_read_is_compared_to_the_end() -> None:
    closing = {
        "metrics": (MetricSource("auc", Input("auc", "score")),),
        "register": RegisterStage(Input("model", "fit"), Input("X", "load"), "churn"),
    }
    steps = (step("load", {}, ("X",)), step("fit", {"X": "load"}, ("model",)), step("score", {}, ("auc",)))
    assert names_at_borders(pipeline(*steps, **closing)) == {
        "load": ("X",),
        "fit": ("X", "model"),
        "score": ("X", "model", "auc"),
    }


def test_of_a_verbatim_step_everything_is_looked_at() -> None:
    verbatim = replace(step("load", {}, ("X",)), mode=StepMode.VERBATIM)
    assert names_at_borders(pipeline(verbatim, step("fit", {"X": "load"}, ()))) == {"load": ("X", ALL), "fit": ()}
