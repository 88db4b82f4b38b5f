"""Secrets that a cell's source assigns: to which name, on which line. Pure.

Python that parses is read as such, whatever quotes a text has. For what does not (shell lines, half a cell) the keyword
patterns of detect-secrets find passwords line by line.
"""

from __future__ import annotations

import ast
import functools
import re
import warnings
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from nbmlops.core.secret_names import Holds, has_entropy, holds, is_digest, looks_random
from nbmlops.tracking.secret_formats import warnings_kept

_HINTS = (
    *("key", "passw", "pass_", "_pass", "passphrase", "pwd", "secret", "credential", "contrase", "token", "bearer"),
    *("auth", "_pat", "dsn", "cookie", "jwt", "signature", "webhook", "sas", "connection"),
)
_LONG_TEXT = re.compile(r"[\"'][A-Za-z0-9+/=_.~-]{20,}[\"']")
_LEAST = 4
_LEAST_DISTINCT = 6
_PLAIN = re.compile(r"[A-Za-z_./ -]*")
_FILE = re.compile(r"[\w./~: -]*\w\.(?:json|ya?ml|toml|ini|cfg|conf|env|txt|csv|pem|crt|key|p12|pfx|db|sqlite)")
_ENV = re.compile(r"\s*%(?:set_)?env\s+(?P<name>\w+)[ =](?P<value>.*)")
_GIVEN = re.compile(
    r"(?<![\w?&-])(?P<name>--[A-Za-z][\w-]*(?=[ =])|[A-Za-z_]\w*(?==))[ =]\s*"
    r"(?P<value>\"[^\"]*\"|'[^']*'|[^\s;&|\"'][^\s;&|]*)"
)
_CONNECTS = re.compile(r"(?i)\b(?:host|hostaddr|server|data source|driver|dsn|dbname|database|user|user id|uid)\s*=")
_PASSWORD_THERE = re.compile(r"(?i)\b(password|passwd|pwd)\s*=\s*([^\s;,&\"'{}]+)")
_LONGEST_LINE = 4_000
_NAME = re.compile(r"[A-Za-z_]\w*")
_KEYWORDS = ("key", "pass", "pwd", "secret", "contrase")
_KEYWORD = re.compile("(?i)" + "|".join(_KEYWORDS))
_TYPE = r"u?int\d*|float\d*|datetime.*|timedelta.*|str|string|object|category|bool(?:ean)?|varchar.*|text|number"
_PLACEHOLDER = re.compile(
    rf"(?i)(?:{_TYPE}|[x*.]+|<.*>|\{{.*\}}|\$\{{.*\}}|\$\(?\w+\)?|%\(.*\)s|\[redacted\]|none|null|true|false|"
    r"your[ _-].*|changeme)"
)


class Assigned(Struct, frozen=True):
    """A secret text that a source gives to a name.

    Attributes:
        value: The text.
        name: The variable, key or argument.
        line: Line of the source, from 1.
        certain: The name says so; otherwise the text only looks random.
    """

    value: str
    name: str
    line: int
    certain: bool

    @property
    def is_distinct(self) -> bool:
        """Whether it is worth looking for elsewhere: a plain word means other things there."""
        return self.certain and is_distinct(self.value)


def is_distinct(value: str) -> bool:
    """Returns whether a text is more than a plain word or name, so that it means the same wherever it appears."""
    letters = any(map(str.isalpha, value))
    return len(value) >= _LEAST_DISTINCT and letters and _PLAIN.fullmatch(value) is None


def assigned_secrets(source: str) -> tuple[Assigned, ...]:
    """Returns the secrets that a source assigns, in its order.

    Args:
        source: A cell.
    """
    lowered = source.lower()
    if not any(hint in lowered for hint in _HINTS) and _LONG_TEXT.search(source) is None:
        return ()
    tree = _parsed(source)
    if tree is None:  # with lines of IPython, which are no Python
        plain = "\n".join("" if _is_magic(line) else line for line in source.split("\n"))
        tree = _parsed(plain)
        found = list(quoted_passwords(source if tree is None else _magics(source)))
        found += _of_commands(source if source.lstrip().startswith("%%") else _magics(source))
    else:
        found = []
    nodes = ast.walk(tree) if tree is not None else ()
    found += [secret for node in nodes for secret in _of_node(node)]
    return tuple(sorted(dict.fromkeys(found), key=lambda secret: secret.line))


def _parsed(source: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings(action="ignore"):  # of invalid escapes, which Python has told already
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _is_magic(line: str) -> bool:
    return line.lstrip().startswith(("%", "!"))


def _magics(source: str) -> str:
    return "\n".join(line if _is_magic(line) else "" for line in source.split("\n"))


def _of_commands(text: str) -> Iterator[Assigned]:
    """Yields what lines of a shell or of magics give to variables (`%env NAME=VALUE`, `NAME=VALUE`) and options."""
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > _LONGEST_LINE:
            continue
        found = [env] if (env := _ENV.fullmatch(line)) else _GIVEN.finditer(line)
        for name, quoted in ((one["name"], one["value"]) for one in found):
            value = quoted.strip().strip("\"'")
            if (verdict := judge(name, value)) is not None:
                yield Assigned(value, name.removeprefix("--"), number, verdict)


def judge(name: str, value: str) -> bool | None:
    """Returns True for a text that is secret by its name, False for one that is random, None for any other.

    Args:
        name: What it is given to.
        value: The text.
    """
    if len(value) < _LEAST or _PLACEHOLDER.fullmatch(value) or _FILE.fullmatch(value):
        return None
    said = holds(name)
    if said is Holds.SECRET or (said is Holds.MAYBE and looks_random(value)):
        return True
    return False if has_entropy(value) and not is_digest(name) else None


def _of_node(node: ast.AST) -> Iterator[Assigned]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield from _of_connection(node.value, node.lineno)
    for name, value in _pairs(node):
        text = _text(value)
        if text is None:
            continue
        verdict = judge(name, text)
        if verdict is not None:
            yield Assigned(text, name, value.lineno, verdict)


def _of_connection(text: str, line: int) -> Iterator[Assigned]:
    """Yields the password of a text such as "host=db user=ada password=…" or "Server=db;Uid=ada;Pwd=…"."""
    if len(text) <= _LONGEST_LINE and "=" in text and _CONNECTS.search(text) is not None:
        for name, value in _PASSWORD_THERE.findall(text):
            if judge(name, value):
                yield Assigned(value, name, line, certain=True)


def _pairs(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Yields what a node gives to which name."""
    match node:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                yield from _target_pairs(target, value)
        case ast.AnnAssign(target=target, value=ast.expr() as value) | ast.NamedExpr(target=target, value=value):
            yield from _target_pairs(target, value)
        case ast.keyword(arg=str(name), value=value) | ast.Call(args=[ast.Constant(value=str(name)), value, *_]):
            yield name, value  # password="…", and setdefault("API_KEY", "…")
        case ast.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield key.value, value
        case ast.Compare(left=left, ops=[ast.Eq() | ast.NotEq()], comparators=[value]):
            yield from _target_pairs(left, value)
            yield from _target_pairs(value, left)
        case ast.arguments():
            yield from _defaults(node)
        case _:
            return


def _defaults(arguments: ast.arguments) -> Iterator[tuple[str, ast.expr]]:
    names = [*arguments.posonlyargs, *arguments.args][-len(arguments.defaults) :]
    if arguments.defaults:
        yield from ((arg.arg, value) for arg, value in zip(names, arguments.defaults, strict=True))
    only = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    yield from ((arg.arg, value) for arg, value in only if value is not None)


def _target_pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    match target:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Subscript(slice=ast.Constant(value=str(name))):
            yield name, value
        case ast.Tuple(elts=targets) | ast.List(elts=targets):
            if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(targets):
                for one, of_it in zip(targets, value.elts, strict=True):
                    yield from _target_pairs(one, of_it)
        case _:
            return


def _text(value: ast.expr) -> str | None:
    if not isinstance(value, ast.Constant):
        return None
    if isinstance(value.value, bytes):
        return value.value.decode("utf-8", "replace")
    return value.value if isinstance(value.value, str) else None


def quoted_passwords(text: str) -> Iterator[Assigned]:
    """Yields what stands in quotes behind a word like "password", line by line, in whatever language.

    Args:
        text: Any text, such as the output of a cell.
    """
    lowered = text.lower()
    if not any(keyword in lowered for keyword in _KEYWORDS):
        return
    detector = _detector()
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > _LONGEST_LINE or _KEYWORD.search(line) is None:
            continue
        for value in dict.fromkeys(detector.analyze_string(line)):
            if len(value) >= _LEAST and not _PLACEHOLDER.fullmatch(value):
                names = [name for name in _NAME.findall(line[: line.find(value)]) if _KEYWORD.search(name)]
                yield Assigned(value, names[-1] if names else "a password", number, certain=True)


@functools.cache
def _detector() -> Any:
    with warnings_kept():
        from detect_secrets.plugins.keyword import KeywordDetector  # noqa: PLC0415 - 0.2 s unless requests is loaded

    return KeywordDetector()
