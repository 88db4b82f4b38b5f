"""What following the cells of a notebook costs: microseconds a cell beside bare IPython, measured in one run.

Each candidate is a process of its own, since what it puts into Python stays there. They run blocks of cells in turn, so
that a machine whose speed drifts treats all alike. What is told is the median of the paired differences, and the
difference between the 95th percentiles, for little cells and for one of 16 lines, at few and at many variables.
"""

# ruff: noqa: PLC0415 - a bare candidate must not load what the others do
from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles
from types import SimpleNamespace
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LONG = """
total = 0
rows = []
for number in range(20):
    if number % 2:
        rows.append({"number": number, "square": number**2})
    else:
        total += number
names = sorted({key for row in rows for key in row})


def mean(values):
    return sum(values) / max(1, len(values))


average = mean([row["square"] for row in rows])
text = f"{average:.2f} of {total}"
"""
CELLS = {"pass": "pass", "x = 1": "x = 1", "16 lines": LONG}
# Without a run; the record of cells alone; files as well, as `%mlops track` does; with a metric in each cell; the last
# two again with an open panel.
CANDIDATES = ("bare", "loaded", "cells", "tracked", "logging", "panel", "logging in panel")
BLOCK = 50
BLOCKS = int(os.environ.get("NBMLOPS_BLOCKS", "12"))


class Nowhere:
    """A tracking store that takes everything and does nothing: what is measured is the notebook's side."""

    def __getattr__(self, _method: str) -> Any:
        return lambda *_: ()

    def latest_run(self, *_: object) -> Any:
        """Returns a run, so that none is started."""
        from nbmlops.tracking.tracker import RunFacts, RunState

        return RunFacts("r", "bench", "bench", RunState.RUNNING)


def make_shell(variables: int) -> Any:
    """Returns an IPython shell with that many variables."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell.instance(config=config)
    kinds = (int, float, str, lambda n: [n, n + 1], lambda n: {"a": n})
    shell.user_ns.update({f"v{number}": kinds[number % len(kinds)](number) for number in range(variables)})
    return shell


def track(shell: Any, *, files: bool) -> None:
    """Starts a run as `%mlops track` does, with a store that does nothing; with or without following files."""
    from nbmlops.app.config.config import load_config
    from nbmlops.app.project import SPOOLS
    from nbmlops.app.session.current import open_session
    from nbmlops.app.session.files import SessionFiles
    from nbmlops.app.session.place import Kernel, SessionPlace
    from nbmlops.app.session.port import RunTitle
    from nbmlops.app.session.session import NotebookSession
    from nbmlops.app.session.store import SpooledStore
    from nbmlops.tracking.delivery import start_entry
    from nbmlops.tracking.environment import GitState
    from nbmlops.tracking.spool import Spool
    from nbmlops.tracking.tracker import RunStart

    root = Path.cwd()
    config = load_config(root).for_pipeline("bench")
    place = SessionPlace(
        root, "bench", "bench.ipynb", "d" * 64, ("depth",), "", config, "sqlite:///mlflow.db", GitState()
    )
    nowhere: Any = SimpleNamespace(tracker=Nowhere(), registry=SimpleNamespace(aliased=lambda *_: None))
    spool = Spool(root / SPOOLS)
    store = SpooledStore(place, nowhere, spool)
    store.begin(start_entry(RunStart("bench"), "sqlite:///mlflow.db", spool.key), 60.0)
    kernel = Kernel(shell.user_ns, (), follows_cells=True)
    follow = SessionFiles(root, shell.user_ns, lambda _record: None, lambda *_: None) if files else None
    open_session(NotebookSession(place, kernel, store, RunTitle("", "bench", "bench"), follow))


def work(candidate: str, variables: int) -> None:
    """Runs the cells that are asked for on standard input and tells what each took: microseconds of wall, of CPU."""
    shell = make_shell(variables)
    if candidate != "bare":
        shell.run_line_magic("load_ext", "nbmlops")
    if candidate not in {"bare", "loaded"}:
        track(shell, files=candidate != "cells")
    if "panel" in candidate:
        from nbmlops.ipython.panel import live_panel

        live_panel(shell)
    output, sys.stdout = sys.stdout, open(os.devnull, "w")  # noqa: PTH123, SIM115 - the cells may print
    for line in sys.stdin:
        source = CELLS[line.strip()]
        if candidate.startswith("logging"):
            source = f"import nbmlops; _ = nbmlops.metric('auc', 0.5)\n{source}"
        took = []
        for _ in range(BLOCK):
            began, used = time.perf_counter_ns(), time.thread_time_ns()
            shell.run_cell(source, store_history=True, cell_id="c1")
            took.append(((time.perf_counter_ns() - began) / 1e3, (time.thread_time_ns() - used) / 1e3))
        output.write(json.dumps(took) + "\n")
        output.flush()
    os._exit(0)


def start(candidate: str, variables: int, folder: str) -> subprocess.Popen[str]:
    """Returns the process of a candidate."""
    Path(folder).mkdir(exist_ok=True)
    Path(folder, "nbmlops.toml").write_text("")
    env = {**os.environ, "PYTHONPATH": str(ROOT), "IPYTHONDIR": folder}
    command = [sys.executable, __file__, candidate, str(variables)]
    return subprocess.Popen(command, cwd=folder, env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def ask(process: subprocess.Popen[str], cell: str) -> list[tuple[float, float]]:
    """Returns what a block of cells took. Raises RuntimeError when the process died."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{cell}\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    if not answer:
        raise RuntimeError(f"a process that runs cells ended with {process.wait()}")
    return [(float(wall), float(cpu)) for wall, cpu in json.loads(answer)]


def measure(variables: int, folder: str) -> None:
    """Prints one line for each kind of cell."""
    workers = {name: start(name, variables, f"{folder}/{name}{variables}") for name in CANDIDATES}
    try:
        for cell in CELLS:
            seen: dict[str, list[tuple[float, float]]] = {name: [] for name in CANDIDATES}
            for block in range(BLOCKS + 2):
                for name, process in workers.items():
                    took = ask(process, cell)
                    if block >= 2:  # the first ones warm up
                        seen[name].extend(took)
            show(variables, cell, seen)
    finally:
        for process in workers.values():
            process.kill()
            process.communicate()


def show(variables: int, cell: str, seen: dict[str, list[tuple[float, float]]]) -> None:
    """Prints what each candidate adds to a bare cell."""
    wall = {name: [took[0] for took in all_] for name, all_ in seen.items()}
    used = {name: [took[1] for took in all_] for name, all_ in seen.items()}
    print(f"{variables:5} variables, {cell}: bare {median(wall['bare']):.0f}, CPU {median(used['bare']):.0f}")
    for name in CANDIDATES[1:]:
        told = [f"{kind} {_added(all_[name], all_['bare'])}" for kind, all_ in (("wall", wall), ("CPU", used))]
        print(f"    {name:16} {'   '.join(told)}", flush=True)


def _added(took: list[float], bare: list[float]) -> str:
    added = median(one - other for one, other in zip(took, bare, strict=True))
    late = quantiles(took, n=20)[-1] - quantiles(bare, n=20)[-1]
    return f"{added:+6.0f}  p95 {late:+6.0f}  x{median(took) / median(bare):.2f}"


def main() -> None:
    """Measures at few and at many variables."""
    print(f"microseconds a cell, {BLOCK * BLOCKS} cells each; added to a bare cell: median, p95, ratio of medians")
    with tempfile.TemporaryDirectory() as folder:
        for variables in (500, 5000):
            measure(variables, folder)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        work(sys.argv[1], int(sys.argv[2]))
    else:
        main()
