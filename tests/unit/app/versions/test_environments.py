from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from nbmlops.app.versions.environments import Difference, differences, interpreter_for
from nbmlops.core.errors import EnvironmentFault

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


def lock(folder: Path, *lines: str, python: str = HERE) -> Path:
    path = folder / "requirements.lock"
    path.write_text("\n".join([f"# python {python}", *lines]) + "\n")
    return path


def test_only_what_differs_is_told(tmp_path: Path) -> None:
    found = differences(lock(tmp_path, f"numpy=={version('numpy')}", "Click==1.0", "no_such-thing==2", python="3.8"))
    assert found == (
        Difference("python", "3.8", HERE),
        Difference("click", "1.0", version("click")),
        Difference("no-such-thing", "2", ""),
    )
    assert differences(tmp_path / "none.lock") == ()


def test_an_environment_is_made_once_and_runs_this_nbmlops(tmp_path: Path) -> None:
    python = interpreter_for(lock(tmp_path, "nbmlops==0.1.0"), tmp_path)
    code = "import importlib.util as u; print(u.find_spec('nbmlops').origin)"
    done = subprocess.run([python, "-P", "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    import nbmlops

    assert Path(done.stdout.strip()) == Path(nbmlops.__file__)
    made = Path(python).stat().st_ino, (Path(python).parents[1] / "pyvenv.cfg").stat().st_mtime_ns
    assert interpreter_for(tmp_path / "requirements.lock", tmp_path) == python
    assert (Path(python).stat().st_ino, (Path(python).parents[1] / "pyvenv.cfg").stat().st_mtime_ns) == made


def test_a_python_that_is_not_here_is_said(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match=r"Python 3\.4, which the version was made with, is not here"):
        interpreter_for(lock(tmp_path, python="3.4"), tmp_path)
