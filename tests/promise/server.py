"""Runs code in forks of a process that has one thread and the heavy libraries loaded: `python -m tests.promise.server`.

Each line of standard input is a request, each line of standard output what its code printed. A process of its own,
since a fork of one with threads, as the tests' process is after a while, may wait forever for a lock that it inherited.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import contextvars
import functools
import inspect
import io
import json
import os
import signal
import sys
import tempfile
import traceback
import types
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy  # noqa: F401, ICN001 - loaded once, before the forks
import pandas  # noqa: F401, ICN001 - as above
import sklearn.base  # noqa: F401 - as above

import nbmlops
from nbmlops.core.errors import StepFailed
from nbmlops.core.jupyter_tags import RAISES
from nbmlops.pipeline.codec import read_pipeline
from nbmlops.pipeline.ir import Pipeline
from nbmlops.runtime import step as step_module
from nbmlops.runtime.handover.namespace import namespace_before
from nbmlops.runtime.layout import layout_of, pipeline_file
from nbmlops.runtime.reuse.cache import StepCache
from nbmlops.runtime.reuse.records import CacheRecord, KeyParts, StepOutcome
from nbmlops.runtime.schedule.units import joined_from
from nbmlops.runtime.steps.context import ENVIRONMENT_VARIABLE, StepContext, read_report, write_context
from tests.promise.mechanisms import without

_SECONDS = 60


def serve() -> None:
    """Answers requests until standard input ends."""
    threads = Path("/proc/self/task")
    assert not threads.exists() or len(list(threads.iterdir())) == 1, "a process with threads must not be forked"
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what code writes past `sys.stdout` must not look like a reply
    for line in sys.stdin:
        request = json.loads(line)
        run = {"notebook": run_notebook, "steps": run_steps}[request.pop("run")]
        replies.write(_forked(run, request) + "\n")
        replies.flush()


def run_notebook(folder: str, cells: list[list[str]], given: str) -> None:
    """Runs cells top to bottom as a kernel does, last expressions displayed; `given` below the parameters cell."""
    os.chdir(folder)
    sys.path.append(f"{folder}/site-packages")
    namespace = vars(sys.modules["__main__"])
    for number, (kind, source) in enumerate(cells, 1):
        _run_cell(source, f"cell {number}", namespace, may_raise=kind == "raises")
        if kind == "parameters":
            exec(given, namespace)


def run_steps(notebooks: list[str], given: str) -> int:
    """Runs the next step in this process, and those that it is joined with, as the runner does; returns how many."""
    folder = Path(notebooks[0]).parents[1]
    os.chdir(folder)
    sys.path.append(str(folder.parent / "site-packages"))
    pipeline = read_pipeline(pipeline_file(folder))
    layout = layout_of(folder, pipeline)
    cache = StepCache(layout.cache, layout.state)
    steps = {str(folder / step.notebook): step.name for step in pipeline.steps}
    outcomes: list[StepOutcome] = []
    first = [step.name for step in pipeline.steps].index(steps[notebooks[0]])
    while len(outcomes) < len(joined_from(pipeline, [*_before(pipeline, cache, first), *outcomes], first).steps):
        name = pipeline.steps[first + len(outcomes)].name
        done = tuple(step.name for step in pipeline.steps[first : first + len(outcomes)])
        with tempfile.TemporaryDirectory() as scratch:
            told, report = Path(scratch) / "context.json", Path(scratch) / "report.json"
            values, ambient = namespace_before(pipeline, name, cache)
            write_context(told, StepContext(name, folder, values, ambient, report, done))
            os.environ[ENVIRONMENT_VARIABLE] = str(told)
            _run_cells(Path(notebooks[len(outcomes)]), given)
            outcome = read_report(report).outcome
        assert outcome is not None
        outcomes.append(outcome)
        cache.set_latest(CacheRecord(name, "", KeyParts("", {}, {}, {}, {}), outcome))
        opened = step_module._PROCESS.step
        assert opened is not None
        if opened.is_over:
            opened.leave()
    return len(outcomes)


def _before(pipeline: Pipeline, cache: StepCache, position: int) -> list[StepOutcome]:
    records = [cache.latest(step.name) for step in pipeline.steps[:position]]
    return [record.outcome if record else StepOutcome() for record in records]


def _run_cells(path: Path, given: str) -> None:
    namespace = vars(sys.modules["__main__"])
    for cell in json.loads(path.read_bytes())["cells"]:
        if cell["cell_type"] != "code":
            continue
        if cell["id"] not in {"parameters", "load"}:
            opened = step_module._PROCESS.step
            assert opened is not None
            _kernel()[1].run(opened.begin_code)
        may_raise = RAISES in cell["metadata"].get("tags", ())
        _run_cell("".join(cell["source"]), f"{path.name} {cell['id']}", namespace, may_raise=may_raise)
        if cell["id"] == "parameters":
            values: dict[str, Any] = {}
            exec(given, values)
            namespace.update({name: values[name] for name in _assigned(given) if name in namespace})


@functools.cache
def _kernel() -> tuple[asyncio.AbstractEventLoop, contextvars.Context]:
    """Returns the event loop of this process, made after the fork, and the context variables that all cells share."""
    return asyncio.new_event_loop(), contextvars.copy_context()


def _run_cell(source: str, name: str, namespace: dict[str, Any], *, may_raise: bool = False) -> None:
    """Runs a cell as a kernel does: within an event loop, and with its last expression displayed.

    The error of a cell that may raise is printed, as a notebook shows it.
    """
    try:
        _run_in_loop(source, name, namespace)
    except Exception as error:
        if not may_raise:
            raise
        print(f"{type(error).__name__}: {error}")  # noqa: T201 - what Jupyter would display, among what is printed


def _run_in_loop(source: str, name: str, namespace: dict[str, Any]) -> None:
    tree = ast.parse(source)
    ends_in_expression = tree.body and isinstance(tree.body[-1], ast.Expr)
    last = tree.body.pop() if ends_in_expression and not source.rstrip().endswith(";") else None

    loop, context = _kernel()

    async def run() -> None:
        for part in _compiled_alone(tree):
            await _evaluated(compile(part, name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True), namespace)
        if isinstance(last, ast.Expr):
            code = compile(ast.Expression(last.value), name, "eval", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
            _show(await _evaluated(code, namespace))
        if asyncio.all_tasks(loop) - {asyncio.current_task(loop)}:
            await asyncio.sleep(0.02)  # a kernel waits for its next cell, and tasks go on meanwhile

    loop.run_until_complete(loop.create_task(run(), context=context))


def _compiled_alone(tree: ast.Module) -> list[ast.Module]:
    """Returns the statements one by one, as IPython compiles them: equal literals of two are two objects."""
    if any(isinstance(part, ast.ImportFrom) and part.module == "__future__" for part in tree.body):
        return [tree]
    return [ast.Module([part], []) for part in tree.body]


async def _evaluated(code: types.CodeType, namespace: dict[str, Any]) -> Any:
    value = eval(code, namespace)
    return await value if code.co_flags & inspect.CO_COROUTINE else value


def _assigned(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def _show(*values: object) -> None:
    for value in values:
        if value is not None:
            print(repr(value))  # noqa: T201 - what Jupyter would display, among what is printed


def _forked(run: Callable[..., int | None], request: dict[str, Any]) -> str:
    """Returns as JSON what the function prints in a child process whose `__main__` is empty."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(reader)
            signal.alarm(_SECONDS)
            with os.fdopen(writer, "w", encoding="utf-8") as pipe:
                json.dump(_in_child(run, request), pipe)
            code = 0
        finally:
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    return told or json.dumps({"output": "", "error": f"the process died, or took more than {_SECONDS} seconds"})


def _in_child(run: Callable[..., int | None], request: dict[str, Any]) -> dict[str, Any]:
    enter_context = contextlib.ExitStack().enter_context
    enter_context(without(request.pop("without", "")))  # never left: the process ends
    sys.modules["__main__"] = types.ModuleType("__main__")
    sys.path.insert(0, "")  # as in a kernel: the working directory comes first
    warnings.resetwarnings()
    nbmlops.__dict__["show"] = _show
    error, steps = "", 0
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(io.StringIO()):
        try:
            steps = run(**request) or 0
        except StepFailed as failure:
            error = f"StepFailed: {failure}"
        except BaseException:  # noqa: BLE001 - whatever ends the code is part of what is compared
            error = traceback.format_exc()
    return {"output": output.getvalue(), "error": error, "steps": steps}


if __name__ == "__main__":
    serve()
