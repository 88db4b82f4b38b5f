"""Showing values in IPython: what is displayed, and errors of displaying."""

from __future__ import annotations

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from nbmlops.app.display import show


class Broken:
    """A value that cannot be displayed."""

    def __repr__(self) -> str:
        raise ValueError("no picture")


@pytest.fixture
def shell():
    made = InteractiveShell.instance()
    yield made
    InteractiveShell.clear_instance()


def test_values_are_displayed_and_none_is_not(shell):
    with capture_output() as shown:
        show(1, None, "a")
    assert [output.data for output in shown.outputs] == [{"text/plain": "1"}, {"text/plain": "'a'"}]


def test_an_error_of_displaying_is_shown_and_stops_nothing(shell):
    own = shell.showtraceback
    with capture_output() as shown:
        show(Broken(), 2)
    error, value = shown.outputs
    assert error.metadata == {"nbmlops": {"error": "ValueError: no picture"}}
    assert error.data["text/plain"].splitlines()[-1] == "ValueError: no picture"
    assert value.data == {"text/plain": "2"}
    assert shell.showtraceback == own


def test_nothing_happens_outside_of_ipython():
    with capture_output() as shown:
        show(1)
    assert (shown.outputs, shown.stdout) == ([], "")
