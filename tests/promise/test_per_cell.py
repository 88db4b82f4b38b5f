"""The cases again, each code cell a step of its own: the hardest test of what steps hand over.

Every fifteenth case runs, all of them with `--all-cuts`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from nbmlops.notebook.retag import without_step_tags
from tests.promise.harness import EQUAL, Case, Processes, read_cases
from tests.promise.test_promise import FILES, check_promise

SAMPLE = 15


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Runs the test for a sample of the cases, or for all."""
    if "case" in metafunc.fixturenames:
        cases = [
            pytest.param(replace(case, cells=tuple(map(_untagged, case.cells)), steps="per-cell"), id=case.name)
            for path in FILES
            for case in read_cases(path)
            if case.outcome == EQUAL and not case.steps
        ]
        metafunc.parametrize("case", cases if metafunc.config.getoption("--all-cuts") else cases[::SAMPLE])


def _untagged(cell: tuple[str, str]) -> tuple[str, str]:
    return " ".join(without_step_tags(cell[0].split())), cell[1]


@pytest.fixture(scope="module")
def processes() -> Iterator[Processes]:
    with closing(Processes()) as made:
        yield made


def test_the_promise_holds_at_every_border(case: Case, processes: Processes, tmp_path: Path) -> None:
    check_promise(case, processes, tmp_path)
