"""What compiling does with each piece of IPython syntax: a table of decisions, each with its reason and the edit."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from types import MappingProxyType

from nbmlops.core.errors import UsageError
from nbmlops.notebook.decisions import Decision, Refusal, shortened
from nbmlops.notebook.mlops_lines import parse_line
from nbmlops.notebook.model import MagicAction
from nbmlops.notebook.shell_lines import ShellNames, literal
from nbmlops.notebook.shell_magics import LINES, SCRIPTS, decide_command, decide_shell_magic
from nbmlops.notebook.timing_magics import decide_timeit

_SKIP = "remove the line, or move it to a cell tagged `skip`"
_SHOWS = "only shows something about the session"
_FRONT_END = "only concerns the front end"
_DROPPED: Mapping[str, str] = MappingProxyType(
    {
        "matplotlib": "chooses how figures are shown; step notebooks show them inline",
        "autoreload": "reloads modules while editing; a pipeline imports them once",
        "aimport": "reloads modules while editing; a pipeline imports them once",
        "xmode": "configures tracebacks",
        "colors": _FRONT_END,
        "automagic": _FRONT_END,
        "autosave": _FRONT_END,
        "pinfo": _SHOWS,
        "pinfo2": _SHOWS,
        "pdoc": _SHOWS,
        "pdef": _SHOWS,
        "psource": _SHOWS,
        "pfile": _SHOWS,
        "psearch": _SHOWS,
        "who": _SHOWS,
        "whos": _SHOWS,
        "who_ls": _SHOWS,
        "lsmagic": _SHOWS,
        "magic": _SHOWS,
        "quickref": _SHOWS,
        "history": _SHOWS,
        "hist": _SHOWS,
        "watermark": _SHOWS,
        "tensorboard": "shows a page of a server beside the notebook",
        "tensorflow_version": "chose a version of a library in an old front end; the lock does",
    }
)
_MEASURES = "measures by running the code many times, which a pipeline must not"
_REFUSED: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "prun": ("runs the code under a profiler", _SKIP),
        "lprun": ("runs the code under a profiler", _SKIP),
        "memit": (_MEASURES, _SKIP),
        "mprun": ("runs the code under a profiler", _SKIP),
        "debug": ("waits for a person", _SKIP),
        "pdb": ("waits for a person", _SKIP),
        "run": ("runs another script in this namespace", "put the script's code into cells, or import it as a module"),
        "load": ("replaces the cell by a file's text", "load the file once in Jupyter and keep the text"),
        "store": ("keeps values outside the notebook", "compute the value in a cell, or read it from a file"),
        "pylab": (
            "imports names that nobody can see",
            "write `import numpy as np` and `import matplotlib.pyplot as plt`",
        ),
        "precision": ("changes how numbers are shown", "format the numbers where they are shown"),
        "reset": ("deletes names that later cells may need", "remove the line: a pipeline starts with no names"),
        "reset_selective": ("deletes names that later cells may need", "write `del NAME`"),
        "xdel": ("deletes names behind the scenes", "write `del NAME`"),
        "sc": ("is an old way to run a shell command", "write `name = !command`"),
        "gui": ("starts an event loop", _SKIP),
        "macro": ("makes names behind the scenes", "write a function"),
        "sql": ("needs an extension of IPython", "write `pandas.read_sql(query, connection)`"),
    }
)
_REFUSED_CELLS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "cmd": ("runs a program of another system", "do it in Python, or run it before the pipeline"),
        **dict.fromkeys(("python", "python2", "python3", "pypy"), ("runs in another process", "remove the first line")),
        **dict.fromkeys(("memit",), (_MEASURES, "remove the first line, or tag the cell `skip`")),
        **dict.fromkeys(
            ("prun", "lprun", "mprun"), ("runs under a profiler", "remove the first line, or tag the cell `skip`")
        ),
        "debug": ("waits for a person", "remove the first line, or tag the cell `skip`"),
        "sql": ("needs an extension of IPython", "write `pandas.read_sql(query, connection)`"),
        "cython": ("compiles another language", "build it as a package and import it"),
        "R": ("runs another language", "write it in Python, or as a notebook of its own"),
    }
)
_HARMLESS_EXTENSIONS = frozenset(
    {
        "nbmlops", "autoreload", "nb_black", "lab_black", "jupyter_black", "black", "blackcellmagic", "watermark",
        "line_profiler", "memory_profiler", "tensorboard", "sql", "dotenv", "cython", "rpy2.ipython", "jupyter_ai",
    }
)  # fmt: skip
_FORMAT = re.compile(r"InlineBackend\.figure_formats?\s*=\s*(.+)", re.DOTALL)
_INSTALL = re.compile(
    r"(?:(?:\{sys\.executable\}|\$sys\.executable|python[\d.]*)\s+-m\s+)?"
    r"(?:pip[\d.]*|uv\s+pip|uv|conda|mamba|micromamba|poetry)\s+(?:-\S+\s+)*(?:install|add)\b[^;&|`]*"
    r"(?:\|\s*(?:tail|head|grep)\b[^;&|`]*)?"
)
_INSTALLED = "installs packages; the pipeline gets its own from requirements.lock"
_PIP_SHOWS = re.compile(r"(?:list|freeze|show|check|--version|-V)\b.*")


def decide_line(name: str, line: str, names: ShellNames) -> Decision | Refusal:
    """Returns what becomes of the line magic `%name line`.

    Args:
        name: Its name.
        line: What follows.
        names: What the rest of the notebook says about names in commands.
    """
    if name in LINES:
        return decide_shell_magic(name, line, names)
    if name in _BY_LINE:
        return _BY_LINE[name](name, line)
    if name in _DROPPED:
        return Decision(MagicAction.DROP, _DROPPED[name])
    if name in _REFUSED:
        reason, edit = _REFUSED[name]
        return Refusal("NB112", f"%{name} cannot be compiled: it {reason}", edit)
    return _unknown(f"%{name}", [f"%{known}" for known in (*_DROPPED, *_REFUSED, *_BY_LINE, *LINES)])


def decide_shell(command: str, names: ShellNames, *, keeps: bool) -> Decision | Refusal:
    """Returns what becomes of `!command`; `keeps` when its output is the value of an expression."""
    if _INSTALL.fullmatch(command.strip()) and not keeps:
        return Decision(MagicAction.REQUIREMENT, _INSTALLED)
    if _INSTALL.search(command):
        return Refusal(
            "NB113",
            f"the shell command `!{shortened(command)}` installs packages and does more",
            "put the installation on a line of its own, which compiling leaves out: the lock names the packages",
        )
    return decide_command(command, names, keeps=keeps)


def decide_cell(name: str, line: str) -> Decision | Refusal:
    """Returns what becomes of `%%name line`: a `Decision` leaves the body in place; for `%%mlops` it holds the step."""
    if name == "mlops":
        return _decide_mlops_cell(line)
    if name == "time" and not line:
        return Decision(MagicAction.UNWRAP, "the body runs as it is; times of steps are recorded anyway")
    if name == "capture":
        return _decide_capture(line)
    if name in _REFUSED_CELLS:
        reason, edit = _REFUSED_CELLS[name]
        return Refusal("NB111", f"%%{name} cannot be compiled: it {reason}", edit)
    return _unknown(
        f"%%{name}", [f"%%{known}" for known in (*_REFUSED_CELLS, *SCRIPTS, "mlops", "time", "timeit", "capture")]
    )


def _unknown(magic: str, known: Iterable[str]) -> Refusal:
    near = get_close_matches(magic, known, n=1, cutoff=0.75)
    edit = f"did you mean `{near[0]}`? " if near else ""
    return Refusal(
        "NB117", f"{magic} is not known, so it cannot be compiled", f"{edit}write it as Python, or tag the cell `skip`"
    )


def _decide_mlops(_name: str, line: str) -> Decision | Refusal:
    try:
        parsed = parse_line(line)
    except UsageError as error:
        return Refusal("NB120", error.message, error.hint)
    if parsed.subcommand == "step":
        return Refusal(
            "NB120", "`%mlops step` is a cell magic", f"write `%%mlops {line.strip()}` as first line of the cell"
        )
    if parsed.action is MagicAction.CALL:
        return Decision(MagicAction.CALL, "becomes the same call of the Python API", parsed.python)
    reasons = {
        MagicAction.GATE: "becomes the pipeline's gate stage",
        MagicAction.REGISTER: "becomes the pipeline's register stage",
    }
    if parsed.subcommand == "track":
        return Decision(MagicAction.DROP, "the runner tracks every run")
    return Decision(parsed.action, reasons.get(parsed.action, "serves the person at the notebook"), parsed.python)


def _decide_mlops_cell(line: str) -> Decision | Refusal:
    try:
        parsed = parse_line(line)
    except UsageError as error:
        return Refusal("NB120", error.message, error.hint)
    if parsed.subcommand != "step":
        return Refusal(
            "NB120", f"`%%mlops {parsed.subcommand}` is no cell magic", f"write `%mlops {line.strip()}`, with one %"
        )
    return Decision(MagicAction.UNWRAP, "names the step of the cell", str(parsed.options["name"]))


def _decide_time(_name: str, line: str) -> Decision | Refusal:
    body = line.strip()
    try:
        ast.parse(body)
    except (SyntaxError, ValueError) as error:
        detail = error.msg if isinstance(error, SyntaxError) else str(error)
        return Refusal(
            "NB110", f"`%time` is followed by what is no Python: {detail}", "write `%time` before a complete statement"
        )
    return Decision(MagicAction.UNWRAP, "the statement runs as it is; times of steps are recorded anyway", body)


def _decide_extension(name: str, line: str) -> Decision | Refusal:
    extension = line.split("#", maxsplit=1)[0].strip()
    if extension in _HARMLESS_EXTENSIONS:
        return Decision(MagicAction.DROP, "loads an extension of IPython, which a pipeline does without")
    return Refusal(
        "NB112",
        f"%{name} {extension} cannot be compiled: what the extension changes is not known",
        "remove the line, or import the library that it belongs to",
    )


def _decide_installer(name: str, line: str) -> Decision | Refusal:
    if name == "pip" and _PIP_SHOWS.fullmatch(line.strip()):
        return Decision(MagicAction.DROP, _SHOWS)
    if _INSTALL.fullmatch(f"{name} {line.strip()}"):
        return Decision(MagicAction.REQUIREMENT, _INSTALLED)
    return Refusal("NB112", f"%{name} {shortened(line)} cannot be compiled: it changes the environment", _SKIP)


def _decide_config(_name: str, line: str) -> Decision | Refusal:
    if "ast_node_interactivity" in line:
        return Refusal(
            "NB112", "%config changes which expressions of a cell are shown", "write `display(x)` where it is meant"
        )
    if line.strip().startswith("InlineBackend."):
        return _decide_figure_formats(line.strip())
    return Decision(MagicAction.DROP, "configures the front end")


def _decide_figure_formats(line: str) -> Decision | Refusal:
    """Returns what becomes of `%config InlineBackend.figure_format = "retina"`: pictures look as it says."""
    found = _FORMAT.fullmatch(line)
    try:
        value = ast.literal_eval(found[1]) if found else None
    except (ValueError, SyntaxError, TypeError):
        value = None
    formats = [value] if isinstance(value, str) else sorted(value) if isinstance(value, set) else value
    if isinstance(formats, list | tuple) and formats and all(isinstance(name, str) for name in formats):
        call = f"matplotlib_inline.backend_inline.set_matplotlib_formats({', '.join(map(literal, formats))})"
        return Decision(MagicAction.CALL, "chooses the format of pictures, handed on from step to step", call)
    return Refusal(
        "NB112",
        f"%config {shortened(line)} cannot be compiled: it changes pictures in a way that no later step would know",
        "set it by `plt.rcParams`, or give options to the call that draws",
    )


def _decide_capture(line: str) -> Decision | Refusal:
    name = next((word for word in line.split() if not word.startswith("--")), "")
    if name:
        return Refusal(
            "NB111",
            f"%%capture {name} cannot be compiled: outputs are not kept in a variable",
            f"write `with contextlib.redirect_stdout(io.StringIO()) as {name}:` around the code, or remove `{name}`",
        )
    return Decision(MagicAction.UNWRAP, "the body runs as it is; what it shows is shown")


_BY_LINE: Mapping[str, Callable[[str, str], Decision | Refusal]] = MappingProxyType(
    {
        "mlops": _decide_mlops,
        "time": _decide_time,
        "timeit": lambda _name, line: decide_timeit(line),
        "config": _decide_config,
        **dict.fromkeys(("load_ext", "reload_ext", "unload_ext"), _decide_extension),
        **dict.fromkeys(("pip", "conda", "mamba", "micromamba", "uv"), _decide_installer),
    }
)
