"""Every case: the same printed by notebook and compiled steps, or the refusal that the case names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from nbmlops.core.diagnostics import Severity, render_diagnostics
from tests.promise.harness import EQUAL, Case, Processes, compile_case, read_cases

FILES = sorted((Path(__file__).parent / "cases").glob("*.txt"))
CASES = [pytest.param(case, id=f"{path.stem}: {case.name}") for path in FILES for case in read_cases(path)]


@pytest.fixture(scope="module")
def processes() -> Iterator[Processes]:
    with closing(Processes()) as made:
        yield made


@pytest.mark.parametrize("case", CASES)
def test_the_promise_holds(case: Case, processes: Processes, tmp_path: Path) -> None:
    check_promise(case, processes, tmp_path)


def check_promise(case: Case, processes: Processes, tmp_path: Path) -> None:
    """Checks that notebook and steps print the same, or that compiling refuses as the case says."""
    (tmp_path / "notebook").mkdir()
    expected = processes.run_notebook(case, tmp_path / "notebook")
    assert not expected.error, f"the notebook itself fails:\n{expected.error}"
    assert expected.output, "the notebook prints nothing, so that nothing is compared"

    compiled = compile_case(case, tmp_path / "project")
    refused = sorted({d.code for d in compiled.diagnostics if d.severity is Severity.ERROR})
    if refused:
        assert refused == case.outcome.split(), render_diagnostics(compiled.diagnostics)
        return
    assert not case.outcome.startswith("NB"), f"compiled, and not {case.outcome}"

    output = ""
    notebooks = sorted((tmp_path / "project" / "pipeline" / "notebooks").glob("*.ipynb"))
    while notebooks:
        ran, notebook = processes.run_steps(case, notebooks), notebooks[0]
        notebooks = notebooks[ran.steps :]
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
