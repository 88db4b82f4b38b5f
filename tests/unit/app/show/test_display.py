"""Showing values in IPython."""

from __future__ import annotations

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from nbmlops.app.show.display import show


@pytest.fixture
def shell():
    made = InteractiveShell.instance()
    yield made
    InteractiveShell.clear_instance()


def test_values_are_displayed_and_none_is_not(shell):
    with capture_output() as shown:
        show(1, None, "a")
    assert [output.data for output in shown.outputs] == [{"text/plain": "1"}, {"text/plain": "'a'"}]


def test_nothing_happens_outside_of_ipython():
    with capture_output() as shown:
        show(1)
    assert (shown.outputs, shown.stdout) == ([], "")
