"""What is shipped: the wheel holds the templates and the widget's files, and nothing it should not."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = out.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_every_template_is_in_the_wheel(wheel_names: set[str]) -> None:
    templates = {
        f"nbmlops/_templates/{path.relative_to(ROOT / 'templates')}" for path in (ROOT / "templates").rglob("*.*")
    }
    assert templates
    assert templates <= wheel_names


def test_the_panel_and_the_type_marker_are_in_the_wheel(wheel_names: set[str]) -> None:
    wanted = {f"nbmlops/{path.relative_to(ROOT / 'nbmlops')}" for path in (ROOT / "nbmlops").rglob("*.js")}
    assert wanted
    assert wanted | {"nbmlops/py.typed"} <= wheel_names


def test_tests_and_examples_stay_out_of_the_wheel(wheel_names: set[str]) -> None:
    assert {name.split("/")[0] for name in wheel_names} == {"nbmlops", "nbmlops-0.1.0.dist-info"}
