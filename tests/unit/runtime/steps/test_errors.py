from __future__ import annotations

import signal
import sys
import sysconfig
from pathlib import Path

import pytest

from nbmlops.core.errors import StepFailed
from nbmlops.pipeline.fields import Fields
from nbmlops.pipeline.ir import Pipeline, SourceLines, Step, StepMode
from nbmlops.pipeline.run_record import StepError
from nbmlops.runtime.layout import Layout
from nbmlops.runtime.steps.errors import Places, kernel_death, report_exception, step_error

ROOT = Path("/project")
FOLDER = ROOT / "pipelines" / "flights"
HELPERS = (SourceLines(8, 6, 3, "f", 2),)
LINES = (SourceLines(5, 3, 12, "a", 1), SourceLines(8, 2, 14, "b", 3))
TRAIN = Step("train", "train", StepMode.FUNCTION, "", (12, 14), ("a", "b"), (), (), (), (), (), (), "", "", LINES)
PLACES = Places(
    Pipeline("flights", "", "../../flights.ipynb", "../..", "", {}, "", (), (TRAIN,), lines={"helpers.py": HELPERS}),
    Layout(FOLDER, ROOT, "flights", ROOT, "flights.ipynb"),
)


def report(frames: list[list[object]], cause: object = None) -> Fields:
    document = {"name": "ValueError", "message": "no", "hint": "", "frames": frames, "cause": cause}
    return Fields(document, "report")


def test_frames_of_generated_modules_become_cells_and_lines() -> None:
    library = str(Path(sysconfig.get_paths()["purelib"]) / "sklearn" / "base.py")
    frames: list[list[object]] = [
        ["/tmp/ipykernel_1/2.py", 1, "<module>", "model = train(params)"],
        [str(FOLDER / "flights" / "train.py"), 9, "train", "fit(X)"],
        [str(FOLDER / "flights" / "helpers.py"), 3, "fit", "return model.fit(X)"],
        [library, 1363, "fit", "raise ValueError"],
    ]
    assert step_error(report(frames), PLACES) == StepError(
        name="ValueError",
        message="no",
        cell=14,
        line=4,
        traceback="Traceback (most recent call last):\n"
        "  flights.ipynb cell 14 line 4, in train\n"
        "    fit(X)\n"
        "  flights/helpers.py line 3, in fit\n"
        "    return model.fit(X)\n"
        "  sklearn/base.py line 1363, in fit\n"
        "    raise ValueError\n"
        "ValueError: no",
    )


def test_frames_of_shared_modules_become_cells_and_lines() -> None:
    frames: list[list[object]] = [
        [str(FOLDER / "flights" / "train.py"), 9, "train", "fit(X)"],
        [str(FOLDER / "flights" / "helpers.py"), 10, "fit", "return 1 / 0"],
    ]
    error = step_error(report(frames), PLACES)
    assert (error.cell, error.line) == (3, 4)
    assert error.traceback.splitlines()[1:5] == [
        "  flights.ipynb cell 14 line 4, in train",
        "    fit(X)",
        "  flights.ipynb cell 3 line 4, in fit",
        "    return 1 / 0",
    ]


def test_the_innermost_line_of_the_notebook_counts() -> None:
    module = str(FOLDER / "flights" / "train.py")
    frames: list[list[object]] = [[module, 5, "train", "x"], [module, 7, "inner", "y"], [module, 2, "generated", ""]]
    error = step_error(report(frames), PLACES)
    assert (error.cell, error.line) == (12, 3)
    assert "  flights/train.py line 2, in generated\n" in error.traceback


def test_a_name_that_a_step_did_not_bind_is_explained() -> None:
    module = str(FOLDER / "flights" / "train.py")
    document = {"name": "UnboundLocalError", "message": "'fig'", "hint": "", "cause": None}
    in_return = Fields({**document, "frames": [[module, 20, "train", "return fig"]]}, "report")
    in_cell = Fields({**document, "frames": [[module, 9, "train", "print(fig)"]]}, "report")
    hint = "a later step reads this name, but no line that binds it ran: bind it above, for example to None"
    assert [step_error(told, PLACES).hint for told in (in_return, in_cell)] == [hint, ""]


def test_what_led_to_the_error_comes_first() -> None:
    cause = {"name": "KeyError", "message": "'a'", "hint": "", "frames": [], "cause": None}
    error = step_error(report([["/tmp/x.py", 1, "f", "g"]], cause), PLACES)
    assert error.traceback == "KeyError: 'a'\n\nwhich led to:\n\nValueError: no"


def test_an_exception_is_reported_with_frames_and_cause() -> None:
    def fails() -> None:
        try:
            {}["a"]
        except KeyError as error:
            raise StepFailed("it failed", "try again") from error

    with pytest.raises(StepFailed) as caught:
        fails()
    found = Fields(report_exception_plain(caught.value), "report")
    assert [found.text(key) for key in ("name", "message", "hint")] == ["StepFailed", "it failed", "try again"]
    assert found.rows("frames", (str, int, str, str))[-1][2:] == (
        "fails",
        'raise StepFailed("it failed", "try again") from error',
    )
    assert found.child("cause").text("name") == "KeyError"


def report_exception_plain(error: BaseException) -> object:
    return dict(report_exception(error))


class Silent(Exception):
    """Cannot say what it is."""

    def __str__(self) -> str:
        raise RuntimeError


def test_texts_that_raise_or_are_endless_do_no_harm() -> None:
    assert report_exception(Silent())["message"] == "<no text: RuntimeError>"
    message = report_exception(ValueError("x" * 100_000))["message"]
    assert isinstance(message, str)
    assert len(message) == 4001


def test_an_endless_recursion_is_cut_short() -> None:
    def forever() -> None:
        forever()

    with pytest.raises(RecursionError) as caught:
        forever()
    frames = report_exception(caught.value)["frames"]
    assert isinstance(frames, list)
    assert len(frames) == 60


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (-signal.SIGKILL, "its process was killed by SIGKILL"),
        (-signal.SIGSEGV, "its process was killed by SIGSEGV"),
        (-99, "its process was killed by signal 99"),
        (3, "its process ended with exit code 3"),
        (None, "its process died"),
    ],
)
def test_a_dead_kernel_has_a_cause(code: int | None, message: str) -> None:
    hint = "the machine may have run out of memory: look at `dmesg`, use less data, or free memory"
    killed = code == -signal.SIGKILL and sys.platform == "linux"
    assert kernel_death(code, "tail") == StepError("DeadKernel", message, traceback="tail", hint=hint if killed else "")


def test_a_kernel_that_the_system_killed_for_memory_says_so() -> None:
    error = kernel_death(-signal.SIGKILL, "", out_of_memory=True)
    assert error.message == "its process was killed by SIGKILL: the system had run out of memory"
    assert error.hint == "use less data at a time, or give the machine or its container more memory"
