"""`%mlops run`: the pipeline of this notebook in a process of its own, shown while it works.

What is shown is what `nbmlops run --events` tells, so the notebook sees what every other front end sees.
"""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryFile
from threading import Timer
from typing import Any, TextIO

from nbmlops.app.project import find_pipeline, shown_path
from nbmlops.app.running.run import RunRequest
from nbmlops.app.running.watch import RunWatch, failure
from nbmlops.app.show.cards import Card, render_html, render_text
from nbmlops.app.show.views import View
from nbmlops.app.sweep.sweep import plan_sweep
from nbmlops.core.errors import EnvironmentFault, UsageError
from nbmlops.ipython.notebook_commands import compiled_folder
from nbmlops.pipeline.run_record import RunRecord

_BETWEEN = 0.1  # seconds from one picture to the next
_PATIENCE = 10.0  # seconds; a run that was interrupted needs up to nine to end what does not listen
Show = Callable[[Card], None]


class RunView(View):
    """A run that is over; the cell that made it has shown it already.

    Attributes:
        record: Its document.
    """

    __slots__ = ("_cell", "_end", "record")

    def __init__(self, record: RunRecord, end: Card, cell: int) -> None:
        self.record, self._end, self._cell = record, end, cell

    def card(self) -> Card:
        """Returns how it ended."""
        return self._end

    def _ipython_display_(self) -> None:
        from IPython import get_ipython
        from IPython.display import display

        if get_ipython().execution_count != self._cell:
            display({"text/plain": repr(self), "text/html": self._repr_html_()}, raw=True)


def run(options: Mapping[str, Any], namespace: Mapping[str, Any], shell: Any) -> RunView:
    """Returns the run, once it has succeeded.

    Args:
        options: Of the `%mlops run` line.
        namespace: The notebook's variables.
        shell: IPython's shell.

    Raises:
        UsageError: the pipeline is not compiled, or it cannot be run so.
        StepFailed: a step failed.
        GateRejected: the gate said no.
        EnvironmentFault: the run could not go on.
        KeyboardInterrupt: the cell was interrupted; the run has ended in order.
    """
    folder = _pipeline(options, namespace)
    _refuse_sweep(folder, options)
    is_terminal = not hasattr(shell, "kernel")
    watch = RunWatch()
    command = _command(folder, options)
    if is_terminal:  # there the command itself shows how it goes
        _work(command, watch, _show_nothing, None)
    else:
        with TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
            _work(command, watch, shown(Card("RUNNING", "starting")), said)
    if watch.exit_code != 0 or watch.record is None:
        error = failure(watch)
        raise error
    return RunView(watch.record, watch.card(), -1 if is_terminal else shell.execution_count)


def _pipeline(options: Mapping[str, Any], namespace: Mapping[str, Any]) -> str:
    cwd = Path.cwd()
    named = str(options.get("pipeline", ""))
    folder = find_pipeline(named, cwd) if named else compiled_folder(options, namespace)
    if not (folder / "pipeline.yaml").is_file():
        raise UsageError(f"there is no pipeline in {shown_path(folder, cwd)}", "write it first: %mlops compile")
    return shown_path(folder, cwd)


def _refuse_sweep(folder: str, options: Mapping[str, Any]) -> None:
    """Raises for parameters with several values, of which a comparison is made, and no single run.

    Raises:
        UsageError: there are such ones, or they do not fit the pipeline.
    """
    given = tuple(options.get("parameter", ()))
    if any("," in text for text in given) and plan_sweep(RunRequest(folder, Path.cwd(), given), "", ""):
        words = " ".join(f"-p {shlex.quote(text)}" for text in given)
        raise UsageError("%mlops run makes one run, and this is a sweep", f"write it as !nbmlops run {folder} {words}")


def _command(folder: str, options: Mapping[str, Any]) -> list[str]:
    command = [sys.executable, "-m", "nbmlops", "run", folder, "--events", "-"]
    command += [text for one in options.get("parameter", ()) for text in ("-p", one)]
    command += [f"--{name}={options[name]}" for name in ("from", "to", "jobs") if name in options]
    return command + [f"--{name.replace('_', '-')}" for name in ("force", "no_register") if options.get(name)]


def _show_nothing(_card: Card) -> None:
    """Shows nothing."""


def shown(first: Card) -> Show:
    """Returns what shows a card in the place of the one before, beginning with the first."""
    from IPython.display import display

    handle = display(_bundle(first), raw=True, display_id=True)

    def show(card: Card) -> None:
        handle.update(_bundle(card), raw=True)

    return show


def _bundle(card: Card) -> dict[str, str]:
    return {"text/plain": render_text(card), "text/html": render_html(card)}


def _work(command: list[str], watch: RunWatch, show: Show, said: TextIO | None) -> None:
    """Runs the command and shows how it goes.

    Args:
        command: What to run.
        watch: Takes the events.
        show: Shows a card.
        said: Where what it says beside its events goes; None for where this process's own goes.

    Raises:
        EnvironmentFault: it ended without a word.
        KeyboardInterrupt: the cell was interrupted.
    """
    # It stays in the process group of the kernel: what ends or interrupts that one reaches the run, too.
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, stdin=subprocess.DEVNULL, text=True)
    try:
        _follow(process, watch, show)
    except KeyboardInterrupt:
        _end(process, watch, show)
        raise
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate()
        show(watch.card())
    if watch.exit_code is None:
        last = ""
        if said is not None:
            said.seek(0)
            last = " ".join(said.read().split())[-400:]
        raise EnvironmentFault(
            f"the run ended with code {process.returncode} before it said how{f': {last}' if last else ''}",
            "run it again: it goes on with what was finished",
        )


def _follow(process: subprocess.Popen[str], watch: RunWatch, show: Show) -> None:
    assert process.stdout is not None
    shown = 0.0
    for line in process.stdout:
        watch.take(line)
        if (now := time.monotonic()) - shown >= _BETWEEN:
            show(watch.card())
            shown = now


def _end(process: subprocess.Popen[str], watch: RunWatch, show: Show) -> None:
    """Waits for a run to end in order after the cell was interrupted.

    Most front ends interrupt the whole process group, which the run belongs to. Those that interrupt the kernel alone
    have it told a little later; two signals at once would end it without order.
    """
    late = Timer(_PATIENCE, process.send_signal, (signal.SIGINT,))
    late.start()
    try:
        _follow(process, watch, show)
        process.wait()
    finally:
        late.cancel()
