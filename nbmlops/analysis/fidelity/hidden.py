"""Names hidden in strings: `df.query("x > @limit")`, formulas, SQL, `eval("x + 1")`."""

from __future__ import annotations

import ast
import re

from nbmlops.core.syntax import walk

_AT_NAME = re.compile(r"@\s*([^\W\d]\w*)")

_WORD = re.compile(r"[^\W\d]\w*")
_CALLED_IN_FORMULA = re.compile(r"([^\W\d]\w*)\s*[.(]")
# Libraries that evaluate formulas such as "y ~ np.log(x)" and queries such as "select * from df" where they are called.
_FORMULAS = ("statsmodels.formula.", "patsy.", "formulaic.", "linearmodels.")
_SQL = ("duckdb.",)


def names_in_query(node: ast.expr) -> tuple[str, ...]:
    """Returns the names behind `@` in a literal query, formatted parts of f-strings left out."""
    return tuple(dict.fromkeys(name for text in _literal_texts(node) for name in _AT_NAME.findall(text)))


def names_in_texts(path: str, call: ast.Call) -> tuple[str, ...]:
    """Returns the names that the literal texts of a call of the function at a dotted path may refer to.

    In formulas those are functions and modules; other words there are mostly columns.
    """
    pattern = _CALLED_IN_FORMULA if path.startswith(_FORMULAS) else _WORD if path.startswith(_SQL) else None
    if pattern is None:
        return ()
    arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
    texts = [text for argument in arguments for text in _literal_texts(argument)]
    return tuple(dict.fromkeys(name for text in texts for name in pattern.findall(text)))


def _literal_texts(node: ast.expr) -> list[str]:
    return [part.value for part in walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)]


def names_in_expression(text: str) -> tuple[str, ...]:
    """Returns the names that a Python expression in a string reads; "@" before them as in pandas is left out."""
    try:
        tree = ast.parse(text.replace("@", "").strip())
    except (SyntaxError, ValueError):
        return ()
    parts = list(walk(tree))
    own = {part.id for part in parts if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
    own |= {part.arg for part in parts if isinstance(part, ast.arg)}
    return tuple(dict.fromkeys(part.id for part in parts if isinstance(part, ast.Name) and part.id not in own))


def is_expression(node: ast.expr) -> bool:
    """Returns whether an argument of `eval` is a literal, so that the names it reads can be seen."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and _parses(node.value)


def _parses(text: str) -> bool:
    try:
        ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError):
        return False
    return True
