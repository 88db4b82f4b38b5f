"""What a compilation says and leaves out: closing stages, targets, refusals."""

from __future__ import annotations

import json

import pytest
import yaml

from nbmlops.analysis.model import ClosingNames
from nbmlops.compiler.closing import read_closing
from nbmlops.compiler.compile import compile_notebook
from nbmlops.compiler.lock import python_version
from nbmlops.compiler.modules import compile_check
from nbmlops.compiler.program import Compiled, CompileOptions
from nbmlops.compiler.templates import render, templates_folder
from nbmlops.core.diagnostics import render_diagnostics
from nbmlops.core.errors import NbmlopsError, UsageError
from nbmlops.notebook.model import Notebook
from nbmlops.notebook.reader import parse_notebook
from nbmlops.pipeline.demands import Demands, Resources, StepDemands
from nbmlops.pipeline.ir import GateStage, Input, MetricSource, RegisterStage


def notebook(*sources: str) -> Notebook:
    """Code cells, each a step of its own: "name: source"."""
    cells = []
    for number, text in enumerate(sources):
        name, _, source = text.partition(": ")
        cell = {"cell_type": "code", "id": f"c{number}", "metadata": {"tags": [name]}, "source": source}
        cells.append(cell | {"outputs": [], "execution_count": None})
    document = {
        "cells": cells,
        "metadata": {"kernelspec": {"name": "python3", "display_name": "", "language": "python"}},
    }
    return parse_notebook(json.dumps(document | {"nbformat": 4, "nbformat_minor": 5}).encode(), "tea.ipynb")


def compiled(book: Notebook, **changes: object) -> Compiled:
    options = {"notebook": "tea.ipynb", "out": "pipelines/tea", **changes}
    return compile_notebook(book, CompileOptions(**options))  # type: ignore[arg-type]  # a test's shorthand


def test_lines_of_the_notebook_go_before_the_configuration() -> None:
    book = notebook("step:a: m = [1]\nX = [2]\n%mlops gate\n%mlops register m --data X --name own")
    options = CompileOptions(
        "tea.ipynb", "p", closing=ClosingNames("other", "Y", {"score": "m"}), model_name="configured", gate=False
    )
    closing = read_closing(book, options)
    assert closing.names == ClosingNames("m", "X", {"score": "m"})
    assert (closing.gate, closing.gate_cell, closing.register, closing.register_cell) == (True, 1, True, 1)
    assert closing.model_name == "own"


def test_the_configuration_closes_a_notebook_that_says_nothing() -> None:
    book = notebook("step:a: m = [1]\nX = [2]", "step:b: score = m[0] + X[0]")
    names = ClosingNames("m", "X", {"accuracy": "score"})
    pipeline = compiled(book, closing=names).pipeline
    assert pipeline is not None
    assert pipeline.metrics == (MetricSource("accuracy", Input("score", "b")),)
    assert pipeline.gate == GateStage(0)
    assert pipeline.register == RegisterStage(Input("m", "a"), Input("X", "a"), "tea", 0)


def test_a_notebook_without_rules_and_model_has_no_stages() -> None:
    pipeline = compiled(notebook("step:a: x = 1")).pipeline
    assert pipeline is not None
    assert (pipeline.gate, pipeline.register, pipeline.metrics) == (None, None, ())


def test_metrics_that_a_cell_prints_for_kale_count_unless_the_configuration_renames_them() -> None:
    book = notebook("step:a: loss = 1\nscore = 2", "pipeline-metrics: print(loss)\nprint(score)")
    pipeline = compiled(book, closing=ClosingNames(metrics={"log_loss": "loss"})).pipeline
    assert pipeline is not None
    assert pipeline.metrics == (
        MetricSource("score", Input("score", "a")),
        MetricSource("log_loss", Input("loss", "a")),
    )


def test_a_name_of_the_configuration_that_nothing_binds_is_an_error() -> None:
    result = compiled(notebook("step:a: x = 1"), closing=ClosingNames(metrics={"accuracy": "acc"}))
    assert result.pipeline is None
    assert result.files == {}
    assert "'acc'" in render_diagnostics(result.diagnostics)


def test_a_skipped_gate_line_does_not_count() -> None:
    pipeline = compiled(notebook("step:a: x = 1", "skip: %mlops gate")).pipeline
    assert pipeline is not None
    assert pipeline.gate is None


def test_statements_of_one_line_go_to_different_places() -> None:
    book = notebook("imports: import pandas as pd\npd.set_option('x', 1); print(1)", "step:a: x = 1")
    files = compiled(book).files
    assert b"    pd.set_option('x', 1)\n" in files["pipelines/tea/tea/settings.py"]
    assert b"    print(1)\n" in files["pipelines/tea/tea/setup.py"]


def test_the_target_none_writes_no_workflow() -> None:
    book = notebook("step:a: x = 1")
    with_workflow, without = compiled(book), compiled(book, targets=())
    assert set(with_workflow.files) - set(without.files) == {".github/workflows/tea.yml"}
    assert b"Continuous integration" not in without.files["pipelines/tea/README.md"]
    with pytest.raises(UsageError, match="there is no target 'gitlub'"):
        compiled(book, targets=("gitlub",))


def test_an_output_folder_of_the_users_own_is_named_in_commands() -> None:
    files = compiled(notebook("step:a: x = 1"), out="made here/tea", out_is_default=False).files
    assert "nbmlops compile tea.ipynb -o 'made here/tea'" in files["made here/tea/README.md"].decode()
    workflow = yaml.safe_load(files[".github/workflows/tea.yml"])
    assert workflow["jobs"]["pipeline"]["steps"][3]["run"] == 'nbmlops compile "$NOTEBOOK" -o "$PIPELINE" --check'


def test_a_project_below_the_repositorys_root() -> None:
    book = notebook("step:a: x = 1")
    result = compiled(book, notebook="ml/nb/tea.ipynb", out="ml/pipelines/tea", root="ml")
    assert result.pipeline is not None
    assert (result.pipeline.notebook, result.pipeline.root) == ("../../nb/tea.ipynb", "../..")
    job = yaml.safe_load(result.files[".github/workflows/tea.yml"])["jobs"]["pipeline"]
    assert job["defaults"] == {"run": {"working-directory": "ml"}}
    assert job["env"]["NOTEBOOK"] == "nb/tea.ipynb"
    assert job["steps"][1]["with"]["cache-dependency-path"] == "ml/pipelines/tea/requirements.lock"
    assert job["steps"][-1]["with"]["path"] == "ml/runs/tea"


def test_the_lock_tells_the_python_version() -> None:
    assert [python_version(text) for text in ("# a\n# python 3.13\nx==1\n", "x==1\n")] == ["3.13", "3.11"]


def test_generated_code_that_is_no_python_is_our_fault() -> None:
    with pytest.raises(NbmlopsError, match=r"generated p/a\.py, which is not valid Python"):
        compile_check({"p/a.py": "def ("})


def test_templates_are_found_and_ask_for_every_name() -> None:
    from jinja2 import UndefinedError

    assert (templates_folder() / "pipeline" / "README.md.j2").is_file()
    with pytest.raises(UndefinedError):
        render("pipeline/Dockerfile.j2")


def test_what_is_asked_of_the_machine_reaches_the_pipeline_document() -> None:
    book = notebook("step:a: m = [1]", "step:b: print(m)")
    asked = Demands({"a": StepDemands(2, 5.0, 600.0, Resources(2.0, "4GiB"))}, "0 6 * * 1", ("DB_PASSWORD",))
    result = compiled(book, demands=asked)
    assert result.pipeline is not None
    a, b = result.pipeline.steps
    assert (a.retries, a.backoff, a.timeout, a.resources) == (2, 5.0, 600.0, Resources(2.0, "4GiB"))
    assert (b.retries, b.backoff, b.timeout, b.resources) == (0, 0.0, None, Resources())
    assert (result.pipeline.schedule, result.pipeline.secrets) == ("0 6 * * 1", ("DB_PASSWORD",))
    unasked = compiled(book).pipeline
    assert unasked is not None
    assert [step.digest for step in unasked.steps] == [a.digest, b.digest]
