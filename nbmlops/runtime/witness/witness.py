"""Runs a notebook top to bottom in one fresh kernel, watched: what it shows, and its values at the borders of steps.

The kernel is started as those of the pipeline's steps are: this interpreter, the same hash seed, the same threads.
"""

from __future__ import annotations

import json
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from nbmlops.core.diagnostics import Json
from nbmlops.core.errors import EnvironmentFault, NbmlopsError
from nbmlops.core.jupyter_tags import RAISES
from nbmlops.runtime.kernels.kernel import Kernel
from nbmlops.runtime.reuse.facts import kernel_environment
from nbmlops.runtime.witness.records import PLAN_VARIABLE, Border, WatchPlan, read_borders, write_plan

_EXTENSION = "--InteractiveShellApp.extra_extensions=nbmlops.runtime.witness.kernel"


class CellToRun(Struct, frozen=True):
    """A cell of the notebook.

    Attributes:
        number: Its number in the notebook, 0 for the parameters that the caller gives.
        source: What the kernel executes.
        step: The step that ends with it, or "".
        may_raise: Whether the notebook goes on when it raises.
    """

    number: int
    source: str
    step: str = ""
    may_raise: bool = False


class CellError(Struct, frozen=True):
    """How the notebook failed: the cell, and the error as the kernel told it."""

    cell: int
    name: str
    message: str
    traceback: str = ""


class Watched(Struct, frozen=True):
    """A run of the notebook.

    Attributes:
        borders: Step -> what its values were when it ended.
        outputs: Cell number -> its outputs, as nbformat has them.
        error: Why it stopped before the end, or None.
    """

    borders: Mapping[str, Border]
    outputs: Mapping[int, Sequence[Mapping[str, Any]]]
    error: CellError | None = None


class WatchJob(Struct, frozen=True):
    """What to run and to watch.

    Attributes:
        cells: The cells in order.
        names: Step -> names to look at when it ends.
        homes: Top-level modules of the notebook's own code.
        folder: The notebook's folder.
        root: The project's root.
        store: Where values go.
        timeout: Seconds a cell may take; None for any time.
        autolog: Whether autologging follows what the cells train.
    """

    cells: tuple[CellToRun, ...]
    names: Mapping[str, tuple[str, ...]]
    homes: frozenset[str]
    folder: Path
    root: Path
    store: Path
    timeout: float | None = None
    autolog: bool = False


def watch_notebook(job: WatchJob, variables: Mapping[str, str], on_cell: Callable[[int], None]) -> Watched:
    """Returns what the notebook showed and what its values were; a cell that fails is a result, not an exception.

    Args:
        job: What to run.
        variables: The caller's environment variables, which decide hash seed and threads.
        on_cell: Told the number of each cell that begins.

    Raises:
        EnvironmentFault: the kernel does not start.
    """
    cells = [cell for cell in job.cells if cell.source.strip()]  # nbclient does not run the others
    with tempfile.TemporaryDirectory(prefix="nbmlops-") as scratch:
        told, report = Path(scratch) / "plan.json", Path(scratch) / "report.jsonl"
        ends = tuple(cell.step for cell in cells)
        write_plan(told, WatchPlan(job.homes, job.root, job.store, report, ends, job.names, job.autolog))
        kernel = Kernel({**kernel_environment(variables), PLAN_VARIABLE: str(told)}, [_EXTENSION])
        try:
            client, notebook = _client(job, cells, kernel)
            error = _run(client, cells, kernel, on_cell)
        finally:
            kernel.close()
        _raise_faults(report)
        borders = read_borders(report)
    outputs: dict[int, list[Any]] = {}
    for cell, ran in zip(cells, notebook["cells"], strict=True):
        outputs.setdefault(cell.number, []).extend(ran["outputs"])
    return Watched(borders, outputs, error)


def _client(job: WatchJob, cells: Sequence[CellToRun], kernel: Kernel) -> tuple[Any, Any]:
    import nbformat
    from nbclient import NotebookClient

    made: list[Json] = [
        {
            "cell_type": "code",
            "id": f"cell-{position}",
            "metadata": {"tags": [RAISES]} if cell.may_raise else {},
            "source": cell.source,
            "outputs": [],
            "execution_count": None,
        }
        for position, cell in enumerate(cells)
    ]
    document: Json = {"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    notebook = nbformat.from_dict(document)
    client = NotebookClient(
        notebook,
        timeout=job.timeout,
        kernel_name="python3",
        kernel_manager_class=kernel.manager_class(),
        resources={"metadata": {"path": str(job.folder)}},
        store_widget_state=False,
        shutdown_kernel="immediate",
        record_timing=False,
    )
    return client, notebook


def _run(client: Any, cells: Sequence[CellToRun], kernel: Kernel, on_cell: Callable[[int], None]) -> CellError | None:
    """Returns why the notebook stopped before its end, or None.

    Raises:
        EnvironmentFault: the kernel does not start.
    """
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
    from papermill.exceptions import strip_color

    number = -1
    try:
        client.reset_execution_trackers()
        # Not `client.execute()`: that would take interruptions for itself.
        with warnings.catch_warnings(), client.setup_kernel():
            warnings.simplefilter("ignore")  # of nbclient and nbformat, about their own future
            for position, cell in enumerate(cells):
                number = cell.number
                on_cell(number)
                client.execute_cell(client.nb.cells[position], position)
    except CellExecutionError as error:
        return CellError(number, str(error.ename), str(error.evalue), strip_color(error.traceback))
    except CellTimeoutError as error:
        return CellError(number, "Timeout", str(error).split("\n", maxsplit=1)[0])
    except (DeadKernelError, RuntimeError) as error:
        words = kernel.last_words()
        if number < 0:
            raise EnvironmentFault(f"the notebook's kernel does not start: {error}\n{words}") from error
        return CellError(number, "DeadKernel", "the kernel died", words)
    return None


def _raise_faults(report: Path) -> None:
    for line in report.read_text("utf-8").splitlines() if report.exists() else []:
        fault = json.loads(line).get("fault")
        if fault is not None:
            spots = [f"{Path(file).name}:{number}" for file, number, *_ in fault["frames"][-3:]]
            told = f"{fault['name']}: {fault['message']} ({' > '.join(spots)})"
            raise NbmlopsError(f"the values of the notebook could not be looked at: {told}", "please report it")
