"""When papermill's engine forks a kernel, and when it starts it as ever."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from nbmlops.runtime.kernels.forkserver import ForkPlan
from nbmlops.runtime.kernels.warm_papermill import WarmKernels

OURS = [sys.executable, "-m", "ipykernel_launcher", "-f", "kernel.json"]
VARIABLES = {"HOME": "/home/ada"}


class Kernel:
    """A process that runs until somebody says that it has ended."""

    code: int | None = None

    def poll(self) -> int | None:
        return self.code


class Server:
    """What kernels are forked from."""

    refusal = ""
    brings = frozenset({"numpy"})

    def __init__(self, plan: ForkPlan) -> None:
        self.plan, self.forked, self.is_closed = plan, list[Any](), False

    def is_usable(self) -> bool:
        return not self.refusal

    def fork(
        self, arguments: Sequence[str], folder: str, environment: Mapping[str, str], output: Sequence[int]
    ) -> Kernel:
        self.forked.append([list(arguments), folder, dict(environment), list(output)])
        return Kernel()

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def servers() -> list[Server]:
    return []


@pytest.fixture
def kernels(servers: list[Server], tmp_path: Path) -> WarmKernels:
    def start(plan: ForkPlan) -> Any:
        servers.append(Server(plan))
        return servers[-1]

    found = WarmKernels(start)
    assert ask(found, tmp_path) is None
    assert servers == []  # a process that executes one notebook gains nothing
    return found


def ask(kernels: WarmKernels, folder: Path, *modules: str, cmd: list[str] = OURS, **variables: str) -> Any:
    return kernels.fork(cmd, {"cwd": str(folder), "env": {**VARIABLES, **variables}}, modules)


def test_the_second_notebook_of_a_process_is_forked(
    kernels: WarmKernels, servers: list[Server], tmp_path: Path
) -> None:
    assert ask(kernels, tmp_path, "numpy") is not None
    assert ask(kernels, tmp_path, JPY_SESSION_NAME="other", PAPERMILL_OUTPUT_PATH="out.ipynb") is not None
    (server,) = servers
    assert server.plan == ForkPlan(("numpy",), tmp_path, tmp_path, "", None, (), VARIABLES)
    assert server.forked[0] == [["-f", "kernel.json"], str(tmp_path), VARIABLES, [1, 2]]
    kernels.close()
    assert server.is_closed


@pytest.mark.parametrize("cmd", [["bash", "-m", "bash_kernel"], [sys.executable, "-m", "xpython"], ["R", "--slave"]])
def test_other_kernels_start_as_ever(
    kernels: WarmKernels, servers: list[Server], tmp_path: Path, cmd: list[str]
) -> None:
    assert ask(kernels, tmp_path, cmd=cmd) is None
    assert ask(kernels, tmp_path, JE_ARROW_MALLOC_CONF="background_thread:true") is None
    assert servers == []


def test_a_file_that_hides_a_library_is_found_by_a_cold_kernel(
    kernels: WarmKernels, servers: list[Server], tmp_path: Path
) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "numpy.py").touch()
    assert ask(kernels, tmp_path / "own") is None
    assert ask(kernels, tmp_path) is not None
    servers[0].refusal = "it has two threads"
    assert ask(kernels, tmp_path) is None


def test_other_variables_or_imports_take_another_process_when_nobody_needs_the_first(
    kernels: WarmKernels, servers: list[Server], tmp_path: Path
) -> None:
    kernel = ask(kernels, tmp_path, "numpy")
    assert ask(kernels, tmp_path, "pandas") is None  # the kernel would end with the process it was forked from
    kernel.code = 0
    assert ask(kernels, tmp_path, "pandas") is not None
    first, second = servers
    assert (first.is_closed, second.plan.modules) == (True, ("numpy", "pandas"))
    assert ask(kernels, tmp_path, LANG="C") is None
    assert len(servers) == 2
