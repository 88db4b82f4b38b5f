"""A few generated programs as a user has them: notebook files, real kernels, `nbmlops verify`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nbmlops.app.verify.report import Status
from nbmlops.app.verify.verify import VerifyRequest, verify
from tests.promise.fuzz.program import Program
from tests.promise.fuzz.programs import program_of
from tests.promise.harness import ROOT

pytestmark = pytest.mark.slow

NUMBERS = (2, 3, 5, 8, 13)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_generated_program_agrees_in_kernels(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # for the probe
    program = program_of(number)
    (tmp_path / "generated.ipynb").write_bytes(document(program))

    found = verify(VerifyRequest("generated.ipynb", tmp_path), lambda _event: None)

    assert found.status is Status.EQUAL, f"{found}\n{program.text(str(number))}"


def document(program: Program) -> bytes:
    """Returns the program as a notebook file."""
    cells = [
        {
            "cell_type": "code",
            "id": f"c{number}",
            "metadata": {"tags": cell.tag.split()},
            "source": cell.source,
            "outputs": [],
            "execution_count": None,
        }
        for number, cell in enumerate(program.cells)
    ]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}).encode()
