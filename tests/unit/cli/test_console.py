"""What reaches a terminal: colours for people, plain words where NO_COLOR or CI ask for them."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
from nbmlops.cli.blocks import Cell, Line, Table, Tone, Tree, cells
from nbmlops.cli.console import show, show_error
from nbmlops.core.errors import UsageError

show([
    Line("done \\x1b[31m[bold]", Tone.GOOD),
    Table("metrics", ("name", "value"), ((Cell("auc", Tone.BAD), Cell("0.7")),), frozenset({"value"})),
    Tree("root", (("a/b.py", Cell("new", Tone.GOOD)),)),
])
show_error(UsageError("wrong", "do it right"))
"""
BOLD_GREEN = "\x1b[1;32m"


def in_terminal(**environment: str) -> str:
    leader, follower = os.openpty()
    kept = {name: value for name, value in os.environ.items() if name not in {"CI", "NO_COLOR"}}
    kept |= {"TERM": "xterm-256color", "COLUMNS": "100", **environment}
    process = subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=follower, stderr=follower, env=kept)
    os.close(follower)
    text = b""
    try:
        while part := os.read(leader, 65536):
            text += part
    except OSError:  # how Linux tells that the other end of a terminal was closed
        pass
    os.close(leader)
    assert process.wait() == 0
    return text.decode()


def test_a_terminal_gets_colours_and_tables_but_no_markup_and_no_foreign_escapes() -> None:
    text = in_terminal()
    assert f"{BOLD_GREEN}done \ufffd[31m[bold]" in text
    assert "──" in text
    assert "└── b.py" in text
    assert "hint: do it right" in text


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"CI": "true"}, {"TERM": "dumb"}])
def test_colours_are_left_out_where_nobody_wants_them(environment: dict[str, str]) -> None:
    text = in_terminal(**environment)
    assert BOLD_GREEN not in text
    assert "\x1b[3" not in text
    assert "done \ufffd[31m[bold]" in text
    assert "auc" in text


def test_an_ascii_log_is_no_crash() -> None:
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, env=environment, check=True)
    assert b"\\u2514\\u2500\\u2500 b.py" in done.stdout
