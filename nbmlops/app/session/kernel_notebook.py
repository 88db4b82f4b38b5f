"""Which notebook file a kernel runs. A kernel is not told, so front ends leave hints; without one it stays unknown."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

from nbmlops.core.errors import UsageError

UNKNOWN_HINT = "tell it with `%mlops track --notebook PATH.ipynb`"
_VSCODE = "__vsc_ipynb_file__"
_VARIABLES = (_VSCODE, "IPYNB_FILE", "JPY_SESSION_NAME")
_INJECTED = "# Parameters\n"  # the cell that papermill adds is in no notebook
_MANY = 50


def locate_notebook(
    explicit: Path | None, namespace: Mapping[str, object], environment: Mapping[str, str], cells: Sequence[str]
) -> Path | None:
    """Returns the notebook that is running, or None when it is not known.

    Looked at in this order: the path that the user gave; the variable that VS Code sets in the namespace; environment
    variables of VS Code and Jupyter; at last the working folder, if exactly one notebook there has all cells that ran.

    Args:
        explicit: The path that the user gave, relative to the working directory.
        namespace: The kernel's variables.
        environment: The process environment.
        cells: Sources of the cells that have run, the running one included.

    Raises:
        UsageError: the given path is no notebook file.
    """
    if explicit is not None:
        return _given(explicit)
    hints = [namespace.get(_VSCODE), *(environment.get(name) for name in _VARIABLES)]
    for hint in hints:
        if isinstance(hint, str) and hint.endswith(".ipynb") and Path(hint).is_file():
            return Path(hint).resolve()
    return _holding({cell.strip() for cell in cells if not cell.startswith(_INJECTED)} - {""})


def _given(path: Path) -> Path:
    if path.is_file() and path.suffix == ".ipynb":
        return path.resolve()
    folder = path.parent if path.parent.is_dir() else Path()
    near = get_close_matches(path.name, [found.name for found in folder.glob("*.ipynb")], n=1)
    hint = f"did you mean {(folder / near[0]).as_posix()}?" if near else "give the path of an .ipynb file"
    raise UsageError(f"{path} is not a notebook file", hint)


def _holding(cells: set[str]) -> Path | None:
    """Returns the only notebook of the working folder that holds all these cells."""
    if not cells:
        return None
    found = [path for path in sorted(Path().glob("*.ipynb"))[:_MANY] if cells <= _sources(path)]
    return found[0].resolve() if len(found) == 1 else None


def _sources(path: Path) -> set[str]:
    try:
        document = json.loads(path.read_bytes())
        if "papermill" in document["metadata"]:
            return set()  # what papermill wrote is a result, not the source
        texts = [cell["source"] for cell in document["cells"] if cell["cell_type"] == "code"]
        return {("".join(text) if isinstance(text, list) else text).strip() for text in texts}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return set()  # not a notebook that could be running
