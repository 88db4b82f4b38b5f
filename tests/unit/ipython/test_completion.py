from typing import Any

import pytest

from nbmlops.ipython import completion
from nbmlops.ipython.completion import candidates
from nbmlops.ipython.subcommands import SUBCOMMANDS

NAMES = ["model", "df", "X_train"]


SCOPE = ("--pause", "--resume", "--stop")
ASKED = ("--autolog", "--figures")


@pytest.mark.parametrize(
    ("line", "symbol", "expected"),
    [
        ("%mlops ", "", [subcommand.name for subcommand in SUBCOMMANDS]),
        ("%mlops pa", "pa", ["param", "panel"]),
        ("%mlops stpe", "stpe", []),
        ("%mlops data ", "", ["X_train", "df", "model", "--name", "--context", "--help"]),
        ("%mlops data d", "d", ["df"]),
        ("%mlops data df --", "--", ["--name", "--context", "--help"]),
        ("%mlops data df --name x --c", "--c", ["--context"]),
        ("%mlops register model --data ", "", ["X_train", "df", "model", "--name", "--help"]),
        ("%mlops track --", "--", ["--experiment", "--notebook", "--name", *SCOPE, *ASKED, "--help"]),
        ("%mlops track --experiment ", "", []),
        ("%mlops track --notebook fl", "fl", []),
        ("%mlops nothing ", "", []),
        ("%mlops schema ", "", ["infer", "check", "diff"]),
        ("%mlops schema ch", "ch", ["check"]),
        ("%mlops schema check d", "d", ["df"]),
        ("%mlops schema infer df --", "--", ["--name", "--update", "--force", "--help"]),
        ("%%mlops ", "", ["step"]),
        ("%%mlops step tr", "tr", []),
    ],
)
def test_candidates(line: str, symbol: str, expected: list[str]):
    assert candidates(line, symbol, NAMES) == expected


def test_the_shell_completes_lines(shell: Any):
    from IPython.core.completer import provisionalcompleter

    completion.register(shell)
    shell.run_cell("flights = 1; _private = 2")
    text = "x = 1\n%mlops data fl"
    with provisionalcompleter():
        found = [c.text for c in shell.Completer.completions(text, len(text))]
    assert found == ["flights"]
    completion.unregister(shell)
    assert "%mlops" not in shell.strdispatchers["complete_command"].strs
