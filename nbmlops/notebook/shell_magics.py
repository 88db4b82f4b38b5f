"""What compiling does with shell commands: `!command`, aliases such as `%ls`, and cells for other programs."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from nbmlops.notebook.decisions import Decision, Refusal, shortened
from nbmlops.notebook.model import MagicAction
from nbmlops.notebook.shell_lines import CannotExpand, ShellNames, command_arguments, literal, multiline

# What IPython calls when `%ls` and the like are used on Linux, where pipelines run.
_ALIASES: Mapping[str, str] = MappingProxyType(
    {
        **{name: name for name in ("cat", "cp", "mkdir", "mv", "rm", "rmdir")},
        "ls": "ls -F --color",
        "ll": "ls -F -o --color",
    }
)
LINES = frozenset({*_ALIASES, "cd", "env", "pwd", "set_env", "sx", "system"})
_PROGRAMS = frozenset({"bash", "sh", "perl", "ruby"})
_RENDERED = {
    **{name: name for name in ("html", "javascript", "latex", "markdown", "svg")},
    "HTML": "html",
    "SVG": "svg",
    "js": "javascript",
}
SCRIPTS = frozenset({*_PROGRAMS, *_RENDERED, "script", "system", "sx", "!", "writefile", "file"})
_RUNS = (
    "runs as in the notebook; what it reads and writes cannot be seen, so that the step is never taken from the cache"
)
_IN_PYTHON = "do it in Python, for example with pathlib or shutil, or move the line to a cell tagged `skip`"
_QUOTED = re.compile(r"^('.*')|(\".*\")$")


def decide_command(command: str, names: ShellNames, *, keeps: bool) -> Decision | Refusal:
    """Returns what becomes of a shell command.

    Args:
        command: The text behind `!`.
        names: What the rest of the notebook says about names in it.
        keeps: Whether its output is the value of an expression, instead of being printed.
    """
    if command.rstrip().endswith("&"):
        return Refusal(
            "NB113",
            f"the shell command `!{shortened(command)}` runs in the background, which Jupyter refuses, too",
            "start it before the pipeline, or remove the `&`",
        )
    try:
        arguments = command_arguments(command, names)
    except CannotExpand as reason:
        return Refusal("NB113", f"the shell command `!{shortened(command)}` cannot be compiled: {reason}", _IN_PYTHON)
    function = "getoutput" if keeps else "exit_code" if names.exit_code else "system"
    target = "_exit_code = " if names.exit_code and not keeps else ""
    return Decision(MagicAction.SHELL, _RUNS, f"{target}nbmlops.shell.{function}({arguments})", unseen=True)


def decide_shell_magic(name: str, line: str, names: ShellNames) -> Decision | Refusal:
    """Returns what becomes of a line magic of `LINES`, which runs a command or asks or changes the process."""
    if name == "pwd":
        return Decision(MagicAction.SHELL, "asks the system", "nbmlops.shell.pwd()")
    if name in _ALIASES:
        return decide_command(f"{_ALIASES[name]} {line}", names, keeps=False)
    if name in {"sx", "system"}:
        return decide_command(line, names, keeps=True)
    return _decide_process(name, line.strip(), names)


def _decide_process(name: str, line: str, names: ShellNames) -> Decision | Refusal:
    """Returns what becomes of `%cd`, `%env` or `%set_env`: the runtime hands such changes from step to step."""
    if name == "env" and not line:
        return Decision(MagicAction.DROP, "only shows something about the session")
    if name == "cd" and line.startswith("-") and not line.startswith("-q "):
        return Refusal(
            "NB112", f"%cd {shortened(line)} cannot be compiled: it goes by the session's history", "write the folder"
        )
    try:
        arguments = command_arguments(line, names)
    except CannotExpand as reason:
        return Refusal("NB112", f"%{name} {shortened(line)} cannot be compiled: {reason}", _IN_PYTHON)
    if name == "env" and " " not in line and "=" not in line:
        return Decision(MagicAction.SHELL, "asks the system", f"nbmlops.shell.env({arguments})", unseen=True)
    function = "cd" if name == "cd" else "set_env"
    return Decision(
        MagicAction.SHELL, "changes the process as in the notebook", f"nbmlops.shell.{function}({arguments})"
    )


def decide_script(name: str, line: str, body: str, names: ShellNames) -> Decision | Refusal:
    """Returns what becomes of a cell `%%name line` whose body is no Python; its text has as many lines as the cell.

    Args:
        name: One of `SCRIPTS`.
        line: What follows on the first line.
        body: The lines below it.
        names: What the rest of the notebook says about names in commands.
    """
    try:
        line = _plain(line, names)
        words = shlex.split(line)
    except (CannotExpand, ValueError) as reason:
        return _refused(name, str(reason))
    if name in {"system", "sx", "!"}:
        return _captured(name, words, body, names)
    if name in {"writefile", "file"}:
        return _file(name, words, body)
    return _rendered(name, words, body) if name in _RENDERED else _run(name, words, body)


def _run(name: str, words: Sequence[str], body: str) -> Decision | Refusal:
    options = _Options(words)
    program = [name, *options.rest] if name in _PROGRAMS else options.rest
    if options.unknown or not program:
        return _refused(name, f"it is given `{options.unknown}`" if options.unknown else "it names no program")
    check = "" if options.check else ", check=False"
    call = f"nbmlops.shell.{'script_output' if options.out else 'script'}([{', '.join(map(literal, program))}], "
    target = f"{options.out} = " if options.out else ""
    return Decision(MagicAction.SHELL, _RUNS, f"{target}{call}{multiline(body)}{check})", unseen=True)


class _Options:
    """The options of `%%script`, as far as they are compiled; the rest is the program's."""

    def __init__(self, words: Sequence[str]) -> None:
        self.out = self.unknown = ""
        self.check = True
        self.rest: list[str] = []
        waiting = list(words)
        while waiting:
            word = waiting.pop(0)
            if word == "--no-raise-error":
                self.check = False
            elif word == "--out" and waiting:
                self.out = waiting.pop(0)
            elif word.startswith("--out="):
                self.out = word.removeprefix("--out=")
            elif word.startswith(("--out", "--err", "--bg", "--proc")):
                self.unknown = word
            else:
                self.rest.append(word)
        if self.out and not self.out.isidentifier():
            self.unknown = f"--out {self.out}"


def _plain(line: str, names: ShellNames) -> str:
    """Returns the line of a cell magic, in which nothing may need to be expanded.

    Raises:
        CannotExpand: something does, or nobody can tell.
    """
    if command_arguments(line, names) != literal(line):
        raise CannotExpand("its first line is made from values")
    return line


def _captured(name: str, words: Sequence[str], body: str, names: ShellNames) -> Decision | Refusal:
    if words:
        return _refused(name, f"it is given `{words[0]}`")
    try:
        if command_arguments(body, names) != literal(body):
            return _refused(name, "its text is made from values")
    except CannotExpand as reason:
        return _refused(name, str(reason))
    return Decision(MagicAction.SHELL, _RUNS, f"nbmlops.shell.getoutput({multiline(body)})", unseen=True)


def _rendered(name: str, words: Sequence[str], body: str) -> Decision | Refusal:
    if words:
        return _refused(name, f"it is given `{words[0]}`")
    call = f'nbmlops.shell.render("{_RENDERED[name]}", {multiline(body)})'
    return Decision(MagicAction.SHELL, "shows the text as in the notebook", call)


def _file(name: str, words: Sequence[str], body: str) -> Decision | Refusal:
    append = [word for word in words if word in {"-a", "--append"}]
    files = [word for word in words if word not in append]
    if len(files) != 1 or files[0].startswith("-"):
        return _refused(name, "it must name one file")
    more = ", append=True" if append else ""
    return Decision(
        MagicAction.SHELL,
        "writes the file when the step runs",
        f"nbmlops.shell.writefile({literal(files[0])}, {multiline(body)}{more})",
    )


def _refused(name: str, reason: str) -> Refusal:
    return Refusal("NB111", f"%%{name} cannot be compiled: {reason}", "do it in Python, or run it before the pipeline")
