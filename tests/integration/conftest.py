"""What the tests of bad input share: tiny notebooks, and the command with everything that it says."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import nbformat
import pytest

from nbmlops.cli.main import main

_DIFFERENT = (
    (r"\b[0-9a-f]{64}\b", "SHA256"),
    (r"\b[0-9a-f]{32}\b", "ID"),
    (r"\d{8}T\d{6}Z-[0-9a-f]{6}", "RUN"),
    (r"(executed|failed) +\d+\.\d", r"\1  N.N"),
    (r"\[\+ *\d+\.\d s\] ", ""),
    (r"(executed|failed) in \d+\.\d s", r"\1 in N.N s"),
    (r"0x[0-9a-f]{8,}", "0xADDRESS"),
)


@pytest.fixture
def notebook() -> Callable[..., None]:
    """Writes a notebook of (tags, source) cells; a source that begins with `#` is Markdown."""

    def write(path: Path, *cells: tuple[Sequence[str], str]) -> None:
        document = nbformat.v4.new_notebook()
        for number, (tags, source) in enumerate(cells):
            make = nbformat.v4.new_markdown_cell if source.startswith("#") else nbformat.v4.new_code_cell
            document.cells.append(make(source, id=f"c{number}", metadata={"tags": list(tags)} if tags else {}))
        document.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(nbformat.writes(document), encoding="utf-8", newline="\n")

    return write


@pytest.fixture
def normal() -> Callable[[str, Path], str]:
    """Replaces what differs from run to run and from machine to machine."""

    def replace(text: str, folder: Path) -> str:
        text = text.replace(str(folder), "PROJECT")
        for pattern, shown in _DIFFERENT:
            text = re.sub(pattern, shown, text)
        return text

    return replace


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str], normal: Callable[[str, Path], str]) -> Callable[..., str]:
    """Runs the command in this process and returns all that it said, with its exit code."""

    def run(*arguments: str) -> str:
        capsys.readouterr()
        code = main(arguments)
        captured = capsys.readouterr()
        shown = " ".join(argument if len(argument) < 80 else f"{argument[:40]}…" for argument in arguments)
        text = f"$ nbmlops {shown}\n{captured.out}"
        text += f"--- stderr\n{captured.err}" if captured.err else ""
        text = text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
        return normal(f"{text}--- exit code {code}\n", Path.cwd())

    return run


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project folder that is the working directory."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("CI", "true")
    return folder


@pytest.fixture
def contents() -> Callable[[Path], dict[str, bytes]]:
    """Returns path -> bytes of everything below a folder, links and folders included."""

    def read(folder: Path) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            if path.is_symlink():
                found[name] = os.fsencode(path.readlink())
            else:
                found[name] = path.read_bytes() if path.is_file() else b""
        return found

    return read


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real tracking server with an empty store; experiments and models need names of their own."""
    folder = tmp_path_factory.mktemp("server")
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(
            command,
            cwd=folder,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
        ) as process,
    ):
        try:
            wait_for(f"http://127.0.0.1:{port}/health", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(process.pid, signal.SIGKILL)  # a polite end takes the server half a minute


def wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(3000):  # five minutes, for machines that are busy otherwise
        assert process.poll() is None
        try:
            with urllib.request.urlopen(address, timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    pytest.fail("the MLflow server did not start")
