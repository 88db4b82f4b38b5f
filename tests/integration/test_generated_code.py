"""The pipelines of the three examples as a reviewer gets them: checked, tested, and run one notebook at a time."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from nbmlops.cli.main import main
from nbmlops.pipeline.codec import read_pipeline
from nbmlops.pipeline.run_record import StepStatus
from nbmlops.runtime.runner import run_pipeline
from nbmlops.runtime.schedule.results import RunOptions

ROOT = Path(__file__).parents[2]
NAMES = sorted(path.stem for path in (ROOT / "example_notebooks").glob("*.ipynb"))
FEWEST_STEPS = "diabetes_progression"


def compile_examples(folder: Path) -> None:
    for name in ("example_notebooks", "schemas"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "nbmlops.toml", folder)
    (folder / ".git").mkdir()
    for name in NAMES:
        assert main(["compile", str(folder / "example_notebooks" / f"{name}.ipynb")]) == 0


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("examples")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        compile_examples(folder)
        yield folder


def check(command: Sequence[str], folder: Path) -> None:
    """Runs a program that must find nothing to say against the code."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_there_are_examples() -> None:
    assert NAMES == ["diabetes_progression", "flight_delays", "kale_wine"]


def test_compiling_twice_gives_the_same_bytes(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, contents: Callable[[Path], dict[str, bytes]]
) -> None:
    monkeypatch.chdir(tmp_path)
    compile_examples(tmp_path)
    for generated in ("pipelines", ".github"):
        assert contents(tmp_path / generated) == contents(project / generated)
    for name in NAMES:
        assert main(["compile", str(tmp_path / "example_notebooks" / f"{name}.ipynb"), "--check"]) == 0


def test_ruff_with_its_default_rules_finds_nothing(project: Path) -> None:
    packages = [f"pipelines/{name}" for name in NAMES]
    check([sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", *packages], project)


@pytest.mark.slow
def test_mypy_finds_nothing_in_the_bodies(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MYPYPATH", os.pathsep.join(f"pipelines/{name}" for name in NAMES))
    options = ["--config-file=", "--check-untyped-defs", "--ignore-missing-imports", f"--cache-dir={tmp_path}"]
    packages = [word for name in NAMES for word in ("-p", name)]
    check([sys.executable, "-m", "mypy", *options, *packages], project)


@pytest.mark.slow
def test_nothing_is_said_against_optional_imports_and_dates_as_parameters(tmp_path: Path) -> None:
    package = ROOT / "tests/golden/compiler/checked/expected/pipelines/checked/checked"
    shutil.copytree(package, tmp_path / "checked")
    check([sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "checked"], tmp_path)
    options = ["--config-file=", "--check-untyped-defs", "--ignore-missing-imports", f"--cache-dir={tmp_path}"]
    check([sys.executable, "-m", "mypy", *options, "-p", "checked"], tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_the_smoke_test_passes(name: str, project: Path) -> None:
    check([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"pipelines/{name}/tests"], project)


@pytest.mark.slow
def test_each_step_notebook_runs_under_plain_papermill(
    project: Path, tmp_path: Path, contents: Callable[[Path], dict[str, bytes]]
) -> None:
    folder = project / "pipelines" / FEWEST_STEPS
    before = contents(project / "pipelines")
    for step in read_pipeline(folder / "pipeline.yaml").steps:
        command = [sys.executable, "-m", "papermill", step.notebook, str(tmp_path / f"{step.module}.ipynb")]
        check([*command, "--no-progress-bar"], folder)
    assert contents(project / "pipelines") == before


@pytest.mark.slow
def test_an_error_in_a_shared_function_is_told_by_cell_and_line(work: Path, notebook: Callable[..., None]) -> None:
    (work / ".git").mkdir()
    helper = '\ndef share(part, whole):\n    """Tells a part."""\n\n    return part / whole'
    cells = [([], "# Shares"), (["functions"], helper), (["step:count"], "total = 0"), ([], "print(share(1, total))")]
    notebook(work / "shares.ipynb", *cells)
    assert main(["compile", "shares.ipynb"]) == 0
    result = run_pipeline(work / "pipelines" / "shares", RunOptions(), lambda event: None)
    [record] = result.steps
    assert record.status is StepStatus.FAILED
    assert record.error is not None
    assert (record.error.name, record.error.cell, record.error.line) == ("ZeroDivisionError", 2, 5)
    assert record.error.traceback.splitlines() == [
        "Traceback (most recent call last):",
        "  shares.ipynb cell 4 line 1, in count",
        "    print(share(1, total))",
        "  shares.ipynb cell 2 line 5, in share",
        "    return part / whole",
        "ZeroDivisionError: division by zero",
    ]
