from __future__ import annotations

import json
from pathlib import Path

import pytest

from nbmlops.app.compiling.compile import CompileMode, CompileOutcome, CompileRequest, CompileStatus, compile_project
from nbmlops.pipeline.codec import read_pipeline

CELLS = (("imports", "from tool import *"), ("step:a", "x = scaled(RATE)"), ("step:b", "print(x)"))
TOOL = "RATE = 2\ndef scaled(x):\n    return 2 * x\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    cells = [
        {
            "cell_type": "code",
            "id": f"c{number}",
            "metadata": {"tags": [tag]},
            "source": source,
            "outputs": [],
            "execution_count": None,
        }
        for number, (tag, source) in enumerate(CELLS)
    ]
    metadata = {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}}
    document = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    (tmp_path / ".git").mkdir()
    (tmp_path / "stars.ipynb").write_text(json.dumps(document))
    (tmp_path / "tool.py").write_text(TOOL)
    return tmp_path


def compiled(project: Path, mode: CompileMode) -> CompileOutcome:
    return compile_project(CompileRequest("stars.ipynb", project, mode=mode))


def test_star_imports_are_resolved_in_the_environment_and_recorded(project: Path) -> None:
    assert compiled(project, CompileMode.WRITE).status is CompileStatus.WRITTEN
    folder = project / "pipelines" / "stars"
    assert read_pipeline(folder / "pipeline.yaml").star_imports == {"tool": ("RATE", "scaled")}
    assert "from tool import RATE, scaled\n" in (folder / "stars" / "a.py").read_text()


def test_checking_uses_the_record(project: Path) -> None:
    compiled(project, CompileMode.WRITE)
    # The names would be others now: only the record tells those that count.
    (project / "tool.py").write_text(TOOL + "__all__ = ['RATE']\n")
    record = compiled(project, CompileMode.CHECK).compiled.pipeline
    assert record is not None
    assert record.star_imports == {"tool": ("RATE", "scaled")}


def test_a_module_that_cannot_be_imported_is_refused(project: Path) -> None:
    (project / "tool.py").write_text("1 / 0\n")
    outcome = compiled(project, CompileMode.WRITE)
    assert outcome.status is CompileStatus.REFUSED
    assert [d.code for d in outcome.compiled.diagnostics] == ["NB201"]
