from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from nbmlops.core.errors import GateRejected, UsageError
from nbmlops.pipeline.run_record import MetricValue

Capture = pytest.CaptureFixture[str]
NO_RUN = (
    "UsageError: no run: nothing is tracked in this session\n"
    "hint: put `%mlops track` in the first cell and run it (in Python: nbmlops.track())\n"
)


def test_the_magic_alone_lists_what_there_is(loaded: Any):
    shown = repr(loaded.run_line_magic("mlops", ""))
    assert shown.splitlines()[0] == "%mlops tracks, checks, gates and registers"
    rows = [line.split("  ") for line in shown.splitlines()[3:-1]]
    told = {row[1].strip(): row[-1].strip() for row in rows}
    assert told["%mlops data flights --context training"] == "fingerprint a frame or a file and log it as an input"
    assert "  %mlops panel" in shown


def test_help_explains_one(loaded: Any):
    shown = repr(loaded.run_line_magic("mlops", "register --help"))
    assert shown.startswith("usage: %mlops register")
    assert shown.endswith("example:\n  %mlops register model --data X_train")
    assert "tracks, checks, gates and registers" in loaded.object_inspect("%mlops")["docstring"].lower()


def test_lines_log_in_order(loaded: Any, track: Callable[[], Any]):
    store = track()
    loaded.run_cell("auc, errors, df = 0.8, [1, 3], None\nimport pandas as pd\ndf = pd.DataFrame({'a': [1, 2]})")
    result = loaded.run_cell(
        "%mlops data df --context training\n%mlops param folds 5\n%mlops metric auc\n"
        "%mlops metric mean_error = sum(errors) / len(errors)\n%mlops metric loss 0.5 --step 3"
    )
    result.raise_error()
    assert repr(result.result) == "METRIC loss = 0.5 (step 3)"
    (batch,) = store.sent
    assert dict(batch.params) == {"folds": 5}
    assert batch.metrics == (MetricValue("auc", 0.8), MetricValue("mean_error", 2.0), MetricValue("loss", 0.5, 3))
    assert [(record.name, record.context, record.rows) for record in batch.data] == [("df", "training", 2)]
    assert "nbmlops" not in loaded.user_ns


def test_two_versions_of_data_are_compared(loaded: Any, track: Callable[[], Any]):
    track()
    loaded.run_cell("import pandas as pd\nold = pd.DataFrame({'a': [1, 2]})\nnew = old + 1\ndiff = old")
    loaded.run_cell("%mlops data old --name d\n%mlops data new --name d2").raise_error()
    frames = loaded.run_cell("%mlops data diff old new").result
    assert repr(frames).splitlines()[0] == "CHANGED old → new: values changed"
    logged = loaded.run_cell("%mlops data diff d d2").result
    assert repr(logged).splitlines()[0] == "CHANGED d → d2: values changed"
    assert "<svg" in logged._repr_html_()
    assert repr(loaded.run_cell("%mlops data diff").result).startswith("DATA diff: frame, 2 rows")
    assert repr(loaded.run_cell("%mlops data diff --name e").result).startswith("DATA e: frame, 2 rows")


def test_braces_and_dollars_are_not_expanded(loaded: Any, track: Callable[[], Any]):
    store = track()
    loaded.run_cell("x = 3\n%mlops param text '{x} $x'").raise_error()
    assert dict(store.sent[0].params) == {"text": "{x} $x"}


def test_a_line_inside_a_function_sees_its_locals(loaded: Any, track: Callable[[], Any]):
    store = track()
    loaded.run_cell("def log(value):\n    %mlops metric inner = value\nlog(0.25)").raise_error()
    assert store.sent[0].metrics == (MetricValue("inner", 0.25),)


def test_our_errors_are_short_and_fail_the_cell(loaded: Any, capsys: Capture):
    result = loaded.run_cell("%mlops metric auc = 0.5\nafter = 1")
    assert isinstance(result.error_in_exec, UsageError)
    assert "after" not in loaded.user_ns
    assert capsys.readouterr().out == NO_RUN


def test_grammar_errors_tell_the_edit(loaded: Any, capsys: Capture):
    assert isinstance(loaded.run_cell("%mlops metrc auc").error_in_exec, UsageError)
    assert capsys.readouterr().out == (
        "UsageError: %mlops has no subcommand 'metrc'\nhint: did you mean `%mlops metric`?\n"
    )


def test_the_users_own_exception_is_shown_in_full(loaded: Any, track: Callable[[], Any], capsys: Capture):
    track()
    loaded.run_cell("def worst():\n    return 1 / 0")
    result = loaded.run_cell("%mlops metric bad = worst()")
    assert isinstance(result.error_in_exec, ZeroDivisionError)
    shown = capsys.readouterr().out
    assert "ZeroDivisionError: division by zero" in shown
    assert "return 1 / 0" in shown
    assert "evaluate_call" not in shown


def test_a_failing_gate_is_shown_and_registering_refused(loaded: Any, track: Callable[[], Any], capsys: Capture):
    track()
    result = loaded.run_cell("%mlops metric auc = 0.6\n%mlops gate")
    result.raise_error()
    assert repr(result.result).splitlines()[0] == "FAIL gate (0 of 1 rule passed)"
    assert isinstance(loaded.run_cell("%mlops register 'm' --data 'd'").error_in_exec, GateRejected)
    assert capsys.readouterr().out.splitlines()[-1] == "GateRejected: the gate said no"


def test_a_path_without_quotes_is_told_how_to_be_written(loaded: Any, tmp_path: Path, capsys: Capture):
    (tmp_path / "flights.csv").write_text("a\n1\n")
    assert isinstance(loaded.run_cell("%mlops data flights.csv --name f").error_in_exec, UsageError)
    loaded.user_ns["flights"] = pd.DataFrame({"a": [1]})
    assert isinstance(loaded.run_cell("%mlops data flights.csv --name f").error_in_exec, UsageError)
    told = (
        "UsageError: flights.csv is a file, but no Python\n"
        'hint: put it in quotes: %mlops data "flights.csv" --name NAME\n'
    )
    assert isinstance(loaded.run_cell("%mlops data flights.csv").error_in_exec, UsageError)
    assert capsys.readouterr().out == told * 3
    assert isinstance(loaded.run_cell("%mlops data flights.cvs --name f").error_in_exec, AttributeError)


def test_step_cells_run_as_any_other(loaded: Any, capsys: Capture):
    result = loaded.run_cell("%%mlops step train\nx = 1\nx + 1")
    result.raise_error()
    assert result.result == 2
    result = loaded.run_cell("%%mlops step train\n1 / 0")
    assert isinstance(result.error_in_exec, ZeroDivisionError)
    assert "line 2" in capsys.readouterr().out


def test_step_cells_of_a_script(loaded: Any):
    loaded.run_cell_magic("mlops", "step train", "y = 5\n")
    assert loaded.user_ns["y"] == 5
    with pytest.raises(ZeroDivisionError):
        loaded.run_cell_magic("mlops", "step train", "1 / 0")


@pytest.mark.parametrize("cell", ["%%mlops stp train\nx = 1", "%%mlops gate\nx = 1", "%%mlops step\nx = 1"])
def test_other_cell_magics_are_refused_and_nothing_runs(loaded: Any, cell: str, capsys: Capture):
    assert isinstance(loaded.run_cell(cell).error_in_exec, UsageError)
    assert "x" not in loaded.user_ns


def test_step_as_a_line_is_refused(loaded: Any, capsys: Capture):
    assert isinstance(loaded.run_cell("%mlops step train").error_in_exec, UsageError)
    assert capsys.readouterr().out == (
        "UsageError: `%mlops step` marks a whole cell\nhint: write it as its first line: %%mlops step train\n"
    )


def test_status_works_without_a_run(loaded: Any):
    result = loaded.run_cell("%mlops status")
    result.raise_error()
    assert repr(result.result) == (
        "NO-RUN nothing is tracked in this session\n"
        "to start: put `%mlops track` in the first cell and run it (in Python: nbmlops.track())"
    )


def test_a_frame_with_a_hostile_column_name_is_escaped(loaded: Any, track: Callable[[], Any]):
    track()
    loaded.user_ns["df"] = pd.DataFrame({"<script>alert(1)</script>": [1]})
    loaded.run_cell("%mlops param '<b>' 1").error_in_exec.message.index("cannot be the name")
    loaded.run_cell("%mlops param text '<img src=x>'").raise_error()
    loaded.run_cell("%mlops data df").raise_error()
    html = loaded.run_cell("%mlops status").result._repr_html_()
    assert "&lt;img src=x&gt;" in html
    assert "<img" not in html
    assert "<script" not in html


TESTS = "def test_up(x):\n    assert x > 0\n\n\ndef test_down(x):\n    assert x < 0, f'{x} is above 0'"
OUTCOMES = {"test_up": ("pass", ""), "test_down": ("fail", "3 is above 0")}


def outcomes(store: Any) -> dict[str, tuple[str, str]]:
    return {test.name: (test.outcome.value, test.message) for batch in store.sent for test in batch.tests}


def test_a_cell_with_a_comment_runs_its_tests(loaded: Any, track: Callable[[], Any]):
    loaded.run_cell(f"# nbmlops: test\n{TESTS}\nx = 1").raise_error()  # nothing is tracked
    store = track()
    loaded.run_cell("x = 3")
    result = loaded.run_cell(f"# nbmlops: test\n{TESTS}")
    result.raise_error()
    assert repr(result.result).splitlines()[0] == "FAIL 1 of 2 behaviour tests passed"
    assert outcomes(store) == OUTCOMES
    assert "nbmlops" not in loaded.user_ns
    assert loaded.run_cell("# nbmlops: test\ndef test_no(nowhere): ...").error_in_exec is not None


def test_a_cell_that_is_tagged_in_the_saved_notebook_runs_its_tests_though_it_was_edited(
    loaded: Any, track: Callable[[], Any], tmp_path: Any
):
    import nbformat

    tagged = nbformat.v4.new_code_cell("def test_up(x): ...\n\ndef test_gone(): ...", metadata={"tags": ["test"]})
    line = nbformat.v4.new_code_cell("%mlops test checks.test_fog(x)")
    nbformat.write(nbformat.v4.new_notebook(cells=[tagged, line]), tmp_path / "flights.ipynb")
    store = track()
    loaded.run_cell("x = 3\ndef test_other(x): raise ValueError")
    loaded.run_cell(TESTS).raise_error()
    assert outcomes(store) == OUTCOMES
    loaded.run_cell("%mlops gate").raise_error()
    missed = ("not run", "its cell was not run")
    assert outcomes(store) == {**OUTCOMES, "test_fog": missed, "test_gone": missed}


def test_a_failure_is_not_hidden_by_the_next_run_in_its_cell(loaded: Any, track: Callable[[], Any]):
    store = track()
    loaded.run_cell("def test_up(x): assert x > 0\nimport nbmlops.api")
    loaded.run_cell("for value in (-1, 1): nbmlops.api.test(test_up, x=value)").raise_error()
    assert outcomes(store)["test_up"][0] == "fail"
    loaded.run_cell("for value in (2, 1): nbmlops.api.test(test_up, x=value)").raise_error()
    assert outcomes(store)["test_up"][0] == "pass"


def test_a_line_runs_tests_of_a_module(loaded: Any, track: Callable[[], Any]):
    store = track()
    loaded.run_cell("import types\nchecks = types.ModuleType('checks')\nx = 3")
    loaded.run_cell(f"exec({TESTS!r}, vars(checks))")
    loaded.run_cell("%mlops test checks(x)").raise_error()
    assert outcomes(store) == OUTCOMES
    result = loaded.run_cell("%mlops test checks.test_down(x=-x)")
    assert repr(result.result) == (
        "PASS 1 of 1 behaviour test passed\nbehaviour tests:\n"
        "  outcome  behaviour test  what it found\n  PASS     test_down"
    )
