"""Every case: the same printed by notebook and compiled steps, or the refusal that the case names."""

from __future__ import annotations

from pathlib import Path

import numpy  # noqa: F401, ICN001 - loaded once, before the forks
import pandas  # noqa: F401, ICN001 - as above
import pytest
import sklearn.base  # noqa: F401 - as above

import nbmlops.runtime.frames  # noqa: F401 - as above
from nbmlops.core.diagnostics import Severity, render_diagnostics
from tests.promise.harness import EQUAL, Case, compile_case, read_cases, run_notebook, run_step

FILES = sorted((Path(__file__).parent / "cases").glob("*.txt"))
CASES = [pytest.param(case, id=f"{path.stem}: {case.name}") for path in FILES for case in read_cases(path)]


@pytest.mark.parametrize("case", CASES)
def test_the_promise_holds(case: Case, tmp_path: Path) -> None:
    (tmp_path / "notebook").mkdir()
    expected = run_notebook(case, tmp_path / "notebook")
    assert not expected.error, f"the notebook itself fails:\n{expected.error}"
    assert expected.output, "the notebook prints nothing, so that nothing is compared"

    compiled = compile_case(case, tmp_path / "project")
    refused = sorted({d.code for d in compiled.diagnostics if d.severity is Severity.ERROR})
    if refused:
        assert refused == case.outcome.split(), render_diagnostics(compiled.diagnostics)
        return
    assert not case.outcome.startswith("NB"), f"compiled, and not {case.outcome}"

    output = ""
    for notebook in sorted((tmp_path / "project" / "pipeline" / "notebooks").glob("*.ipynb")):
        ran = run_step(case, notebook)
        output += ran.output
        if ran.error:
            kind, _, words = case.outcome.partition(" ")
            told = ran.error if kind == "StepFailed" else ran.error.strip().rpartition("\n")[2]
            where = f"{notebook.stem} fails:\n{ran.error}\nnotebook printed:\n{expected.output}"
            assert told.startswith(f"{kind}: "), where
            assert words in told, where
            return
    assert case.outcome == EQUAL, f"every step ran, and none stopped with {case.outcome}"
    assert output == expected.output
