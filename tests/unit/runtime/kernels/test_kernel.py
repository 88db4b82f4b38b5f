from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

from nbmlops.runtime.kernels.kernel import Kernel
from nbmlops.runtime.schedule.execute import Completed, Job, KernelDied, execute


def job(folder: Path, name: str, source: str) -> Job:
    cell = {"cell_type": "code", "id": "c", "metadata": {}, "source": source, "outputs": [], "execution_count": None}
    document = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (folder / f"{name}.ipynb").write_text(json.dumps(document))
    return Job(folder / f"{name}.ipynb", folder / "out" / f"{name}.ipynb", folder, {})


def printed(made: Job) -> list[str]:
    cells = json.loads(made.target.read_text())["cells"]
    return ["".join(output["text"]) for cell in cells for output in cell["outputs"]]


def test_a_kernel_keeps_its_state_from_notebook_to_notebook_and_ends_as_one(tmp_path: Path) -> None:
    first = job(tmp_path, "a", "import atexit, os\nx = 1\nout = open('log.txt', 'w')\nout.write('end');")
    second = job(tmp_path, "b", "print(x, os.environ['MODE'])")
    with closing(Kernel({"MODE": "fast"})) as kernel:
        assert [execute(first, kernel), execute(second, kernel)] == [Completed(), Completed()]
        assert printed(second) == ["1 fast\n"]
        assert kernel.exit_code() is None
        kernel.close(gently=True)
    assert (tmp_path / "log.txt").read_text() == "end"


def test_a_kernel_that_died_says_how(tmp_path: Path) -> None:
    dying = "import os, sys\nos.write(2, b'last words')\nos._exit(7)"
    with closing(Kernel({})) as kernel:
        ending = execute(job(tmp_path, "a", dying), kernel)
    assert ending == KernelDied(7, "last words")


def test_a_kernel_that_never_started_is_closed_in_peace() -> None:
    kernel = Kernel({})
    kernel.close()
    assert kernel.exit_code() is None
