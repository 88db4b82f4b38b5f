"""The text of verifying, whole."""

import pytest

from nbmlops.app.verify.report import ComparedStep, ComparedValue, Status, Verification
from nbmlops.cli.blocks import plain
from nbmlops.cli.render_verify import verification_blocks
from tests.fakes import verify_results as results


def text(found: Verification) -> str:
    return plain(tuple(verification_blocks(found)))


def test_every_difference_is_told_below_the_table() -> None:
    assert (
        text(results.DIFFERENT)
        == """\
  step    status            values                       outputs of cells  logged
  load    nondeterministic  1 equal, 1 nondeterministic  1 equal           none
  train   different         1 different, 1 uncompared    1 different       1 equal
  report  not reached       none                         none              none

load: value now is nondeterministic: 1 and 2
train: the step fails in the pipeline: ValueError: no
train: value model is different: .coef_: <b>1</b> & 2
train: what cell 3 shows is different: printed: 'a' in the notebook, 'b' in the pipeline
train: value handle is uncompared: it is open
load, train ran in one process: handle cannot be stored
left out where outputs were compared: times
different: notebook and pipeline do not agree (values: 1 equal, 1 different, 1 nondeterministic, 1 uncompared; \
outputs: 1 equal, 1 different; logged: 1 equal)
"""
    )


def test_agreement() -> None:
    assert (
        text(results.EQUAL)
        == """\
  step  status  values  outputs of cells
  load  equal   none    none

equal: notebook and pipeline agree
"""
    )


def test_a_refused_notebook() -> None:
    assert (
        text(results.REFUSED)
        == """\
error[NB203]: 'df' is not known
  --> churn.ipynb cell 3
  hint: bind it

1 error
refused: the notebook cannot be compiled; correct the errors above
"""
    )


def test_a_notebook_that_fails_itself() -> None:
    assert (
        text(results.FAILED)
        == """\
Traceback …
ValueError: no
failed: the notebook itself fails in cell 2: ValueError: no
hint: run it top to bottom in a fresh kernel; files that it reads must lie in the project
"""
    )


@pytest.mark.parametrize("number", [5, 7])
def test_many_differences_of_a_step_are_counted(number: int) -> None:
    values = tuple(ComparedValue(f"v{n}", Status.DIFFERENT, "x") for n in range(number))
    lines = text(Verification("a.ipynb", Status.DIFFERENT, None, (ComparedStep("one", (1,), values=values),)))
    assert [line for line in lines.splitlines() if line.startswith("one: ")] == [
        *(f"one: value v{n} is different: x" for n in range(5)),
        *([f"one: and {number - 5} more that are different"] if number > 5 else []),
    ]
