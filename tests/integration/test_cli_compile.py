"""Compiling through the command, on a tiny notebook: files, --check, hand edits, and the messages of bad inputs."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from nbmlops.cli.main import main

Golden = Callable[[str, str], None]

CELLS = [
    ([], "# Tiny model"),
    (["imports"], "import pandas as pd"),
    (["parameters"], "factor = 2  # how much"),
    (["step:load"], "numbers = pd.DataFrame({'x': [1, 2, 3]})"),
    (["step:total"], "total = int(numbers['x'].sum()) * factor\ntotal"),
]


def write_notebook(path: Path, cells: list[tuple[list[str], str]]) -> None:
    document = nbformat.v4.new_notebook()
    for number, (tags, source) in enumerate(cells):
        make = nbformat.v4.new_markdown_cell if source.startswith("#") else nbformat.v4.new_code_cell
        document.cells.append(make(source, id=f"c{number}", metadata={"tags": tags} if tags else {}))
    document.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path.write_text(nbformat.writes(document))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    write_notebook(folder / "tiny.ipynb", CELLS)
    return folder


@pytest.fixture
def transcript(capsys: pytest.CaptureFixture[str], project: Path) -> Callable[..., str]:
    def run(*arguments: str) -> str:
        code = main(arguments)
        captured = capsys.readouterr()
        text = f"$ nbmlops {' '.join(arguments)}\n{captured.out}"
        text += f"--- stderr\n{captured.err}" if captured.err else ""
        return re.sub(r"\d+ B\b", "N B", text.replace(str(project), "PROJECT")) + f"--- exit code {code}\n"

    return run


def test_the_life_of_a_compiled_pipeline(transcript: Callable[..., str], project: Path, golden: Golden) -> None:
    steps = [
        transcript("inspect", "tiny.ipynb"),
        transcript("compile", "tiny.ipynb", "--dry-run"),
        transcript("compile", "tiny.ipynb", "--check"),
        transcript("compile", "tiny.ipynb"),
        transcript("compile", "tiny.ipynb"),
        transcript("compile", "tiny.ipynb", "--check"),
    ]
    write_notebook(
        project / "tiny.ipynb", [*CELLS[:-1], (["step:total"], "total = numbers['x'].max() * factor\ntotal")]
    )
    steps.append(transcript("compile", "tiny.ipynb", "--check"))
    module = project / "pipelines/tiny/tiny/load.py"
    module.write_text(module.read_text() + "# mine\n")
    steps += [
        transcript("compile", "tiny.ipynb"),
        transcript("compile", "tiny.ipynb", "--force"),
        transcript("compile", "tiny.ipynb", "--check"),
        transcript("inspect", "tiny.ipynb", "--graph"),
    ]
    golden("cli/compile_life.txt", "\n".join(steps))


def test_compiling_twice_gives_the_same_bytes_and_writes_the_ignore_file_once(
    transcript: Callable[..., str], project: Path
) -> None:
    transcript("compile", "tiny.ipynb")
    first = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    transcript("compile", "tiny.ipynb", "--force")
    assert {path: path.read_bytes() for path in project.rglob("*") if path.is_file()} == first
    assert (project / ".gitignore").exists()


def test_the_documents_have_the_promised_keys(capsys: pytest.CaptureFixture[str], project: Path) -> None:
    assert main(["compile", "tiny.ipynb", "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["steps"][1] == {
        "name": "total",
        "mode": "function",
        "reason": "",
        "cells": [5],
        "inputs": ["numbers"],
        "outputs": [],
        "after": ["load"],
        "parameters": ["factor"],
    }
    assert document["parameters"] == [{"name": "factor", "type": "int", "default": 2}]
    assert {key: document[key] for key in ("schema", "pipeline", "out", "diagnostics")} == {
        "schema": "nbmlops/compile/1",
        "pipeline": "tiny",
        "out": "pipelines/tiny",
        "diagnostics": [],
    }
    assert "pipelines/tiny/pipeline.yaml" in document["files"]
    assert all((project / path).is_file() for path in document["files"])


BAD_NOTEBOOKS = {
    "syntax_error": [*CELLS[:3], (["step:load"], "x = 1"), (["step:b"], "y = 1\n"), ([], "\n\nif x\n    y = 2")],
    "unknown_prev": [(["step:load", "prev:laod"], "x = 1"), (["step:b"], "y = x")],
    "two_parameters_cells": [(["parameters"], "a = 1"), (["parameters"], "b = 1"), (["step:load"], "x = a + b")],
    "name_never_defined": [(["step:load"], "x = 1"), (["step:b"], "y = x + z")],
    "near_miss_tag": [(["stpe:load"], "x = 1"), (["step:b"], "y = x")],
}


@pytest.mark.parametrize("name", BAD_NOTEBOOKS)
def test_a_faulty_notebook_is_refused_and_nothing_is_written(
    transcript: Callable[..., str], project: Path, golden: Golden, name: str
) -> None:
    write_notebook(project / "tiny.ipynb", BAD_NOTEBOOKS[name])
    golden(f"cli/notebook_{name}.txt", transcript("compile", "tiny.ipynb"))
    assert not (project / "pipelines").exists()


def _not_json(project: Path) -> list[str]:
    (project / "broken.ipynb").write_text('{"cells": [')
    return ["compile", "broken.ipynb"]


def _not_a_notebook(project: Path) -> list[str]:
    (project / "other.ipynb").write_text('{"a": 1}')
    return ["compile", "other.ipynb"]


def _foreign_kernel(project: Path) -> list[str]:
    document = json.loads((project / "tiny.ipynb").read_text())
    document["metadata"]["kernelspec"] = {"name": "ir", "display_name": "R", "language": "R"}
    (project / "r.ipynb").write_text(json.dumps(document))
    return ["compile", "r.ipynb"]


def _malformed_config(project: Path) -> list[str]:
    (project / "nbmlops.toml").write_text("[[gate.rules]]\nmetric = auc\n")
    return ["compile", "tiny.ipynb"]


def _unknown_key(project: Path) -> list[str]:
    (project / "nbmlops.toml").write_text('[[gate.rules]]\nname = "floor"\nmetric = "auc"\nmn = 0.7\n')
    return ["compile", "tiny.ipynb"]


def _out_is_a_file(project: Path) -> list[str]:
    (project / "taken").touch()
    return ["compile", "tiny.ipynb", "-o", "taken"]


def _out_outside(_project: Path) -> list[str]:
    return ["compile", "tiny.ipynb", "-o", "../elsewhere"]


def _out_of_another_notebook(project: Path) -> list[str]:
    (project / "deep").mkdir()
    (project / "nbmlops.toml").touch()
    write_notebook(project / "deep" / "tiny.ipynb", CELLS)
    main(["compile", "deep/tiny.ipynb", "--format", "json"])
    return ["compile", "tiny.ipynb"]


def _run_before_compile(_project: Path) -> list[str]:
    return ["run", "tiny.ipynb"]


BAD_INPUTS: dict[str, Callable[[Path], list[str]]] = {
    "no_such_notebook": lambda _: ["compile", "tinny.ipynb"],
    "not_a_file": lambda _: ["compile", "."],
    "not_json": _not_json,
    "not_a_notebook": _not_a_notebook,
    "foreign_kernel": _foreign_kernel,
    "malformed_config": _malformed_config,
    "unknown_key": _unknown_key,
    "out_is_a_file": _out_is_a_file,
    "out_outside": _out_outside,
    "unknown_command": lambda _: ["complie", "tiny.ipynb"],
    "unknown_option": lambda _: ["compile", "tiny.ipynb", "--chek"],
    "check_and_dry_run": lambda _: ["compile", "tiny.ipynb", "--check", "--dry-run"],
    "unknown_target": lambda _: ["compile", "tiny.ipynb", "--target", "githb"],
    "run_before_compile": _run_before_compile,
    "unknown_key_as_json": lambda project: [*_unknown_key(project), "--format", "json"],
    "unknown_option_as_json": lambda _: ["compile", "tiny.ipynb", "--chek", "--format=json"],
}


@pytest.mark.parametrize("name", BAD_INPUTS)
def test_bad_input_is_met_with_a_clear_error(
    transcript: Callable[..., str], project: Path, golden: Golden, name: str
) -> None:
    golden(f"cli/bad_{name}.txt", transcript(*BAD_INPUTS[name](project)))


def test_the_folder_of_another_notebooks_pipeline_is_left_alone(
    transcript: Callable[..., str], project: Path, golden: Golden, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = _out_of_another_notebook(project)
    capsys.readouterr()
    golden("cli/bad_out_of_another_notebook.txt", transcript(*arguments))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_not_writable_is_told(transcript: Callable[..., str], project: Path, golden: Golden) -> None:
    (project / "locked").mkdir(mode=0o555)
    golden("cli/bad_out_not_writable.txt", transcript("compile", "tiny.ipynb", "-o", "locked/out"))
