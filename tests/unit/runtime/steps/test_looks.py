"""Questions whether a path exists are told while they are asked, and answered as ever."""

from __future__ import annotations

import os
import os.path as named
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from nbmlops.runtime.steps.looks import Looks

taken: Callable[[object], bool] = vars(named)["exists"]  # as a library may have taken it
isfile, isdir, lexists = (vars(named)[name] for name in ("isfile", "isdir", "lexists"))


def test_questions_are_told_and_answered(tmp_path: Path) -> None:
    file, absent = tmp_path / "file", tmp_path / "absent"
    file.write_text("")
    told: list[str] = []
    before = (vars(named)["exists"].__code__, Path.exists.__code__, isfile.__code__)
    looks = Looks()
    looks.start(told.append)
    try:
        answers = [taken(file), isfile(absent), isdir(os.fsencode(tmp_path)), lexists(absent)]
        answers += [file.exists(), absent.is_file(), tmp_path.is_dir(), taken(0)]
        with pytest.raises(TypeError):
            taken()
        shutil.copy(file, tmp_path / "copy")
    finally:
        looks.stop()
    assert answers == [True, False, True, False, True, False, True, True]
    asked = [str(path) for path in (file, absent, tmp_path, absent, file, absent, tmp_path)]
    assert told[: len(asked)] == asked
    assert (vars(named)["exists"].__code__, Path.exists.__code__, isfile.__code__) == before
    count = len(told)
    assert (taken(file), len(told)) == (True, count)
