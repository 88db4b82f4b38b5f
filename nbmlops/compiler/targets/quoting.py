"""Text of users in files of other languages: each function gives a form in which the text can only be data."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

from nbmlops.core.diagnostics import Json

_GROOVY = {"'": "\\'", "\\": "\\134", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def plain_path(path: str) -> str:
    """Returns a relative path that no program takes for an option."""
    return f"./{path}" if path.startswith("-") else path


def shell_path(path: str) -> str:
    """Returns a path quoted for a POSIX shell, where it needs it."""
    return shlex.quote(plain_path(path))


def github(text: str) -> str:
    """Returns the text so that GitHub finds no expression in it: `${{` is the value of an expression that says so."""
    return text.replace("${{", "${{ '${{' }}")


def compose(text: str) -> str:
    """Returns the text so that Docker Compose finds no variable in it."""
    return text.replace("$", "$$")


def gitlab(text: str) -> str:
    """Returns the text so that GitLab finds no variable in the value of a variable, nor an input of the pipeline."""
    return text.replace("$", "$$").replace("$$[[", "$$ [[")


def groovy(text: str) -> str:
    """Returns the text as a Groovy string: in single quotes, which know no expressions.

    Groovy 2, which Jenkins has, reads escapes of Unicode before it reads strings: quotes and line ends must not be
    written as such, and no backslash may stand before a `u` of the text.
    """
    return "'" + re.sub(r"[^ -~]|[\\']", _groovy_escape, text) + "'"


def _groovy_escape(match: re.Match[str]) -> str:
    if match[0] in _GROOVY:
        return _GROOVY[match[0]]
    units = match[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def python(value: Json) -> str:
    """Returns a plain value as Python, texts in double quotes.

    Braces that engines take for templates of their own, also in the source of a task, are written as escapes.
    """
    match value:
        case str():
            return _python_text(value)
        case list() | tuple():
            return f"[{', '.join(map(python, value))}]"
        case Mapping():
            return f"{{{', '.join(f'{python(key)}: {python(item)}' for key, item in value.items())}}}"
        case _:
            return repr(value)


def _python_text(text: str) -> str:
    shown = repr(text)
    if shown[0] == "'" and '"' not in text:
        shown = f'"{shown[1:-1]}"'
    return shown.replace("{{", "\\x7b\\x7b").replace("${", "$\\x7b")
