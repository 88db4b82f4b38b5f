"""Checks that the checks work: with a mechanism switched off, the case that is named for it no longer passes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from nbmlops.core.diagnostics import Severity
from tests.promise.harness import Case, Processes, compile_case, read_cases
from tests.promise.mechanisms import MECHANISMS, without

CASES = Path(__file__).parent / "cases"


@pytest.fixture(scope="module")
def processes() -> Iterator[Processes]:
    with closing(Processes()) as made:
        yield made


@pytest.mark.parametrize("name", MECHANISMS)
def test_a_case_fails_without_the_mechanism(name: str, processes: Processes, tmp_path: Path) -> None:
    mechanism = MECHANISMS[name]

    sound = told("", mechanism.case, processes, tmp_path / "with")
    assert sound in {"equal", "joined"}
    assert sound != mechanism.told
    assert told(name, mechanism.case, processes, tmp_path / "without") == mechanism.told


def told(off: str, path: str, processes: Processes, folder: Path) -> str:
    """Returns what a case does while a mechanism is switched off: "equal", or how it fails."""
    case = case_named(path)
    processes.without = off
    (folder / "notebook").mkdir(parents=True)
    expected = processes.run_notebook(case, folder / "notebook")
    with without(off):
        compiled = compile_case(case, folder / "project")
    codes = sorted({d.code for d in compiled.diagnostics if d.severity is Severity.ERROR})
    if codes:
        return " ".join(codes)
    ran = processes.run_pipeline(case, folder / "project")
    if ran.error:
        last = ran.error.strip().rpartition("\n")[2].partition(":")[0]
        return "StepFailed" if "\nStepFailed: " in ran.error else last
    if ran.output != expected.output:
        return "different"
    assert compiled.pipeline is not None
    return "equal" if ran.steps == len(compiled.pipeline.steps) else "joined"


def case_named(path: str) -> Case:
    """Returns a case by its file and name."""
    file, _, name = path.partition(": ")
    return next(case for case in read_cases(CASES / f"{file}.txt") if case.name == name)
