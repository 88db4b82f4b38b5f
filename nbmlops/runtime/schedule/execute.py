"""Executes one step notebook with papermill, in a kernel of its own or in that of the steps it is joined with.

The executed notebook appears under its final name when it is complete, failed ones included; a runner that is killed
leaves no half-written file there.
"""

from __future__ import annotations

import json
import logging
import math
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from nbmlops.core.diagnostics import Json
from nbmlops.core.documents import write_atomically
from nbmlops.core.errors import EnvironmentFault, UsageError
from nbmlops.core.jupyter_tags import RAISES
from nbmlops.pipeline.run_codec import finite, joined_to_json
from nbmlops.pipeline.run_record import JoinedSteps
from nbmlops.runtime.kernels.deadline import Deadline
from nbmlops.runtime.kernels.kernel import Kernel
from nbmlops.runtime.kernels.papermill_import import import_papermill
from nbmlops.runtime.kernels.quiet import QUIET
from nbmlops.runtime.redact import know_variables, redacted_notebook
from nbmlops.runtime.steps.context import read_secrets

SCRATCH = ".nbmlops-"
"""How the folders begin in which a notebook is executed; they outlive a runner that was killed."""


class Job(Struct, frozen=True):
    """What to execute.

    Attributes:
        source: The step notebook.
        target: Where the executed notebook goes.
        folder: The kernel's working directory.
        parameters: Injected after the cell tagged `parameters`, as data.
        timeout: Seconds it may take from its first cell on; None for any time.
        ready_within: Seconds that the kernel may take to be ready.
        package: The generated package, whose secrets the executed notebook must not show.
        secrets: Where the step's process says which of its variables hold secrets; None for nowhere.
    """

    source: Path
    target: Path
    folder: Path
    parameters: Mapping[str, Json]
    timeout: float | None = None
    ready_within: float = 60.0
    package: Path = Path()
    secrets: Path | None = None


class Completed(Struct, frozen=True):
    """Every cell ran."""


class Raised(Struct, frozen=True):
    """A cell raised; class, text and plain traceback as the kernel showed them."""

    name: str
    message: str
    traceback: str


class KernelDied(Struct, frozen=True):
    """The kernel's process ended by itself.

    Attributes:
        code: Its exit code (negative: signal), None where that is not known.
        output: The last of its standard error.
        out_of_memory: Whether the system killed a process for memory meanwhile.
    """

    code: int | None
    output: str
    out_of_memory: bool = False


class NeverReady(Struct, frozen=True):
    """The kernel's process runs, but it was not ready in time; the last of its standard error."""

    seconds: float
    output: str


class TimedOut(Struct, frozen=True):
    """It took longer than allowed."""

    seconds: float


Ending = Completed | Raised | KernelDied | NeverReady | TimedOut


def execute(job: Job, kernel: Kernel) -> Ending:
    """Returns how the execution of a step notebook ended; the executed notebook is at `job.target` in any case.

    Args:
        job: What to execute.
        kernel: Where; it starts if it does not run yet, and is left to the caller to close.

    Raises:
        UsageError: the step notebook cannot be read.
        EnvironmentFault: there is no room for the executed notebook.
        KeyboardInterrupt: the user stopped it; what was done is at `job.target`.
    """
    text = _prepared(job)
    try:
        return _execute(job, kernel, text)
    except OSError as error:
        raise EnvironmentFault(
            f"cannot execute {job.source.name} in {job.target.parent}: {error.strerror or error}",
            "free disk space, or make the project's folder writable",
        ) from error


def note_joined(target: Path, joined: JoinedSteps) -> None:
    """Writes into the metadata of an executed notebook which steps its process ran, and why."""
    try:
        notebook = json.loads(target.read_bytes())
    except (OSError, ValueError):
        return  # somebody has taken it away
    notebook["metadata"]["nbmlops"] = joined_to_json(joined)
    _write_notebook(target, notebook)


def _execute(job: Job, kernel: Kernel, text: bytes) -> Ending:
    job.target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=job.target.parent) as scratch:
        prepared, partial = Path(scratch) / "step.ipynb", Path(scratch) / "executed.ipynb"
        prepared.write_bytes(text)
        try:
            return _run(job, kernel, prepared, partial)
        finally:
            _finish(job, partial)


def _run(job: Job, kernel: Kernel, prepared: Path, partial: Path) -> Ending:
    with Deadline(job.timeout, lambda: kernel.group) as deadline:
        ending = _run_cells(job, kernel, prepared, partial, deadline.begin)
    return TimedOut(job.timeout or 0.0) if deadline.has_passed else ending


def _run_cells(job: Job, kernel: Kernel, prepared: Path, partial: Path, begin: Callable[..., None]) -> Ending:
    execute_notebook = import_papermill().execute_notebook
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError, strip_color

    logging.getLogger("papermill").addHandler(logging.NullHandler())  # else its errors go to standard error, twice told
    try:
        with QUIET:  # papermill and nbformat warn about their own future
            execute_notebook(
                _unformatted(prepared),
                _unformatted(partial),
                kernel_name="python3",
                progress_bar=False,
                log_output=False,
                start_timeout=job.ready_within,
                on_cell_start=begin,
                kernel_manager_class=kernel.manager_class(),
                resources={"metadata": {"path": str(job.folder)}},
                store_widget_state=False,
                shutdown_kernel="immediate",
            )
    except PapermillExecutionError as error:
        if _goes_on(partial, error.cell_index):
            return Completed()
        return Raised(error.ename, error.evalue, strip_color("\n".join(error.traceback)))
    except (DeadKernelError, RuntimeError, TimeoutError) as error:
        # RuntimeError: nbclient says so when the kernel dies before it is ready, or is not ready in time.
        code = kernel.exit_code()
        if code is None and kernel.is_running() and "didn't respond" in str(error):
            return NeverReady(job.ready_within, kernel.last_words())
        return KernelDied(code, kernel.last_words(), kernel.memory_ran_out())
    return Completed()


def _goes_on(partial: Path, index: int) -> bool:
    """Returns whether the last error of an executed notebook is one after which it goes on; then it was no failure.

    Every cell has run then, and what papermill put into the notebook to point at the error is taken away.
    """
    from papermill.execute import ERROR_MARKER_TAG

    notebook = json.loads(partial.read_bytes())
    cells = [cell for cell in notebook["cells"] if ERROR_MARKER_TAG not in cell["metadata"].get("tags", ())]
    if RAISES not in cells[index]["metadata"].get("tags", ()):
        return False
    _write_notebook(partial, {**notebook, "cells": cells})
    return True


def _prepared(job: Job) -> bytes:
    """Returns the step notebook with a cell of parameters, as papermill would inject it but with exact values."""
    notebook, cells = _read(job.source)
    if job.parameters:
        tagged = [number for number, cell in enumerate(cells) if "parameters" in cell["metadata"].get("tags", ())]
        lines = [f"{name} = {literal(value)}" for name, value in job.parameters.items()]
        cell: dict[str, Json] = {
            "cell_type": "code",
            "execution_count": None,
            "id": "injected-parameters",
            "metadata": {"tags": ["injected-parameters"]},
            "outputs": [],
            "source": "\n".join(["# Parameters", *lines]),
        }
        cells.insert(tagged[0] + 1 if tagged else 0, cell)
    return json.dumps(notebook).encode()


def _read(source: Path) -> tuple[Any, list[Any]]:
    """Returns the step notebook and its cells.

    Raises:
        UsageError: it is gone or broken.
    """
    try:
        notebook = json.loads(source.read_bytes())
        cells = notebook["cells"]
        if all(isinstance(cell["metadata"], dict) for cell in cells):
            return notebook, cells
        what = "a cell has no metadata"
    except OSError as error:
        what = error.strerror or str(error)
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        what = f"{type(error).__name__}: {error}"
    raise UsageError(
        f"the step notebook {source} cannot be read: {what}", "make it again: nbmlops compile NOTEBOOK --force"
    )


def literal(value: Json) -> str:
    """Returns the value as Python text that gives the very same."""
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key!r}: {literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(literal, value)) + "]"
    return repr(value)


def _unformatted(path: Path) -> str:
    # papermill formats its paths with str.format.
    return str(path).replace("{", "{{").replace("}", "}}")


def _finish(job: Job, partial: Path) -> None:
    """Puts the executed notebook in its place, with paths that mean something elsewhere."""
    try:
        notebook = json.loads(partial.read_bytes())
    except (OSError, ValueError):
        return  # the kernel did not start, or a second interruption cut the writing off
    facts = notebook.setdefault("metadata", {}).setdefault("papermill", {})
    facts["input_path"], facts["output_path"] = job.source.name, job.target.name
    facts["parameters"] = finite(job.parameters)
    if job.secrets is not None:
        know_variables(read_secrets(job.secrets))
    _write_notebook(job.target, redacted_notebook(notebook, job.target.name, job.package))


def _write_notebook(target: Path, notebook: Json) -> None:
    text = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
    # A lone surrogate becomes \udXXX, which is its escape in JSON, too.
    write_atomically(target, text.encode("utf-8", "backslashreplace"))
