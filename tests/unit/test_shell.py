"""Commands as IPython runs them, and as they are compiled: the same output, the same values."""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.text import SList

import nbmlops
from nbmlops import shell
from nbmlops.notebook.shell_lines import shell_names
from nbmlops.notebook.source import translate


@pytest.fixture
def ipython() -> InteractiveShell:
    InteractiveShell.clear_instance()
    return InteractiveShell.instance()


VALUES = {"path": "a b", "n": 3, "d": {"k": "v"}, "p": SimpleNamespace(name="nm"), "xs": [1, 2]}
COMMANDS = [
    "!echo one; echo two >&2",
    "!echo {path} $n '$n' $$HOME",
    "!echo {d['k']} {p.name!r} {len(xs)} {[i for i in xs]}",
    "!echo {missing} {n}",
    "!echo $HOME {n}",
    "!echo {d['missing']} {n}",
    "!echo {n:5}",
    "!echo {{n}} {n}",
    "!echo 'a b' | awk '{print $2}'",
    "!echo $n.5 {n!x}",
    "!exit 3\nx = _exit_code",
    "!kill -9 $$\nx = _exit_code",
    "out = !printf 'a\\nb\\n'; echo {n}\nout",
    "out = !exit 4\nout",
    "!!echo {path}; echo z",
    "%sx echo $n",
    "x = %sx echo $n\nx",
    "%system echo é",
    "%%bash\necho one\necho two >&2\ncat <<END\n$HOME {n} \\n \"q\" '''\nEND\n",
    "%%bash --no-raise-error\necho x\nexit 3",
    "%%sh --out text\necho x\necho {n}\n",
    "%%script cat -n\nfirst\n\n  second\t\n",
    "%%script no-such-program-at-all\nx",
    "%%sx\necho a\necho b",
    "%%writefile new.txt\nfirst \\n {n}\n\n'''\"\"\"\n",
    "%%writefile new.txt\na\n%%writefile",
    "%%writefile -a new.txt\nb",
    "!cat new.txt",
    "%cat new.txt",
    "%mkdir made\n%ls",
    "%rmdir made",
    "%pwd",
    "%mkdir -p 'sub dir/low'\n%cd 'sub dir'\n%cd -q low\n%cd ../..\nx = %pwd",
    "p = 'sub dir'\n%cd {p}\n%pwd\n%cd -q ..",
    "%cd no-such-folder",
    "%env NBMLOPS_A=1\n%env NBMLOPS_B two words\n%set_env NBMLOPS_C v{n}\n!echo $NBMLOPS_A $NBMLOPS_B $NBMLOPS_C",
    "x = %env NBMLOPS_B\n%env",
    "def f(path):\n    !echo {path} $n\n    lines = !echo {path}\n    return lines\nf('local')",
    "for i in range(2):\n    !echo {i} \\\n      end",
    "%%html\n<b>x</b>",
    "%%HTML\n<b>x</b>\n",
    "%%markdown\n# x\n{n}",
    "%%latex\n$x$",
    "%%js\nalert(1)",
    "%%svg\n<svg xmlns='http://www.w3.org/2000/svg'></svg>",
    "x = [1]\n%timeit -q -n 3 -r 2 x.append(len(x))",
    "x = [1]\nfor i in range(2):\n    %timeit -q -n2 -r1 out = x.append(i)",
    "%%timeit -q -n 2 -r 2\nd.update(\n    {'more': len(d)},\n)",
]


def run_by_ipython(ipython: InteractiveShell, source: str, values: dict[str, Any]) -> tuple[str, str, Any]:
    ipython.user_ns.update({"out": None, "x": None, "text": None, **values})
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        ipython.ast_node_interactivity = "none"
        result = ipython.run_cell(source)
    assert result.success, result
    return out.getvalue(), err.getvalue(), {name: ipython.user_ns.get(name) for name in ("out", "x", "text")}


def run_compiled(source: str, values: dict[str, Any]) -> tuple[str, str, Any]:
    binding = "path = n = d = p = xs = 0"
    python = translate(source, shell_names([binding, translate(source).python])).python
    namespace = {"nbmlops": nbmlops, **values}
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        exec(compile(python, "cell", "exec"), namespace)
    return out.getvalue(), err.getvalue(), {name: namespace.get(name) for name in ("out", "x", "text")}


def test_commands_do_what_ipython_does(
    ipython: InteractiveShell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: dict[str, list[Any]] = {}
    for door in ("ipython", "compiled"):
        # Both doors stand in folders of the same name, as paths are printed.
        (tmp_path / "work").mkdir()
        monkeypatch.chdir(tmp_path / "work")
        told[door] = [
            (source, run_by_ipython(ipython, source, VALUES) if door == "ipython" else run_compiled(source, VALUES))
            for source in COMMANDS
        ]
        monkeypatch.chdir(tmp_path)
        (tmp_path / "work").rename(tmp_path / door)
    assert told["compiled"] == told["ipython"]
    made = {door: {p.name: p.read_text() for p in (tmp_path / door).iterdir() if p.is_file()} for door in told}
    assert made["compiled"] == made["ipython"]


def test_values_of_expressions_are_those_of_ipython(ipython: InteractiveShell) -> None:
    for source in ("!!echo a; echo b", "%sx echo a", "%pwd", "%%sx\necho a"):
        expected = ipython.run_cell(source).result
        python = translate(source).python
        assert eval(python.strip(), {"nbmlops": nbmlops}) == expected, source
    assert type(shell.getoutput("echo a")) is SList


def test_a_failing_script_raises() -> None:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        shell.script(["bash"], "exit 3\n")
    assert (caught.value.returncode, caught.value.cmd) == (3, b"exit 3\n")
    with pytest.raises(subprocess.CalledProcessError):
        shell.script_output(["bash"], "exit 3\n")


def test_background_commands_are_refused_as_in_ipython() -> None:
    with pytest.raises(OSError, match="Background processes not supported"):
        shell.system("sleep 1 &")


def test_a_script_may_leave_its_input_unread(capfd: pytest.CaptureFixture[str]) -> None:
    shell.script([sys.executable, "-c", "print('done')"], "x" * 1_000_000)
    assert capfd.readouterr().out == "done\n"


def test_times_are_told_as_by_ipython(ipython: InteractiveShell) -> None:
    def told(run: Callable[[], object]) -> str:
        with contextlib.redirect_stdout(io.StringIO()) as out:
            run()
        return re.sub(r"[\d.]+ \w?s\b", "T", out.getvalue().splitlines()[-1])

    expected = told(lambda: ipython.run_cell("import time\n%timeit -n 2 -r 3 -p 4 time.sleep(0.001)"))
    assert expected == "T +- T per loop (mean +- std. dev. of 3 runs, 2 loops each)"
    assert told(lambda: shell.timeit(lambda: time.sleep(0.001), number=2, repeat=3, precision=4)) == expected


def test_a_timed_expression_runs_until_the_time_is_long_enough(capsys: pytest.CaptureFixture[str]) -> None:
    calls: list[int] = []
    shell.timeit(lambda: (calls.append(1), time.sleep(0.03)), repeat=1)
    told = re.search(r"of 1 run, (\d+) loops? each", capsys.readouterr().out)
    assert told is not None
    number = int(told[1])
    assert len(calls) == sum(10**power for power in range(len(told[1]))) + number


def test_the_module_is_reached_through_the_package() -> None:
    assert nbmlops.shell is shell
    assert "shell" not in nbmlops.__all__
