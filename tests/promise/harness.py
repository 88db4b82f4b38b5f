"""The product's promise, put to the test: compiled steps compute what the notebook computes, or compiling refuses.

A case is a small notebook that prints what it computes. The notebook runs top to bottom in one process; each compiled
step runs in a process of its own, through the code cells of its step notebook and the real store. Both run in forks of
the test's process, in which the heavy libraries are loaded already.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import os
import sys
import traceback
import types
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import nbmlops
from nbmlops.compiler.compile import compile_notebook
from nbmlops.compiler.program import Compiled, CompileOptions
from nbmlops.core.errors import StepFailed
from nbmlops.notebook.model import Notebook, RoleKind
from nbmlops.notebook.reader import parse_notebook
from nbmlops.runtime import step as step_module

PACKAGE = "case"
EQUAL = "equal"
_NOT_RUN = {RoleKind.SKIP, RoleKind.METRICS}


@dataclass(frozen=True, slots=True)
class Case:
    """A notebook and what is to become of it.

    Attributes:
        name: What is tricky about it.
        cells: Tags and source of each cell.
        given: Code that sets parameters, run below the parameters cell.
        outcome: `equal`, or the codes of the errors that compiling gives, or the error that stops a step and words of
            its message: `StepFailed` for a value that cannot be handed over.
        modules: Files beside the notebook, by name.
    """

    name: str
    cells: tuple[tuple[str, str], ...]
    given: str = ""
    outcome: str = EQUAL
    modules: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ran:
    """What running code gave: everything printed and displayed, and the error that ended it."""

    output: str
    error: str = ""


def read_cases(path: Path) -> list[Case]:
    """Returns the cases of a file: "=== name", options, then cells that are separated by lines of dashes.

    The first line of a cell is its tags, "-" for none, or "file NAME" for a file that stands beside the notebook.
    """
    texts = path.read_text(encoding="utf-8").split("=== ")[1:]
    return [_read_case(text) for text in texts]


def _read_case(text: str) -> Case:
    name, _, rest = text.partition("\n")
    options = {"given": "", "outcome": EQUAL}
    while (option := rest.partition(":")[0]) in options and "\n" not in option:
        line, _, rest = rest.partition("\n")
        options[option] = line.partition(":")[2].strip()
    cells, modules = [], {}
    for part in rest.strip("\n").split("\n---\n"):
        head, _, source = part.partition("\n")
        if head.startswith("file "):
            modules[head.removeprefix("file ")] = source + "\n"
        else:
            cells.append((head if head != "-" else "", source))
    return Case(name.strip(), tuple(cells), options["given"], options["outcome"], modules)


def notebook_of(case: Case) -> Notebook:
    """Returns the notebook of a case, read as one reads a file."""
    cells = [
        {
            "cell_type": "code",
            "id": f"c{number}",
            "metadata": {"tags": tags.split()},
            "source": source,
            "outputs": [],
            "execution_count": None,
        }
        for number, (tags, source) in enumerate(case.cells)
    ]
    metadata = {"kernelspec": {"name": "python3", "display_name": "", "language": "python"}}
    document = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return parse_notebook(json.dumps(document).encode(), f"{PACKAGE}.ipynb")


def compile_case(case: Case, folder: Path) -> Compiled:
    """Returns what compiling the case gives, its files written to the folder."""
    local = {name.removesuffix(".py"): text for name, text in case.modules.items() if name.endswith(".py")}
    options = CompileOptions(
        notebook=f"{PACKAGE}.ipynb", out="pipeline", name=PACKAGE, local_modules=local, target="none"
    )
    compiled = compile_notebook(notebook_of(case), options)
    for path, content in {**compiled.files, **{n: t.encode() for n, t in case.modules.items()}}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return compiled


def run_notebook(case: Case, folder: Path) -> Ran:
    """Returns what the cells print and display when they run top to bottom in one process."""
    for name, text in case.modules.items():
        (folder / name).write_text(text, encoding="utf-8")

    def run() -> None:
        os.chdir(folder)
        namespace = vars(sys.modules["__main__"])
        for cell in notebook_of(case).cells:
            if cell.role.kind in _NOT_RUN:
                continue
            tree = ast.parse(cell.python)
            ends_in_expression = tree.body and isinstance(tree.body[-1], ast.Expr)
            last = tree.body.pop() if ends_in_expression and not cell.python.rstrip().endswith(";") else None
            exec(compile(tree, f"cell {cell.number}", "exec"), namespace)
            if isinstance(last, ast.Expr):
                _show(eval(compile(ast.Expression(last.value), f"cell {cell.number}", "eval"), namespace))
            if cell.role.kind is RoleKind.PARAMETERS:
                exec(case.given, namespace)

    return _forked(run)


def run_step(case: Case, notebook: Path) -> Ran:
    """Returns what a step prints and displays; its values come from the store and go there."""

    def run() -> None:
        os.chdir(notebook.parents[1])
        namespace = vars(sys.modules["__main__"])
        for cell in json.loads(notebook.read_bytes())["cells"]:
            if cell["cell_type"] != "code":
                continue
            if cell["id"] not in {"parameters", "load"}:
                opened = step_module._PROCESS.step
                assert opened is not None
                opened.begin_code()
            exec(compile("".join(cell["source"]), f"{notebook.name} {cell['id']}", "exec"), namespace)
            if cell["id"] == "parameters":
                names = {target.id for node in ast.walk(ast.parse(case.given)) for target in _targets(node)}
                given: dict[str, object] = {}
                exec(case.given, given)
                namespace.update({name: given[name] for name in names & namespace.keys()})

    return _forked(run)


def _targets(node: ast.AST) -> Iterator[ast.Name]:
    if isinstance(node, ast.Assign):
        yield from (target for target in node.targets if isinstance(target, ast.Name))


def _show(*values: object) -> None:
    for value in values:
        if value is not None:
            print(repr(value))  # noqa: T201 - what Jupyter would display, among what is printed


def _forked(run: Callable[[], None]) -> Ran:
    """Returns what the function printed in a child process whose `__main__` is empty."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(reader)
            with os.fdopen(writer, "w", encoding="utf-8") as pipe:
                json.dump(_in_child(run), pipe)
            code = 0
        finally:
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    return Ran(**json.loads(told)) if told else Ran("", "the process died")


def _in_child(run: Callable[[], None]) -> dict[str, str]:
    sys.modules["__main__"] = types.ModuleType("__main__")
    sys.path.insert(0, "")  # as in a kernel: the working directory comes first
    warnings.resetwarnings()
    nbmlops.__dict__["show"] = _show
    error = ""
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(io.StringIO()):
        try:
            run()
        except StepFailed as failure:
            error = f"StepFailed: {failure}"
        except BaseException:  # noqa: BLE001 - whatever ends the code is part of what is compared
            error = traceback.format_exc()
    return {"output": output.getvalue(), "error": error}
