"""The pipelines in the repository are what its example notebooks compile to."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "example_notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("notebook", EXAMPLES)
def test_the_committed_pipeline_is_current(notebook: str) -> None:
    command = [sys.executable, "-m", "nbmlops", "compile", notebook, "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"run `make pipelines`\n{done.stdout}{done.stderr}"
