"""What IPython tells of a cell that ran, as a record of ours. Whatever a front end leaves out stays unknown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from nbmlops.tracking.cells import CellOutcome, CellRun

_NS_PER_MS = 1_000_000
_NS_PER_S = 1_000_000_000
# As the notebook format has them. VS Code tells the address of an editor instead, which no file holds and which names
# folders of the user's.
_CELL_ID = re.compile(r"[\w-]{1,64}", re.ASCII)


def describe(result: Any, started: tuple[int, int] | None, ended: int) -> CellRun:
    """Returns the record of a cell.

    Args:
        result: IPython's `ExecutionResult`.
        started: When it began, in nanoseconds since 1970 and on the clock that only goes forward; None where unknown.
        ended: When it ended, on the latter.
    """
    info = result.info
    outcome, error = _outcome(result)
    return CellRun(
        source=getattr(info, "raw_cell", "") or "",
        cell=_cell_id(getattr(info, "cell_id", None)) or _cell_id(_metadata(info).get("cellId")),
        count=getattr(result, "execution_count", None) or 0,
        started=started[0] // _NS_PER_MS if started else 0,
        seconds=(ended - started[1]) / _NS_PER_S if started else 0.0,
        outcome=outcome,
        error=error,
    )


def deleted_cells(info: Any) -> tuple[str, ...]:
    """Returns the ids of cells that JupyterLab says were deleted since it last ran a cell."""
    deleted = _metadata(info).get("deletedCells")
    return tuple(map(str, deleted)) if isinstance(deleted, list) else ()


def _metadata(info: Any) -> Mapping[str, Any]:
    metadata = getattr(info, "cell_meta", None)
    return metadata if isinstance(metadata, Mapping) else {}


def _outcome(result: Any) -> tuple[CellOutcome, str]:
    before, during = getattr(result, "error_before_exec", None), getattr(result, "error_in_exec", None)
    if during is not None:
        kind = CellOutcome.INTERRUPTED if isinstance(during, KeyboardInterrupt) else CellOutcome.FAILED
        return kind, type(during).__name__
    if before is not None:
        return CellOutcome.REFUSED, type(before).__name__
    return CellOutcome.DONE, ""


def _cell_id(value: object) -> str:
    return value if isinstance(value, str) and _CELL_ID.fullmatch(value) else ""
