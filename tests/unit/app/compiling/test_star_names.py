from __future__ import annotations

import math
from pathlib import Path

from nbmlops.app.compiling.star_names import ask_star_names


def test_an_installed_module_tells_its_public_names(tmp_path: Path) -> None:
    assert ask_star_names(["math"], tmp_path) == {"math": tuple(n for n in sorted(dir(math)) if not n.startswith("_"))}


def test_a_module_beside_the_notebook_is_found_and_may_print(tmp_path: Path) -> None:
    (tmp_path / "tool.py").write_text(
        "import os\n__all__ = ['scaled', '_x']\n_x = y = 1\nprint('hello')\ndef scaled(): ...\n"
    )
    (tmp_path / "other.py").write_text("import os\n_x = y = 1\nos.write(1, b'hello')\n")
    assert ask_star_names(["other", "tool"], tmp_path) == {"other": ("os", "y"), "tool": ("_x", "scaled")}


def test_modules_that_cannot_be_imported_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("1 / 0\n")
    (tmp_path / "ending.py").write_text("raise SystemExit\n")
    assert ask_star_names(["broken", "ending", "no_such_module_at_all", ".near", "a;b"], tmp_path) == {}
