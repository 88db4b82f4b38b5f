"""A kernel's shell in a process of its own, to which tests send cells one by one, and which can be killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
PROGRAM = """
import contextlib, io, json, sys, time
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "nbmlops")
answers, sys.stdout = sys.stdout, io.StringIO()
for line in sys.stdin:
    request = json.loads(line)
    said = sys.stdout = sys.stderr = io.StringIO()
    began = time.perf_counter()
    result = shell.run_cell(request["source"], store_history=not request["silent"], silent=request["silent"])
    took = time.perf_counter() - began
    error = result.error_in_exec or result.error_before_exec
    answer = [took, repr(result.result), "" if error is None else f"{type(error).__name__}: {error}"]
    print(json.dumps([*answer, said.getvalue()]), file=answers, flush=True)
"""


class Ran(NamedTuple):
    """What became of a cell: seconds, `repr` of its value, its error or "", and what it printed."""

    seconds: float
    value: str
    error: str
    output: str


class Shell:
    """An IPython shell with the extension loaded, in a folder.

    Args:
        folder: Its working directory, the project's root.
        **environment: Variables that it has besides those of this process.
    """

    def __init__(self, folder: Path, **environment: str) -> None:
        (folder / "nbmlops.toml").touch()
        env = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
        env |= {"PYTHONPATH": str(ROOT), "IPYTHONDIR": str(folder / ".ipython")}
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            cwd=folder,
            env=env | environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, source: str, *, silent: bool = False) -> Ran:
        """Returns what became of a cell."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"source": source, "silent": silent}) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, self.process.communicate()[1]
        return Ran(*json.loads(answer))

    def value(self, expression: str) -> Any:
        """Returns the value of an expression that is plain; the cell is none of the notebook's."""
        ran = self.run(f"import json\nprint(json.dumps({expression}))", silent=True)
        assert not ran.error, ran
        return json.loads(ran.output.splitlines()[-1])

    def end(self) -> None:
        """Ends it as a kernel is shut down."""
        self.process.communicate(timeout=120)

    def kill(self) -> None:
        """Ends it without a word."""
        self.process.kill()
        self.process.communicate()
