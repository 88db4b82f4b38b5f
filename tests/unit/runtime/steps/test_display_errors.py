"""Errors of displaying, in a real shell."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from nbmlops.app.show.display import show
from nbmlops.runtime.steps.display_errors import show_as_results


class Broken:
    """A value that cannot be displayed."""

    def __repr__(self) -> str:
        raise ValueError("no picture")


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    yield InteractiveShell.instance()
    InteractiveShell.clear_instance()


def test_an_error_of_displaying_is_a_result_and_others_are_errors(shell: InteractiveShell) -> None:
    own = shell.showtraceback
    end = show_as_results(shell)
    with capture_output() as shown:
        show(Broken(), 2)
        shell.run_cell("1 / 0")
    error, value = shown.outputs
    assert error.metadata == {"nbmlops": {"error": "ValueError: no picture"}}
    assert error.data["text/plain"].splitlines()[-1] == "ValueError: no picture"
    assert value.data == {"text/plain": "2"}
    assert "ZeroDivisionError" in shown.stdout
    end()
    assert shell.showtraceback == own


def test_it_ends(shell: InteractiveShell) -> None:
    show_as_results(shell)()
    with capture_output() as shown:
        show(Broken())
    assert (shown.outputs, shown.stdout.endswith(": no picture\n")) == ([], True)
