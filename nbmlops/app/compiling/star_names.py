"""Asks the project's environment what `from module import *` binds: the one thing about imports that only Python knows.

An effect at the edge of compiling: its answer is data for the compiler and is recorded in `pipeline.yaml`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

_SECONDS = 120
# The import may print, so that the answer goes to a channel of its own. Figures need no window.
_PROGRAM = """
import json, os, sys
answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)
os.environ.setdefault("MPLBACKEND", "agg")
names = {}
exec("from " + sys.argv[1] + " import *", names)
names.pop("__builtins__", None)
json.dump(sorted(names), answer)
answer.close()
os._exit(0)
"""


def ask_star_names(modules: Iterable[str], folder: Path) -> Mapping[str, tuple[str, ...]]:
    """Returns module -> names that its star import binds; modules that cannot be imported are left out.

    Each module is imported by a process of its own, of the interpreter that runs this one.

    Args:
        modules: Dotted names.
        folder: The notebook's folder, which Python searches first.
    """
    answers = {module: _ask(module, folder) for module in modules if _is_dotted_name(module)}
    return {module: names for module, names in answers.items() if names is not None}


def _is_dotted_name(module: str) -> bool:
    return all(part.isidentifier() for part in module.split("."))


def _ask(module: str, folder: Path) -> tuple[str, ...] | None:
    import subprocess  # noqa: PLC0415  # few notebooks import stars

    try:
        # The module is one that the user's own notebook imports; its name is made of identifiers.
        done = subprocess.run(
            [sys.executable, "-c", _PROGRAM, module],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=True,
        )
        names: list[str] = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None  # the compiler refuses the star import, and says that the module could not be imported
    return tuple(names)
