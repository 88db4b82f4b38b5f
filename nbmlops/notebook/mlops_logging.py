"""The `%mlops` subcommands that log something: what they take, and the calls that they stand for."""

from __future__ import annotations

import argparse

from nbmlops.core.errors import UsageError
from nbmlops.notebook.mlops_values import expression, metric_name, plain_name, quoted, tests_call, word


def _name_of(expression: str, given: str | None, option: str, example: str) -> str:
    if given is not None:
        return given
    if expression.isidentifier():
        return expression
    raise UsageError(
        f"`{expression}` has no name of its own", f"give one: `%mlops {example} {expression} --{option} NAME`"
    )


def data_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what `%mlops data` takes."""
    parser.add_argument("value", metavar="EXPR", type=expression, help="a frame, an array, or the path of a file")
    parser.add_argument("--name", type=plain_name, help="the name to log it under (default: EXPR if it is a name)")
    parser.add_argument("--context", type=word, help='what it is used for, for example "training"')


def data_call(given: argparse.Namespace) -> str:
    """Returns the call.

    Raises:
        UsageError: what is logged has no name.
    """
    name = _name_of(given.value, given.name, "name", "data")
    context = f", context={quoted(given.context)}" if given.context else ""
    return f"nbmlops.data({given.value}, name={quoted(name)}{context})"


def check_schema_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what `%mlops check` takes."""
    parser.add_argument("value", metavar="EXPR", type=expression, help="the frame to validate")
    parser.add_argument("--schema", type=plain_name, help="the schema's name (default: EXPR if it is a name)")
    parser.add_argument(
        "--update", action="store_true", help="widen the rules that it breaks, in the file (a pipeline only checks)"
    )


def check_call(given: argparse.Namespace) -> str:
    """Returns the call.

    Raises:
        UsageError: what is logged has no name.
    """
    schema = _name_of(given.value, given.schema, "schema", "check")
    update = ", update=True" if given.update else ""
    return f"nbmlops.check({given.value}, schema={quoted(schema)}{update})"


def param_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what `%mlops param` takes."""
    parser.add_argument("name", metavar="NAME", type=metric_name, help="the parameter's name")
    parser.add_argument("value", metavar="EXPR", type=expression, nargs="?", help="its value (default: NAME)")


def metric_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what `%mlops metric` takes."""
    parser.add_argument("name", metavar="NAME", type=metric_name, help="the metric's name")
    parser.add_argument("value", metavar="EXPR", type=expression, nargs="?", help="its value (default: NAME)")
    parser.add_argument("--step", metavar="N", type=expression, help="the epoch or round it belongs to")


def _logged(given: argparse.Namespace, function: str) -> str:
    value = given.value
    if value is None:
        if not given.name.isidentifier():
            raise UsageError(
                f"{given.name!r} is not a variable, so its value is missing",
                f'write it: `%mlops {function} "{given.name}" EXPR`',
            )
        value = given.name
    return f"nbmlops.{function}({quoted(given.name)}, {value}"


def param_call(given: argparse.Namespace) -> str:
    """Returns the call.

    Raises:
        UsageError: the name is no variable, and no value is given.
    """
    return f"{_logged(given, 'param')})"


def metric_call(given: argparse.Namespace) -> str:
    """Returns the call.

    Raises:
        UsageError: the name is no variable, and no value is given.
    """
    step = f", step={given.step}" if given.step is not None else ""
    return f"{_logged(given, 'metric')}{step})"


def figure_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what `%mlops figure` takes."""
    parser.add_argument("name", metavar="NAME", type=metric_name, help="the figure's name")
    known = "a figure of matplotlib, plotly or altair, an image, or a picture's path (default: NAME)"
    parser.add_argument("value", metavar="EXPR", type=expression, nargs="?", help=known)


def figure_call(given: argparse.Namespace) -> str:
    """Returns the call.

    Raises:
        UsageError: the name is no variable, and no value is given.
    """
    return f"{_logged(given, 'figure').replace('nbmlops.', 'nbmlops.api.', 1)})"


def predictions_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what `%mlops predictions` takes."""
    texts = {
        "--truth": ("Y", "what was right, row by row"),
        "--features": ("FRAME", "what the model predicted from; kept with the run"),
        "--rows": ("FRAME", "what tells rows apart, such as a column of ids (default: the features)"),
        "--slices": ("FRAME", "columns to make slices by, beside the features"),
        "--threshold": ("NUMBER", "from which score a row counts as positive"),
        "--training": ("FRAME", "rows that were trained on, to find held-out rows among them"),
        "--model": ("MODEL", "the fitted model, to measure size and latency"),
    }
    parser.add_argument("values", metavar="EXPR", type=expression, help="a score, a number or a label for each row")
    for option, (metavar, text) in texts.items():
        parser.add_argument(option, metavar=metavar, type=expression, required=option == "--truth", help=text)
    parser.add_argument("--name", type=plain_name, help="the name to log them under (default: held_out)")


def predictions_call(given: argparse.Namespace) -> str:
    """Returns the call."""
    names = ("truth", "features", "rows", "slices", "threshold", "training", "model")
    parts = [f"{name}={getattr(given, name)}" for name in names if getattr(given, name) is not None]
    parts += [f"name={quoted(given.name)}"] if given.name else []
    return f"nbmlops.api.predictions({given.values}, {', '.join(parts)})"


def test_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what `%mlops test` takes."""
    known = "a function, or a module of functions `test_...`, with the values that they ask for by name"
    parser.add_argument("call", metavar="TEST(NAME, ...)", type=tests_call, help=known)
