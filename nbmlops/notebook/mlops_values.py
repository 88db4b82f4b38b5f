"""What the arguments of `%mlops` lines may be: each function takes the text after an option and returns it, checked."""

from __future__ import annotations

import ast
import json
import re
import shlex
import tokenize

from nbmlops.core.errors import UsageError

_NAME = re.compile(r"[^\W\d][\w.-]*")
_METRIC_NAME = re.compile(r"\w(?:[\w ./:-]*[\w])?")


def expression(text: str) -> str:
    """Returns the expression as one argument of a call, without a comment behind it: that would hide what follows.

    Raises:
        UsageError: it is no expression.
    """
    try:
        ast.parse(f"({text}\n)", mode="eval")
        bare = _without_comment(text)
        ast.parse(f"({bare})" if bare else "", mode="eval")  # as it will stand in a call; nothing is no expression
    except (SyntaxError, ValueError, RecursionError, MemoryError, tokenize.TokenError) as error:
        detail = error.msg if isinstance(error, SyntaxError) else str(error)
        raise UsageError(
            f"{text!r} is not a Python expression: {detail}", "write one expression, as in a cell"
        ) from error
    try:
        call = ast.parse(f"f({bare})", mode="eval").body
    except SyntaxError:
        return f"({bare})"
    plain = isinstance(call, ast.Call) and len(call.args) == 1 and not call.keywords
    return bare if plain and not _needs_parentheses(call, bare) else f"({bare})"


def tests_call(text: str) -> str:
    """Returns the call that runs behaviour tests, as Python: values go by the names that the tests ask for.

    Raises:
        UsageError: the text is not of the form `TEST(NAME, NAME=EXPR, ...)`.
    """
    call = ast.parse(expression(text), mode="eval").body
    form = "write the test with the values that it asks for: test_later(model, X_test)"
    if not isinstance(call, ast.Call):
        raise UsageError(f"{text!r} says no values", form)
    keywords = [(keyword.arg, ast.unparse(keyword.value)) for keyword in call.keywords]
    values = [
        (argument.id if isinstance(argument, ast.Name) else None, ast.unparse(argument)) for argument in call.args
    ]
    unnamed = next((value for name, value in [*values, *keywords] if name is None), None)
    if unnamed is not None:
        raise UsageError(f"`{unnamed}` has no name by which a test could ask for it", f"name it: NAME={unnamed}")
    given = [f"{name}={value}" for name, value in [*values, *keywords]]
    return f"nbmlops.api.test({', '.join([ast.unparse(call.func), *given])})"


def _without_comment(text: str) -> str:
    """Returns an expression without the comment at its end, if there is one."""
    lines = f"({text}".splitlines(keepends=True)
    for token in tokenize.generate_tokens(iter([*lines, "\n)"]).__next__):
        if token.type == tokenize.COMMENT and token.start[0] == len(lines):
            return "".join([*lines[:-1], lines[-1][: token.start[1]]])[1:].rstrip()
    return text


def _needs_parentheses(call: ast.expr, text: str) -> bool:
    argument = call.args[0] if isinstance(call, ast.Call) else call
    return isinstance(argument, ast.Starred) or (isinstance(argument, ast.GeneratorExp) and not text.startswith("("))


def word(text: str) -> str:
    """Returns the one word that the text is, without its quotes.

    Raises:
        UsageError: it is none, or more than one.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"{text!r} has a quote that is not closed", "close the quote") from error
    if len(words) != 1:
        raise UsageError(f"{text!r} is more than one word", f'put it in quotes: "{text}"')
    return words[0]


def plain_name(text: str) -> str:
    """Returns a name that may stand in files and addresses.

    Raises:
        UsageError: it is none.
    """
    name = word(text)
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} is not a name", "use letters, digits, `_`, `-` and `.`, beginning with a letter")
    return name


def metric_name(text: str) -> str:
    """Returns a name that MLflow takes for a metric or parameter.

    Raises:
        UsageError: it does not.
    """
    name = word(text)
    if not _METRIC_NAME.fullmatch(name) or any(part in {"", ".", ".."} for part in name.split("/")):
        raise UsageError(
            f"{name!r} cannot be the name of a metric or parameter",
            "use letters, digits, `_`, `-`, `.`, `:`, `/` and spaces, for example `auc/EWR`",
        )
    return name


def quoted(text: str) -> str:
    """Returns the text as a Python literal in double quotes."""
    return json.dumps(text, ensure_ascii=False)
