from __future__ import annotations

import json
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from nbmlops.cli.main import COMMANDS, main
from nbmlops.core.errors import Conflict, Interrupted, NotebookError

Golden = Callable[[str, str], None]


def test_the_overview_names_every_command_and_imports_none() -> None:
    program = (
        "import sys\nfrom nbmlops.cli.main import main\nmain(['--help'])\n"
        "loaded = [name for name in sys.modules if name.startswith('nbmlops.')]\n"
        "print(sorted({name.split('.')[1] for name in loaded}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    overview, _, loaded = done.stdout.rstrip().rpartition("\n")
    assert loaded == "['cli', 'core']"
    assert [name for name in COMMANDS if f"\n  {name} " not in overview] == []


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_every_help_teaches_and_shows_an_example(
    name: str, golden: Golden, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    assert main([*filter(None, [name]), "--help"]) == 0
    text = capsys.readouterr().out
    assert f"nbmlops {name}" in text.split("Options:")[0].partition("\n")[2]
    golden(f"cli/help_{name or 'overview'}.txt", text)


def test_without_arguments_the_overview_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert capsys.readouterr().out.startswith("Usage: nbmlops [OPTIONS] [COMMAND] [ARGS]")


def install(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Puts a command `boom` into the group that raises the error."""

    @click.command(name="boom")
    @click.option("--format", "output", default="text")
    def command(output: str) -> None:
        assert output
        raise error

    module = types.ModuleType("nbmlops.cli.commands.boom")
    module.command = command  # type: ignore[attr-defined]  # what a module of a command holds
    monkeypatch.setitem(COMMANDS, "boom", "Fails.")
    monkeypatch.setitem(sys.modules, module.__name__, module)


@pytest.mark.parametrize(
    ("error", "code", "stderr"),
    [
        (
            Conflict("the alias moved", "look, then try again"),
            6,
            "error: the alias moved\nhint: look, then try again\n",
        ),
        (NotebookError("2 faults", []), 2, "\nerror: 2 faults\n"),
        (KeyboardInterrupt(), 130, "error: interrupted\n"),
        (Interrupted("stopped"), 130, "error: stopped\n"),
    ],
)
def test_an_error_becomes_its_exit_code_and_a_message(
    error: BaseException,
    code: int,
    stderr: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    install(monkeypatch, error)
    assert main(["boom"]) == code
    captured = capsys.readouterr()
    assert (captured.out, captured.err.lstrip("\n")) == ("", stderr.lstrip("\n"))


def test_a_program_gets_a_document_for_every_fault(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    install(monkeypatch, Conflict("the alias moved", "try again"))
    assert main(["boom", "--format", "json"]) == 6
    assert json.loads(capsys.readouterr().out) == {
        "schema": "nbmlops/boom/1",
        "status": "failed",
        "diagnostics": [
            {
                "code": "NB906",
                "severity": "error",
                "message": "the alias moved",
                "cell": 0,
                "line": 0,
                "col": 0,
                "hint": "try again",
            }
        ],
    }


def test_a_fault_of_our_own_leaves_its_traceback_in_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    install(monkeypatch, ZeroDivisionError("by zero"))
    assert main(["boom"]) == 70
    (report,) = tmp_path.iterdir()
    assert capsys.readouterr().err == (
        "error: a fault of nbmlops itself: ZeroDivisionError: by zero\n"
        f"hint: please report it with the traceback in {report}\n"
    )
    assert report.read_text().endswith("ZeroDivisionError: by zero\n")


def test_debug_shows_the_traceback_instead(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    install(monkeypatch, ZeroDivisionError("by zero"))
    assert main(["--debug", "boom"]) == 70
    text = capsys.readouterr().err
    assert text.startswith("Traceback (most recent call last):")
    assert text.endswith("error: a fault of nbmlops itself: ZeroDivisionError: by zero\n")


def test_a_reader_that_went_away_is_the_environments_fault() -> None:
    command = (
        f"{sys.executable} -c \"from nbmlops.cli.main import main; import sys; sys.exit(main(['--help']))\" | true"
    )
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (4, "")


def test_a_process_that_ends_looks_for_no_garbage() -> None:
    program = (
        "import atexit, gc; atexit.register(lambda: print(gc.get_freeze_count() > 1000)); "
        "from nbmlops.cli.main import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "True"
