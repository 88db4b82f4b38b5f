"""What the panel's buttons do: what the `%mlops` line of the same name does, and its outcome as a notice."""

from __future__ import annotations

from typing import Any

from nbmlops import api
from nbmlops.analysis.closing import register_line
from nbmlops.app.panel.model import Notice, Tone
from nbmlops.app.session.current import required_session
from nbmlops.app.show.cards import Card, tone
from nbmlops.app.show.views import View
from nbmlops.core.errors import NbmlopsError, UsageError
from nbmlops.ipython.evaluate import evaluate_call
from nbmlops.notebook.reader import read_notebook

ACTIONS = ("gate", "register", "compile")
_MOST_FILES = 4
_DONE = {"COMPILED", "UNCHANGED"}


def act(action: str, namespace: dict[str, Any]) -> Notice:
    """Returns what became of an action; whatever goes wrong is told and not raised.

    Args:
        action: One of `ACTIONS`.
        namespace: The notebook's variables.
    """
    try:
        return _told(_result(action, namespace))
    except NbmlopsError as error:
        lines = [*error.message.splitlines()[1:], *(f"hint: {line}" for line in error.hint.splitlines())]
        return Notice(Tone.BAD, error.message.partition("\n")[0], tuple(lines))
    except Exception as error:  # noqa: BLE001  # registering reads the user's variables; a button has no cell to fail in
        return Notice(Tone.BAD, f"{type(error).__name__}: {error}", (_hint(action, error),))


def _result(action: str, namespace: dict[str, Any]) -> View:
    match action:
        case "gate":
            return api.gate()
        case "register":
            return _register(namespace)
        case _:
            from nbmlops.ipython.notebook_commands import compile_  # noqa: PLC0415  # loads analysis and compiler

            return compile_({}, namespace)


def _register(namespace: dict[str, Any]) -> View:
    """Returns the version, registered as the notebook's own `%mlops register` line says.

    Raises:
        UsageError: there is no such line.
    """
    path = required_session().notebook_path
    line = register_line(read_notebook(path)) if path is not None else None
    if line is None:
        raise UsageError(
            "the notebook, as it was saved last, does not say what to register",
            "put `%mlops register MODEL --data FRAME` into a cell and save the notebook",
        )
    result = evaluate_call(line.python, line.text.removeprefix("%mlops").strip(), namespace, namespace)
    assert isinstance(result, View)
    return result


def _told(view: View) -> Notice:
    card = view.card()
    felt = Tone.GOOD if card.state in _DONE else Tone(tone(card))
    return Notice(felt, f"{card.state} {card.title}", (*_files(card), *card.notes))


def _files(card: Card) -> list[str]:
    """Returns what happened to how many files."""
    rows = [row for table in card.tables if table.caption == "files" for row in table.rows]
    kinds = dict.fromkeys(what for _, what in rows)
    return [_listed(what, [path for path, one in rows if one == what]) for what in kinds]


def _listed(what: str, paths: list[str]) -> str:
    more = len(paths) - _MOST_FILES
    return f"{len(paths)} {what}: {', '.join(paths[:_MOST_FILES])}{f' and {more} more' if more > 0 else ''}"


def _hint(action: str, error: Exception) -> str:
    if action == "register" and isinstance(error, NameError):
        return "hint: run the cells that make what the notebook's `%mlops register` line names"
    return f"hint: run `%mlops {action}` in a cell to see where it comes from"
