"""Shell commands and other magics of a notebook in its pipeline: what `!command`, `%%bash`, `%timeit` become.

The commands run as in Jupyter, by IPython's own functions where it has them. What a command reads or writes cannot be
seen, so that a step that runs one is never taken from the cache.

Example:
    >>> from nbmlops.shell import getoutput
    >>> getoutput("echo one; echo two")
    ['one', 'two']
"""

from __future__ import annotations

import codecs
import os
import queue
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Thread
from timeit import Timer
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.utils.text import SList

_CHUNK = 100
# How `%timeit` decides how often it runs the code, and when it doubts what it measured.
_MOST = 10**9
_LONG_ENOUGH = 0.2
_SUSPICIOUS = 4
_TINY = 1e-6
_NOT_FOUND = "Couldn't find program: %r"
_NO_BACKGROUND = "Background processes not supported."


def system(command: str, expanded: Callable[[], str] | None = None) -> None:
    """Runs a command and prints what it prints, as it comes: `!command`.

    Args:
        command: As the notebook has it.
        expanded: Makes the text to run from the values of the moment; if that fails, the command runs as it stands.

    Raises:
        OSError: the command ends in `&`.
    """
    exit_code(command, expanded)


def exit_code(command: str, expanded: Callable[[], str] | None = None) -> int:
    """Returns the exit code of a command, negative for a signal; its output is printed as it comes: `_exit_code`.

    Args:
        command: As the notebook has it.
        expanded: Makes the text to run from the values of the moment; if that fails, the command runs as it stands.

    Raises:
        OSError: the command ends in `&`.
    """
    from IPython.utils.process import system as run

    return int(run(_announced(command, expanded)))


def render(kind: str, text: str) -> None:
    """Shows a text as the browser renders it: `%%html`, `%%markdown` and their kin.

    Args:
        kind: `html`, `javascript`, `latex`, `markdown` or `svg`.
        text: The cell below its first line.
    """
    from IPython import display

    classes = {"html": "HTML", "javascript": "Javascript", "latex": "Latex", "markdown": "Markdown", "svg": "SVG"}
    display.display(getattr(display, classes[kind])(text))


def timeit(
    expression: Callable[[], object], *, number: int = 0, repeat: int = 7, precision: int = 3, quiet: bool = False
) -> None:
    """Runs an expression as often as Jupyter does, and prints how long it takes: `%timeit`.

    Args:
        expression: Evaluates it once.
        number: How often in one measurement; 0 for as often as makes 0.2 seconds.
        repeat: How many measurements.
        precision: How many digits are shown.
        quiet: Whether nothing is shown.
    """
    from IPython.core.magics.execution import TimeitResult

    timer = Timer(expression)
    if not number:
        number = 1
        while timer.timeit(number) < _LONG_ENOUGH and number < _MOST:
            number *= 10
    runs = timer.repeat(repeat, number)
    best, worst = min(runs) / number, max(runs) / number
    if quiet:
        return
    if worst > _SUSPICIOUS * best > 0 and worst > _TINY:
        sys.stdout.write(
            f"The slowest run took {worst / best:0.2f} times longer than the fastest. This could mean that an "
            "intermediate result is being cached.\n"
        )
    sys.stdout.write(f"{TimeitResult(number, repeat, best, worst, runs, 0.0, precision)}\n")


def getoutput(command: str, expanded: Callable[[], str] | None = None) -> SList:
    """Returns the lines that a command prints, errors included: `lines = !command`.

    Args:
        command: As the notebook has it.
        expanded: Makes the text to run from the values of the moment; if that fails, the command runs as it stands.

    Raises:
        OSError: the command ends in `&`.
    """
    from IPython.utils.process import getoutput as run
    from IPython.utils.text import SList as Lines

    return Lines(run(_announced(command, expanded)).splitlines())


def script(program: Sequence[str], body: str, *, check: bool = True) -> None:
    """Runs a program with a text as its input and prints what it prints, as it comes: `%%bash`, `%%script`.

    Args:
        program: The program and its arguments.
        body: The cell below its first line.
        check: Whether to fail when the program does.

    Raises:
        CalledProcessError: the program failed.
        OSError: the program cannot be started.
    """
    captured, code = _run_script(program, body, keep=False)
    if captured is not None and check and code:
        raise subprocess.CalledProcessError(code, body.encode())


def script_output(program: Sequence[str], body: str, *, check: bool = True) -> str:
    """Returns what a program prints that gets a text as its input; its errors are printed: `%%bash --out name`.

    Args:
        program: The program and its arguments.
        body: The cell below its first line.
        check: Whether to fail when the program does.

    Raises:
        CalledProcessError: the program failed.
        OSError: the program cannot be started.
    """
    captured, code = _run_script(program, body, keep=True)
    if captured is not None and check and code:
        raise subprocess.CalledProcessError(code, body.encode())
    return captured or ""


def writefile(path: str, text: str, *, append: bool = False) -> None:
    """Writes a text to a file and says so: `%%writefile`.

    Args:
        path: The file; `~` is the home folder.
        text: The cell below its first line.
        append: Add to the file instead of writing it anew.

    Raises:
        OSError: the file cannot be written.
    """
    file = Path(path).expanduser() if path.startswith("~") else Path(path)
    name = str(file) if path.startswith("~") else path
    word = ("Appending to" if append else "Overwriting") if file.exists() else "Writing"
    sys.stdout.write(f"{word} {name}\n")
    with file.open("a" if append else "w", encoding="utf-8") as stream:
        stream.write(text)


def pwd() -> str:
    """Returns the working directory: `%pwd`.

    Raises:
        FileNotFoundError: it is no longer there.
    """
    return os.getcwd()  # noqa: PTH109 - as text, which is what the magic gives


def cd(line: str, expanded: Callable[[], str] | None = None) -> None:
    """Changes the working directory and prints it: `%cd`.

    Args:
        line: What follows the magic: the folder, the home folder if it is empty; `-q` before it prints nothing.
        expanded: Makes the line from the values of the moment; if that fails, it counts as it stands.
    """
    words = shlex.split(_expanded(line, expanded))
    quiet = words[:1] == ["-q"]
    folder = " ".join(words[1:] if quiet else words) or "~"
    try:
        os.chdir(Path(folder).expanduser() if folder.startswith("~") else folder)
    except OSError as error:
        sys.stdout.write(f"{error}\n")  # IPython goes on where it is
    if not quiet:
        sys.stdout.write(f"{Path.cwd()}\n")


def env(name: str, expanded: Callable[[], str] | None = None) -> str:
    """Returns an environment variable: `%env NAME`.

    Args:
        name: Its name.
        expanded: Makes the name from the values of the moment; if that fails, it counts as it stands.

    Raises:
        KeyError: there is no such variable.
    """
    key = _expanded(name, expanded).strip()
    sys.audit("nbmlops.shell", f"%env {key}")
    return os.environ[key]


def set_env(line: str, expanded: Callable[[], str] | None = None) -> None:
    """Sets an environment variable and says so: `%env NAME=value`, `%set_env NAME value`.

    Args:
        line: What follows the magic.
        expanded: Makes the line from the values of the moment; if that fails, it counts as it stands.

    Raises:
        ValueError: the line does not name a variable and its value.
    """
    text = _expanded(line, expanded)
    name, found, value = text.partition("=" if "=" in text else " ")
    if not found or not name.strip() or len(name.split()) > 1:
        raise ValueError(f"usage is 'set_env var=val', not {line!r}")
    os.environ[name.strip()] = value.strip()
    sys.stdout.write(f"env: {name.strip()}={value.strip()}\n")


def _announced(command: str, expanded: Callable[[], str] | None) -> str:
    """Returns the text to run; an observer of the process is told that something unseen happens.

    Raises:
        OSError: the command ends in `&`.
    """
    if command.rstrip().endswith("&"):
        raise OSError(_NO_BACKGROUND)
    text = _expanded(command, expanded)
    sys.audit("nbmlops.shell", text)
    return text


def _expanded(text: str, expanded: Callable[[], str] | None) -> str:
    try:
        return expanded() if expanded is not None else text
    except Exception:  # noqa: BLE001 - IPython runs the command as it stands, whatever went wrong
        return text


def _run_script(program: Sequence[str], body: str, *, keep: bool) -> tuple[str | None, int]:
    """Returns what was printed, if that is kept, and the exit code; None for a program that does not exist."""
    sys.audit("nbmlops.shell", " ".join(program))
    pipe = subprocess.PIPE
    try:
        running = subprocess.Popen(list(program), stdin=pipe, stdout=pipe, stderr=pipe)
    except FileNotFoundError:
        sys.stdout.write(f"{_NOT_FOUND % program[0]}\n")
        return None, 0
    assert running.stdin
    assert running.stdout
    assert running.stderr
    pieces: queue.Queue[tuple[bool, str] | None] = queue.Queue()
    readers = [Thread(target=_read, args=(s, e, pieces)) for s, e in ((running.stdout, False), (running.stderr, True))]
    for reader in readers:
        reader.start()
    writer = Thread(target=_feed, args=(running.stdin, body if body.endswith("\n") else f"{body}\n"))
    writer.start()
    printed: list[str] = []
    open_streams = len(readers)
    while open_streams:
        piece = pieces.get()
        if piece is None:
            open_streams -= 1
        elif keep and not piece[0]:
            printed.append(piece[1])
        else:
            stream = sys.stderr if piece[0] else sys.stdout
            stream.write(piece[1])
            stream.flush()
    for thread in (*readers, writer):
        thread.join()
    return "".join(printed), running.wait()


def _read(stream: IO[bytes], is_error: bool, pieces: queue.Queue[tuple[bool, str] | None]) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    with stream:
        while chunk := os.read(stream.fileno(), _CHUNK):
            pieces.put((is_error, decoder.decode(chunk)))
    pieces.put((is_error, decoder.decode(b"", final=True)))
    pieces.put(None)


def _feed(stream: IO[bytes], body: str) -> None:
    try:
        with stream:
            stream.write(body.encode("utf-8", "replace"))
    except BrokenPipeError:
        return  # the program ends without reading all of its input, which is its own affair
