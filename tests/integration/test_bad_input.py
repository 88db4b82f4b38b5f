"""Bad input met by the command before anything runs: the whole message, the exit code, and nothing written."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Golden = Callable[[str, str], None]
Told = Callable[..., str]
Write = Callable[..., None]
Contents = Callable[[Path], dict[str, bytes]]

LOAD = (["step:load"], "rows = [1, 2]")
TOTAL = (["step:total"], "total = sum(rows) * factor")
PARAMETERS = (["parameters"], "factor = 2\nlabel = 'a'\nrates = [0.1]\nfast = True")

NOTEBOOKS = {
    "syntax_error_cell_7_line_3": [
        ([], "# Rows"),
        PARAMETERS,
        LOAD,
        ([], "# Text"),
        ([], "# Text"),
        ([], "# Text"),
        (["step:total"], "a = 1\nb = 2\nc = a +* b"),
    ],
    "cycle": [(["step:a", "prev:b"], "x = 1"), (["step:b", "prev:a"], "y = x")],
    "name_only_in_skipped_cell": [LOAD, (["skip"], "limit = 3"), (["step:total"], "total = sum(rows) < limit")],
    "parameter_without_value": [(["parameters"], "factor: int\nlabel = 'a'"), LOAD, TOTAL],
    "parameter_dunder": [(["parameters"], "__builtins__ = 1\nfactor = 2"), LOAD, TOTAL],
    "step_names": [
        (["step:../x"], "a = 1"),
        (["step:" + "x" * 300], "b = a"),
        (["step:Load"], "c = b"),
        (["step:load"], "d = c"),
        (["step:"], "e = d"),
    ],
    "unstorable_code": [(["step:load"], "!ls > rows.txt"), (["step:total"], "%%bash\nls"), (["step:end"], "?int")],
    "all_at_once": [
        (["parameters"], "a = 1"),
        (["parameters"], "b = 2"),
        (["stpe:load"], "x = 1"),
        (["step:total", "prev:laod"], "y = x + z"),
    ],
}


@pytest.mark.parametrize("case", NOTEBOOKS)
def test_a_faulty_notebook(
    work: Path, notebook: Write, told: Told, contents: Contents, golden: Golden, case: str
) -> None:
    notebook(work / "rows.ipynb", *NOTEBOOKS[case])
    before = contents(work)
    golden(f"bad_input/notebook_{case}.txt", told("compile", "rows.ipynb"))
    assert contents(work) == before


def document(**changes: object) -> bytes:
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": "x = 1", "outputs": [], "execution_count": None}
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return json.dumps({"cells": [cell], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5} | changes).encode()


FILES = {
    "empty": b"",
    "truncated": document()[:100],
    "latin_1": document().replace(b"x = 1", b"x = '\xe4'"),
    "format_5": document(nbformat=5),
    "other_language": document(
        metadata={"kernelspec": {"name": "julia-1.9", "language": "julia", "display_name": "J"}}
    ),
}


@pytest.mark.parametrize("case", FILES)
def test_a_file_that_is_no_notebook_of_ours(
    work: Path, told: Told, contents: Contents, golden: Golden, case: str
) -> None:
    (work / "rows.ipynb").write_bytes(FILES[case])
    before = contents(work)
    golden(f"bad_input/file_{case}.txt", told("compile", "rows.ipynb"))
    assert contents(work) == before


V3_CELL = {"cell_type": "code", "input": "x = 1", "language": "python", "metadata": {}, "outputs": []}
V3 = {"metadata": {}, "nbformat": 3, "nbformat_minor": 0, "worksheets": [{"cells": [V3_CELL], "metadata": {}}]}


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf" + document(),
        json.dumps(json.loads(document()), indent=1).replace("\n", "\r\n").encode(),
        document(metadata={}),
        document(nbformat_minor=4).replace(b'"id": "a", ', b""),
        json.dumps(V3).encode(),
        document(metadata={"kernelspec": {"name": "conda-env-mine-py", "display_name": "mine", "language": "python"}}),
    ],
    ids=[
        "byte order mark",
        "line ends of Windows",
        "no kernelspec",
        "no ids",
        "format 3",
        "a kernel of another machine",
    ],
)
def test_what_is_harmless_is_accepted(work: Path, told: Told, data: bytes) -> None:
    (work / "rows.ipynb").write_bytes(data)
    assert told("compile", "rows.ipynb").endswith("--- exit code 0\n")
    assert (work / "rows.ipynb").read_bytes() == data


def test_a_link_that_leads_to_itself(work: Path, told: Told, contents: Contents, golden: Golden) -> None:
    (work / "rows.ipynb").symlink_to("rows.ipynb")
    before = contents(work)
    golden("bad_input/link_to_itself.txt", told("compile", "rows.ipynb") + told("run", "rows.ipynb"))
    assert contents(work) == before


def test_a_folder_with_a_line_end_in_its_name(
    work: Path, notebook: Write, told: Told, contents: Contents, golden: Golden
) -> None:
    notebook(work / "a\nb" / "rows.ipynb", PARAMETERS, LOAD, TOTAL)
    before = contents(work)
    golden("bad_input/folder_with_line_end.txt", told("compile", "a\nb/rows.ipynb"))
    assert contents(work) == before


@pytest.fixture
def compiled(work: Path, notebook: Write, told: Told) -> Path:
    """A project with a compiled pipeline."""
    notebook(work / "rows.ipynb", PARAMETERS, LOAD, TOTAL)
    assert told("compile", "rows.ipynb").endswith("--- exit code 0\n")
    return work


ARGUMENTS: dict[str, list[str]] = {
    "unknown": ["factr=1"],
    "unknown_far": ["depth=1"],
    "code_in_name": ["__import__('os').system('touch pwned')=1"],
    "two_lines_in_name": ["factor\nimport os=1"],
    "keyword": ["class=1"],
    "dunder": ["__builtins__=1"],
    "no_value": ["factor"],
    "twice": ["factor=1", "factor=2"],
    "not_int": ["factor=2.5"],
    "nan_for_int": ["factor=nan"],
    "not_bool": ["fast=perhaps"],
    "not_list": ["rates={'a': 1}"],
    "bytes": ["rates=[b'a']"],
    "date": ["rates=[datetime.date(2024, 1, 1)]"],
    "megabyte": [f"factor={'9' * 1_000_000}"],
    "nul": ["factor=\0"],
    "half_a_character": ["factor=\udcff"],
}


@pytest.mark.parametrize("case", ARGUMENTS)
def test_a_wrong_parameter(compiled: Path, told: Told, contents: Contents, golden: Golden, case: str) -> None:
    before = contents(compiled)
    given = [part for text in ARGUMENTS[case] for part in ("-p", text)]
    golden(f"bad_input/parameter_{case}.txt", told("run", "rows", *given))
    assert contents(compiled) == before


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)
DOCUMENTS: dict[str, Callable[[str], str]] = {
    "bomb": lambda text: text + BOMB,
    "python_object": lambda text: text.replace(
        "name: rows", "name: !!python/object/apply:os.system ['touch pwned']", 1
    ),
    "duplicate_key": lambda text: text + "name: other\n",
    "newer": lambda text: text.replace("pipeline/1", "pipeline/2"),
    "norway": lambda text: text.replace("name: rows", "name: no", 1),
    "not_yaml": lambda text: text + "\t- [",
    "cut_off": lambda text: text[: len(text) // 3],
}


@pytest.mark.parametrize("case", DOCUMENTS)
def test_a_broken_pipeline_document(compiled: Path, told: Told, contents: Contents, golden: Golden, case: str) -> None:
    path = compiled / "pipelines/rows/pipeline.yaml"
    path.write_text(DOCUMENTS[case](path.read_text()))
    before = contents(compiled)
    golden(f"bad_input/document_{case}.txt", told("run", "rows"))
    assert contents(compiled) == before


SETTINGS = {
    "not_closed": '[[gate.rules]]\nname = "floor\nmetric = "auc"\n',
    "duplicate_key": '[tracking]\nuri = "a"\nuri = "b"\n',
    "unknown_table": "[trackin]\nexperiment = 'x'\n",
    "wrong_type": '[[gate.rules]]\nname = "a"\nmetric = "auc"\nmin = "0.7"\n\n[registry]\npromote_on_pass = "yes"\n',
    "rule_without_bound": '[[gate.rules]]\nname = "floor"\nmetric = "auc"\n',
    "not_utf_8": "[tracking]\nexperiment = '\udcff'\n",
    "unknown_address": '[tracking]\nuri = "ftp://example.org"\n',
}


@pytest.mark.parametrize("case", SETTINGS)
def test_a_malformed_configuration(compiled: Path, told: Told, contents: Contents, golden: Golden, case: str) -> None:
    (compiled / "nbmlops.toml").write_bytes(SETTINGS[case].encode("utf-8", "surrogateescape"))
    before = contents(compiled)
    golden(f"bad_input/config_{case}.txt", told("run", "rows"))
    assert contents(compiled) == before


def _hand_edited(folder: Path) -> tuple[str, ...]:
    module = folder / "pipelines/rows/rows/total.py"
    module.write_text(module.read_text() + "# mine\n")
    return "compile", "rows.ipynb"


def _foreign_file(folder: Path) -> tuple[str, ...]:
    (folder / "mine/notebooks").mkdir(parents=True)
    (folder / "mine/README.md").write_text("mine\n")
    return "compile", "rows.ipynb", "-o", "mine"


def _workflows_taken(folder: Path) -> tuple[str, ...]:
    (folder / ".git").mkdir()
    (folder / "other.ipynb").write_bytes(document())
    (folder / ".github/workflows/rows.yml").unlink()
    (folder / ".github/workflows").rmdir()
    (folder / ".github/workflows").write_text("mine\n")
    return "compile", "other.ipynb"


def _package_taken(folder: Path) -> tuple[str, ...]:
    (folder / "other.ipynb").write_bytes(document())
    (folder / "pipelines/other").write_text("mine\n")
    return "compile", "other.ipynb"


def _runs_taken(folder: Path) -> tuple[str, ...]:
    (folder / "runs").write_text("mine\n")
    return "run", "rows"


def _state_taken(folder: Path) -> tuple[str, ...]:
    (folder / ".nbmlops").write_text("mine\n")
    return "run", "rows"


FOLDERS = {
    "hand_edited": _hand_edited,
    "foreign_file": _foreign_file,
    "workflows_taken": _workflows_taken,
    "package_taken": _package_taken,
    "state_taken": _state_taken,
    "runs_taken": _runs_taken,
}


@pytest.mark.parametrize("case", FOLDERS)
def test_an_output_folder_that_cannot_be_used(
    compiled: Path, told: Told, contents: Contents, golden: Golden, case: str
) -> None:
    arguments = FOLDERS[case](compiled)
    before = contents(compiled)
    golden(f"bad_input/folder_{case}.txt", told(*arguments))
    after = {
        path: data for path, data in contents(compiled).items() if path in before or path.split("/")[0] != ".nbmlops"
    }
    assert after == before


def test_no_kernel_to_run_steps(
    compiled: Path, told: Told, contents: Contents, golden: Golden, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ipykernel", None)
    golden("bad_input/no_ipykernel.txt", told("run", "rows"))
    assert not (compiled / "mlflow.db").exists()
    assert not (compiled / "runs").exists()


@pytest.mark.parametrize("command", ["gate", "register", "promote"])
def test_closing_stages_before_any_run(compiled: Path, told: Told, golden: Golden, command: str) -> None:
    golden(f"bad_input/before_run_{command}.txt", told(command, "rows"))
