from __future__ import annotations

import ast
import json
import math
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbmlops.core.errors import EnvironmentFault, UsageError
from nbmlops.pipeline.run_record import JoinedSteps, LiveValue
from nbmlops.runtime.kernels.kernel import Kernel
from nbmlops.runtime.schedule.execute import Job, _prepared, execute, literal, note_joined

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(PLAIN)
def test_parameters_are_written_as_the_literals_they_are(value: Any) -> None:
    assert repr(ast.literal_eval(literal(value))) == repr(value)


def test_numbers_that_have_no_literal_are_written_as_calls() -> None:
    assert [literal(value) for value in (math.nan, math.inf, [-math.inf])] == [
        'float("nan")',
        'float("inf")',
        '[float("-inf")]',
    ]


def notebook(*tags: str) -> dict[str, Any]:
    cells = [{"cell_type": "code", "metadata": {"tags": [tag]}, "source": tag, "outputs": []} for tag in tags]
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def prepared(tmp_path: Path, document: dict[str, Any], **parameters: Any) -> list[str]:
    (tmp_path / "a.ipynb").write_text(json.dumps(document))
    job = Job(tmp_path / "a.ipynb", tmp_path / "b.ipynb", tmp_path, parameters)
    return [cell["source"] for cell in json.loads(_prepared(job))["cells"]]


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    with closing(Kernel({})) as made:
        yield made


def test_parameters_stand_behind_the_tagged_cell(tmp_path: Path) -> None:
    assert prepared(tmp_path, notebook("x", "parameters", "y"), a=1, b="'") == [
        "x",
        "parameters",
        '# Parameters\na = 1\nb = "\'"',
        "y",
    ]
    assert prepared(tmp_path, notebook("x"), a=1) == ["# Parameters\na = 1", "x"]
    assert prepared(tmp_path, notebook("parameters")) == ["parameters"]


@pytest.mark.parametrize("text", [None, "{", "[]", "{}", '{"cells": [1]}', '{"cells": [{}]}', "[" * 200_000])
def test_a_step_notebook_that_is_gone_or_broken_is_named(tmp_path: Path, kernel: Kernel, text: str | None) -> None:
    if text is not None:
        (tmp_path / "a.ipynb").write_text(text)
    with pytest.raises(UsageError, match=r"the step notebook .*a\.ipynb cannot be read"):
        execute(Job(tmp_path / "a.ipynb", tmp_path / "b.ipynb", tmp_path, {}), kernel)


def test_no_room_for_the_executed_notebook_is_a_fault_of_the_environment(tmp_path: Path, kernel: Kernel) -> None:
    (tmp_path / "a.ipynb").write_text(json.dumps(notebook("x")))
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFault, match=r"cannot execute a\.ipynb in .*: Not a directory"):
        execute(Job(tmp_path / "a.ipynb", tmp_path / "file" / "run" / "b.ipynb", tmp_path, {}), kernel)


def test_an_executed_notebook_says_which_steps_ran_in_its_process(tmp_path: Path) -> None:
    target = tmp_path / "a.ipynb"
    note_joined(target, JoinedSteps(("a", "b"), ()))
    assert not target.exists()
    target.write_text(json.dumps(notebook("x")))
    note_joined(target, JoinedSteps(("a", "b"), (LiveValue("g", "generator", "cannot pickle 'generator' object"),)))
    assert json.loads(target.read_text())["metadata"]["nbmlops"] == {
        "steps": ["a", "b"],
        "values": [{"name": "g", "type": "generator", "reason": "cannot pickle 'generator' object"}],
    }
