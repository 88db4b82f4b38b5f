"""Text of users in generated files is data: row 59 of the fault catalogue, and some more."""

from __future__ import annotations

import ast
import json
import re
import shlex
from collections.abc import Mapping

import pytest
import yaml

from nbmlops.compiler.compile import compile_notebook
from nbmlops.compiler.program import Compiled, CompileOptions
from nbmlops.compiler.targets.quoting import github as inert
from nbmlops.notebook.reader import parse_notebook

PAYLOADS = [
    "${{ github.token }}",
    "${{ '}}' }} ${{ x",
    "`touch x` $(touch x) ${HOME} $HOME",
    "a'; touch x; '\" \\\" \\",
    "'''+exit()+'''\"\"\"+exit()+\"\"\"",
    "::set-output name=a::b %0A",
    "{{ 7 * 7 }} {% raw %} {# c #}",
    "| pipe | <script>alert(1)</script> [x](javascript:y) ![i](u)",
    "- yes: no # comment & *anchor !!python/object",
    "ünïcödé \u202e\u2066 emoji 🛫",
    "---\n...\n%YAML",
    "-rf",
    "*?[a-z]",
]


def hostile(payload: str) -> Compiled:
    text = payload.replace("\n", " ")
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": f"# {text}"},
        {"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": f"# {text}\np = {payload!r}  # {text}"},
        {"cell_type": "markdown", "metadata": {}, "source": f"## {text}"},
        {"cell_type": "code", "metadata": {"tags": ["step:one"]}, "source": f"# {text}\nx = [p, {payload!r}]\nx"},
    ]
    for number, cell in enumerate(cells):
        cell["id"] = f"c{number}"
        if cell["cell_type"] == "code":
            cell |= {"outputs": [], "execution_count": None}
    document = {
        "cells": cells,
        "metadata": {"kernelspec": {"name": "python3", "display_name": "", "language": "python"}},
    }
    name = re.sub(r"[/\0\n]", "_", payload)
    notebook = parse_notebook(json.dumps(document | {"nbformat": 4, "nbformat_minor": 5}).encode(), f"{name}.ipynb")
    options = CompileOptions(
        notebook=f"{name}/{name}.ipynb",
        out=f"{name}/out",
        root=name,
        branch=text,
        model_name=text,
        out_is_default=False,
    )
    result = compile_notebook(notebook, options)
    assert result.pipeline is not None, result.diagnostics
    return result


def of_pipeline(result: Compiled) -> Mapping[str, bytes]:
    return {path.removeprefix(f"{result.out}/"): content for path, content in result.files.items()}


@pytest.mark.parametrize("payload", PAYLOADS)
def test_python_files_hold_the_text_as_data(payload: str) -> None:
    result = hostile(payload)
    files = of_pipeline(result)
    package = result.pipeline.name if result.pipeline else ""
    for path, content in files.items():
        if path.endswith(".py"):
            tree = ast.parse(content)
            calls = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
            assert not calls & {"exit", "touch"}
    record = ast.parse(files[f"{package}/params.py"]).body[-1]
    assert isinstance(record, ast.ClassDef)
    field = record.body[-1]
    assert isinstance(field, ast.AnnAssign)
    assert field.value is not None
    assert ast.literal_eval(field.value) == payload


@pytest.mark.parametrize("payload", PAYLOADS)
def test_the_workflow_runs_nothing_of_it(payload: str) -> None:
    result = hostile(payload)
    text = next(content for path, content in result.files.items() if path.startswith(".github")).decode()
    document = yaml.safe_load(text)
    name = re.sub(r"[/\0\n]", "_", payload)
    assert set(document) == {"name", "on", "permissions", "concurrency", "jobs"}
    assert document["permissions"] == {"contents": "read"}
    job = document["jobs"]["pipeline"]
    assert evaluated(job["env"]["NOTEBOOK"]) in {f"{name}.ipynb", f"./{name}.ipynb"}
    assert evaluated(job["env"]["REGISTERS_ON"]) == f"refs/heads/{payload}".replace("\n", " ")
    assert evaluated(job["defaults"]["run"]["working-directory"]) == name
    for step in job["steps"]:
        assert name not in step.get("run", "") or len(name) < 5
        assert set(re.findall(r"\$\{\{(.*?)\}\}", step.get("run", ""))) == set()
    assert document["on"]["push"]["branches"] == [inert(payload.replace("\n", " "))]


def evaluated(text: str) -> str:
    """What GitHub makes of a value whose only expressions are those of `inert`."""
    marker = "\0"
    plain = text.replace("${{ '${{' }}", marker)
    assert "${{" not in plain
    return plain.replace(marker, "${{")


@pytest.mark.parametrize("payload", PAYLOADS)
def test_the_dockerfile_holds_paths_as_json(payload: str) -> None:
    lines = of_pipeline(hostile(payload))["Dockerfile"].decode().splitlines()
    instructions = [line.split(" ", 1) for line in lines if line and not line.startswith(("#", " "))]
    assert [word for word, _ in instructions] == [
        "FROM", "RUN", "WORKDIR", "COPY", "RUN", "COPY", "RUN", "USER", "ENTRYPOINT",
    ]  # fmt: skip
    assert json.loads(instructions[3][1]) == ["out/requirements.lock", "/tmp/requirements.lock"]
    assert json.loads(instructions[8][1]) == ["nbmlops", "run", "out"]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_commands_in_the_readme_are_quoted(payload: str) -> None:
    text = of_pipeline(hostile(payload))["README.md"].decode()
    name = re.sub(r"[/\0\n]", "_", payload)
    command = next(line for line in text.splitlines() if line.startswith("nbmlops compile"))
    words = shlex.split(command)
    assert [*words[:2], words[2].removeprefix("./"), *words[3:]] == ["nbmlops", "compile", f"{name}.ipynb", "-o", "out"]
    outside = re.sub(r"(?s)```.*?```|(`+).*?\1", "", text)
    assert "<script" not in outside
    assert "](javascript" not in outside.replace("\\[", "").replace("\\]", "")


@pytest.mark.parametrize("payload", PAYLOADS)
def test_the_document_and_the_notebooks_read_back(payload: str) -> None:
    result = hostile(payload)
    files = of_pipeline(result)
    document = yaml.safe_load(files["pipeline.yaml"])
    assert document["parameters"][0]["default"] == payload
    notebook = json.loads(files["notebooks/01_one.ipynb"])
    namespace: dict[str, object] = {}
    exec("".join(notebook["cells"][1]["source"]), namespace)
    assert namespace["p"] == payload
    assert [cell["id"] for cell in notebook["cells"]] == ["title", "parameters", "load", "run", "save"]
