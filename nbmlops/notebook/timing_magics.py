"""What compiling does with `%timeit` and `%%timeit`: the statement runs as often as in Jupyter, and the time is shown.

IPython runs the statement inside a function: what it binds is gone afterwards, what it changes stays changed. So an
expression becomes a lambda that is timed in the same way; a statement that is no expression is refused.
"""

from __future__ import annotations

import ast
import re

from nbmlops.core.syntax import walk
from nbmlops.notebook.decisions import Decision, Refusal, shortened
from nbmlops.notebook.model import MagicAction

# `-t`, `-c`: which clock is read.
_OPTIONS = re.compile(r"(?:-(?:[nrp]\s*\d+|[tcq]+)(?:\s+|$))*")
_OPTION = re.compile(r"-([nrpq])\s*(\d*)")
_NAMES = {"n": "number", "r": "repeat", "p": "precision", "q": "quiet"}
TIMES = "times the expression as Jupyter does, which runs it many times"
_WAITS = (ast.Await, ast.Yield, ast.YieldFrom)


def decide_timeit(line: str) -> Decision | Refusal:
    """Returns what becomes of `%timeit line`."""
    options, statement = _split(line)
    if isinstance(options, Refusal):
        return options
    if not statement.strip():
        return Decision(MagicAction.DROP, "times nothing")
    found = timed_part(statement)
    if isinstance(found, str):
        return _refusal(f"%timeit {shortened(line)}", found)
    start, end = found
    text = statement.encode()[start:end].decode().strip()
    if "\n" in text:
        text = ast.unparse(ast.parse(f"({text})", mode="eval"))
    return Decision(MagicAction.CALL, TIMES, _call(text, options))


def decide_timeit_cell(line: str, body: str) -> str | Refusal:
    """Returns the body of a cell `%%timeit line` with a call around the expression that is timed."""
    options, setup = _split(line)
    if isinstance(options, Refusal):
        return options
    if setup.strip():
        return _refusal(f"%%timeit {shortened(line)}", "its first line holds a statement")
    found = timed_part(body)
    if isinstance(found, str):
        return _refusal("%%timeit", found)
    text = body.encode()
    before, timed, behind = (part.decode() for part in (text[: found[0]], text[found[0] : found[1]], text[found[1] :]))
    return f"{before[: before.rfind(chr(10)) + 1]}{_call(timed.lstrip(), options)}{behind}"


def _call(expression: str, options: str) -> str:
    node = ast.parse(f"({expression})", mode="eval").body
    timed = f"({expression})" if isinstance(node, ast.Tuple | ast.NamedExpr) else expression
    return f"nbmlops.shell.timeit(lambda: {timed}{options})"


def timed_part(source: str) -> tuple[int, int] | str:
    """Returns where the expression begins and ends that a statement evaluates, in bytes; or why it cannot be timed."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError):
        return "what follows is no Python"
    if len(body) != 1:
        return "it times several statements"
    node = body[0]
    if any(isinstance(part, _WAITS) for part in walk(node)):
        return "it waits or yields"
    starts = [0]
    for text in source.encode().split(b"\n"):
        starts.append(starts[-1] + len(text) + 1)
    begin = starts[node.lineno - 1] + node.col_offset
    end = starts[(node.end_lineno or 1) - 1] + (node.end_col_offset or 0)
    match node:
        case ast.Expr():
            return begin, end
        case ast.Assign(targets=[ast.Name() as target]):
            after = starts[target.lineno - 1] + (target.end_col_offset or 0)
            begin = source.encode().index(b"=", after) + 1
            return (begin, end) if target.lineno == node.value.lineno else "its assignment takes more than a line"
        case _:
            return "it times a statement, not an expression"


def _split(line: str) -> tuple[str | Refusal, str]:
    """Returns the options as arguments of a call, or a refusal, and what follows them."""
    match = _OPTIONS.match(line)
    given, rest = line[: match.end() if match else 0], line[match.end() if match else 0 :]
    if re.match(r"-[ov]\b|-[ov]\s", rest):
        return _refusal(f"timeit {shortened(line)}", "it keeps the measured times, which differ in each run"), rest
    if re.match(r"-[a-zA-Z]", rest) and not rest.startswith("-("):
        return _refusal(f"timeit {shortened(line)}", "its options are not known"), rest
    values = {_NAMES[letter]: number or "True" for letter, number in _OPTION.findall(given)}
    return "".join(f", {name}={value}" for name, value in values.items()), rest


def _refusal(magic: str, reason: str) -> Refusal:
    return Refusal(
        "NB111" if magic.startswith("%%") else "NB112",
        f"{magic if magic.startswith('%') else f'%{magic}'} cannot be compiled: {reason}",
        "put the code into a function `f` and write `%timeit f()`, or tag the cell `skip`",
    )
