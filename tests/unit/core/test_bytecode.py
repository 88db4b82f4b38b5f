"""A source that changes twice within a second is run as it is, not as it was."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from nbmlops.core.bytecode import drop_outdated


def imported(folder: Path, module: str) -> str:
    program = f"import {module}; print({module}.VALUE)"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def change(source: Path, text: str, second: int) -> None:
    source.write_text(text)
    os.utime(source, ns=(second * 10**9, second * 10**9 + 1))


def test_what_was_compiled_of_an_earlier_text_is_not_run(tmp_path: Path) -> None:
    package = tmp_path / "parts"
    package.mkdir()
    (package / "__init__.py").write_text("")
    sources = [tmp_path / "alone.py", package / "inner.py"]
    now = int(tmp_path.stat().st_mtime) + 60  # after what is compiled below
    for source in sources:
        change(source, "VALUE = 1\n", now)
    assert [imported(tmp_path, "alone"), imported(tmp_path, "parts.inner")] == ["1", "1"]
    for source in sources:
        change(source, "VALUE = 2\n", now)
    assert [imported(tmp_path, "alone"), imported(tmp_path, "parts.inner")] == ["1", "1"]  # so Python decides
    drop_outdated(tmp_path)
    assert [imported(tmp_path, "alone"), imported(tmp_path, "parts.inner")] == ["2", "2"]


def test_what_is_current_stays_and_a_folder_that_is_not_there_is_none_of_it(tmp_path: Path) -> None:
    source = tmp_path / "alone.py"
    source.write_text("VALUE = 1\n")
    os.utime(source, ns=(10**18, 10**18))
    assert imported(tmp_path, "alone") == "1"
    before = list((tmp_path / "__pycache__").iterdir())
    drop_outdated(tmp_path)
    drop_outdated(tmp_path / "absent")
    assert (list((tmp_path / "__pycache__").iterdir()), len(before)) == (before, 1)
