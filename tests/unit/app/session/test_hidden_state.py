"""Whether a notebook would end with the values that are there, decided from what ran and what stands in the file."""

from __future__ import annotations

import pytest

from nbmlops.app.session.hidden_state import CellNow, Reproducible, hidden_state
from nbmlops.tracking.cells import CellOutcome, CellRun

YES = Reproducible(answer=True)
SAVED = 1_000


def notebook(*sources: str) -> list[CellNow]:
    return [CellNow(f"c{number}", number, source) for number, source in enumerate(sources, 1)]


def ran(*cells: tuple[str, str], outcome: CellOutcome = CellOutcome.DONE) -> list[CellRun]:
    return [CellRun(source, cell, 0, 500, 0.1, outcome) for cell, source in cells]


def no(*reasons: str) -> Reproducible:
    return Reproducible(False, reasons)


A, B, C = ("c1", "x = 1"), ("c2", "y = x + 1"), ("c3", "z = y * 2")
ABC = notebook(A[1], B[1], C[1])


@pytest.mark.parametrize(
    ("cells", "runs", "expected"),
    [
        pytest.param(ABC, ran(A, B, C), YES, id="in order"),
        pytest.param(ABC, ran(A, B), YES, id="as far as it got"),
        pytest.param(ABC, ran(A, A, B, B, C), YES, id="cells that may run again"),
        pytest.param(ABC, ran(B, A, B, C), YES, id="mended by running on"),
        pytest.param(
            ABC,
            ran(B, A, C),
            no("cell 2 ran before cell 1, and both use `x`"),
            id="out of order",
        ),
        pytest.param(notebook("x = 1", "a = 2"), ran(("c2", "a = 2"), A), YES, id="out of order without effect"),
        pytest.param(
            notebook("n = 0", "n = n + 1"),
            ran(("c1", "n = 0"), ("c2", "n = n + 1"), ("c2", "n = n + 1")),
            no("cell 2 ran 2 times and changes `n` each time"),
            id="run twice",
        ),
        pytest.param(
            notebook("rows = []", "rows.append(1)"),
            ran(("c1", "rows = []"), ("c2", "rows.append(1)"), ("c2", "rows.append(1)")),
            no("cell 2 ran 2 times and changes `rows` each time"),
            id="changed in place twice",
        ),
        pytest.param(
            notebook("n = 0", "n = n + 1"),
            ran(("c1", "n = 0"), ("c2", "n = n + 1"), ("c1", "n = 0"), ("c2", "n = n + 1")),
            YES,
            id="run twice from the top",
        ),
        pytest.param(
            notebook("x = 2", B[1]), ran(A, B), no("cell 1 was edited after it ran"), id="edited after running"
        ),
        pytest.param(notebook("x = 1  # one", B[1]), ran(A, B), YES, id="comment edited"),
        pytest.param(
            notebook(B[1]), ran(("gone", "x = 1"), ("c1", B[1])),
            no("`x` came from a cell that was deleted or edited since"), id="deleted",
        ),
        pytest.param(notebook(A[1]), ran(A, ("gone", "print(x)")), YES, id="deleted without effect"),
        pytest.param(
            ABC, ran(A, C), no("cell 2 did not run, but it changes `y`"), id="left out"
        ),
        pytest.param(
            notebook("import numpy as np\nx = 1", "x += 1"),
            [*ran(("c1", "import numpy as np\nx = 1")), *ran(("c2", "x += 1"), outcome=CellOutcome.FAILED)],
            no("cell 2 ended in an error, and `x` may be half done"),
            id="half done",
        ),
        pytest.param(ABC, ran(A, B) + ran(("c3", "z = = 2"), outcome=CellOutcome.REFUSED), YES, id="never began"),
        pytest.param(
            notebook("def f(v):\n    v.append(1)", "a = []\nb = a", "f(b)"),
            ran(("c1", "def f(v):\n    v.append(1)"), ("c2", "a = []\nb = a"), ("c3", "f(b)"), ("c3", "f(b)")),
            no("cell 3 ran 2 times and changes `a`, `b` each time"),
            id="changed by a function under another name",
        ),
    ],
)  # fmt: skip
def test_reasons(cells: list[CellNow], runs: list[CellRun], expected: Reproducible):
    assert hidden_state(runs, cells, SAVED) == expected


def test_looking_at_values_twice_changes_nothing():
    load, look = "import pandas as pd\ndf = pd.DataFrame({'a': [1]})", "print(df)\ndf.head(2)\nlen(df), df.a.mean()"
    runs = ran(("c1", load), ("c2", look), ("c2", look))
    assert hidden_state(runs, notebook(load, look), SAVED) == YES


def test_cells_without_ids_are_told_apart_by_their_text():
    runs = ran(("", "x = 1"), ("", "# Parameters\nx = 5"), ("", "y = x + 1 "))
    assert hidden_state(runs, notebook("x = 1", "y = x + 1"), SAVED) == YES


def test_what_ran_after_saving_is_newer_than_the_file():
    runs = [CellRun("x = 2", "c1", started=2_000), CellRun("y = x + 1", "c2", started=2_001)]
    assert hidden_state(runs, notebook("x = 1", "y = x + 1"), SAVED) == YES


def test_cells_that_are_not_saved_yet_cannot_be_judged():
    runs = [*ran(A), CellRun("y = x", "new", started=2_000)]
    reason = "cells that ran are not saved yet; save the notebook to have them looked at"
    assert hidden_state(runs, notebook("x = 1"), SAVED) == Reproducible(None, (reason,))
    assert str(hidden_state(runs, notebook("x = 1"), SAVED)) == f"unknown, because {reason}"


def test_cells_of_front_ends_without_ids_are_known_by_their_texts_when_they_are_saved():
    """VS Code tells no id of the file; what was edited and has run is not in the file before it is saved."""
    runs = [CellRun("x = 2", started=2_000), CellRun("y = x", started=2_001)]
    reason = "cells that ran are not saved yet; save the notebook to have them looked at"
    assert hidden_state(runs, notebook("x = 1", "y = x"), SAVED) == Reproducible(None, (reason,))
    assert hidden_state(runs, notebook("x = 2", "y = x"), SAVED) == YES
    gone = no("`x` came from a cell that was deleted or edited since", "cell 1 did not run, but it changes `x`")
    assert hidden_state(runs, notebook("x = 1", "y = x"), 3_000) == gone
    injected = [CellRun("# Parameters\nx = 5", started=2_000), CellRun("", started=2_000)]
    assert hidden_state(injected, notebook("x = 1"), SAVED).answer is not None


def test_a_deleted_cell_is_told_before_the_notebook_is_saved():
    found = hidden_state(ran(A, B), ABC, SAVED, deleted={"c1"})
    assert str(found) == "no, because `x` came from a cell that was deleted or edited since"


def test_a_cell_that_is_to_be_skipped_need_not_run():
    cells = [*notebook("x = 1"), CellNow("c2", 2, "x = 3", ("skip",)), CellNow("c3", 3, "y = x")]
    assert hidden_state(ran(A, ("c3", "y = x")), cells, SAVED) == YES


def test_many_reasons_are_cut():
    cells = notebook(*(f"v{number} = 0" for number in range(9)))
    runs = ran(*((cell.id, "x = 1") for cell in cells))
    assert hidden_state(runs, cells, SAVED).reasons[-1] == "and 4 more"
