"""The product's promise, put to the test: compiled steps compute what the notebook computes, or compiling refuses.

A case is a small notebook that prints what it computes. The notebook runs top to bottom in one process; each compiled
step runs in a process of its own, through the code cells of its step notebook and the real store; steps that are joined
because of a value that cannot be stored run in one process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nbmlops.analysis.imports.stars import star_modules
from nbmlops.analysis.proposing.proposal import StepsFrom
from nbmlops.analysis.proposing.propose import propose_steps, with_proposal
from nbmlops.app.compiling.star_names import ask_star_names
from nbmlops.compiler.compile import compile_notebook
from nbmlops.compiler.program import Compiled, CompileOptions
from nbmlops.notebook.model import Notebook, RoleKind
from nbmlops.notebook.reader import parse_notebook

ROOT = Path(__file__).parents[2]
PACKAGE = "case"
EQUAL = "equal"
LIBRARIES = "site-packages/"
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
        modules: Files beside the notebook, by name; those below `site-packages` are libraries.
        steps: Where the steps come from, as `--steps` says it; "" for the tags.
    """

    name: str
    cells: tuple[tuple[str, str], ...]
    given: str = ""
    outcome: str = EQUAL
    modules: Mapping[str, str] = field(default_factory=dict)
    steps: str = ""


@dataclass(frozen=True, slots=True)
class Ran:
    """What running code gave: everything printed and displayed, the error that ended it, and how many steps ran."""

    output: str
    error: str = ""
    steps: int = 0


def read_cases(path: Path) -> list[Case]:
    """Returns the cases of a file: "=== name", options, then cells that are separated by lines of dashes.

    The first line of a cell is its tags, "-" for none, "markdown", or "file NAME" for a file beside the notebook.
    """
    texts = path.read_text(encoding="utf-8").split("=== ")[1:]
    return [_read_case(text) for text in texts]


def _read_case(text: str) -> Case:
    name, _, rest = text.partition("\n")
    options = {"given": "", "outcome": EQUAL, "steps": ""}
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
    return Case(name.strip(), tuple(cells), options["given"], options["outcome"], modules, options["steps"])


def notebook_of(case: Case) -> Notebook:
    """Returns the notebook of a case, read as one reads a file, and cut as the case says."""
    cells: list[dict[str, object]] = [
        {"cell_type": "markdown", "id": f"c{number}", "metadata": {}, "source": source}
        if tags == "markdown"
        else {
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
    notebook = parse_notebook(json.dumps(document).encode(), f"{PACKAGE}.ipynb")
    return with_proposal(notebook, propose_steps(notebook, StepsFrom(case.steps))) if case.steps else notebook


def compile_case(case: Case, folder: Path) -> Compiled:
    """Returns what compiling the case gives, its files written to the folder."""
    local = {
        _dotted(name): text
        for name, text in case.modules.items()
        if name.endswith(".py") and not name.startswith(LIBRARIES)
    }
    notebook = notebook_of(case)
    folder.mkdir()
    _write(folder, {name: text.encode() for name, text in case.modules.items()})
    options = CompileOptions(
        notebook=f"{PACKAGE}.ipynb",
        out="pipeline",
        name=PACKAGE,
        local_modules=local,
        star_names=ask_star_names(star_modules(notebook), folder),
        targets=(),
    )
    compiled = compile_notebook(notebook, options)
    _write(folder, compiled.files)
    return compiled


def _dotted(file: str) -> str:
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


def _with_api(python: str) -> str:
    """Returns a cell as it runs in a session, where what stands for magics needs no import."""
    return f"import nbmlops\n{python}" if "nbmlops." in python else python


class Processes:
    """Runs notebooks and steps, each in a process of its own, through one `tests.promise.server`.

    Attributes:
        without: The mechanism that is switched off in the steps' processes, "" for none.
    """

    def __init__(self) -> None:
        self.without = ""
        # One thread, so that it may be forked: neither OpenBLAS nor Arrow's allocator may start theirs.
        single = {
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
            "JE_ARROW_MALLOC_CONF": "background_thread:false",
        }
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.promise.server"],
            cwd=ROOT,
            env={**os.environ, **single},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def run_notebook(self, case: Case, folder: Path) -> Ran:
        """Returns what the cells print and display when they run top to bottom in one process."""
        for name, text in case.modules.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        cells = [
            ["raises" if c.may_raise else c.role.kind.value, _with_api(c.python)]
            for c in notebook_of(case).cells
            if c.role.kind not in _NOT_RUN
        ]
        return self._ask({"run": "notebook", "folder": str(folder), "cells": cells, "given": case.given})

    def run_steps(self, case: Case, notebooks: Sequence[Path]) -> Ran:
        """Returns what the first of the steps prints and displays, and those that it is joined with.

        Their values come from the store and go there.

        Args:
            case: The case.
            notebooks: The step notebooks that have not run yet, in order.
        """
        paths = [str(path) for path in notebooks]
        return self._ask({"run": "steps", "notebooks": paths, "given": case.given, "without": self.without})

    def run_pipeline(self, case: Case, folder: Path) -> Ran:
        """Returns what all steps print and display, or those up to the first that fails; its name stands in the error.

        Args:
            case: The case.
            folder: Where it was compiled to.
        """
        notebooks = sorted((folder / "pipeline" / "notebooks").glob("*.ipynb"))
        output, processes = "", 0
        while notebooks:
            ran = self.run_steps(case, notebooks)
            output += ran.output
            processes += 1
            if ran.error:
                return Ran(output, f"{notebooks[0].stem} fails:\n{ran.error}", processes)
            notebooks = notebooks[ran.steps :]
        return Ran(output, "", processes)

    def close(self) -> None:
        """Ends the server."""
        self._server.communicate()

    def _ask(self, request: Mapping[str, object]) -> Ran:
        assert self._server.stdin
        assert self._server.stdout
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()
        return Ran(**json.loads(self._server.stdout.readline()))
