"""Notebooks without tags, through the command: proposed, written, compiled, checked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import nbformat
import pytest

from nbmlops.cli.main import main

SCHEMAS = Path(__file__).parents[2] / "docs" / "reference" / "schemas"
Golden = Callable[[str, str], None]

CELLS = [
    "# Sales",
    "import numpy as np\nimport pandas as pd\n%matplotlib inline",
    "rows = 20\nrate = 0.5  # share of the year",
    "## Load",
    "sales = pd.DataFrame({'x': np.arange(rows), 'y': np.arange(rows) * rate})\nsales.head()",
    "## Prepare the data",
    "sales['z'] = sales.x * rate",
    "def doubled(a):\n    return a * 2",
    "sales['w'] = doubled(sales.z)",
    "## Fit",
    "slope = float(np.polyfit(sales.x, sales.y, 1)[0])\nprint(round(slope, 3))",
]


@pytest.fixture
def project(work: Path, notebook: Callable[..., None]) -> Path:
    (work / "nbmlops.toml").touch()
    notebook(work / "raw.ipynb", *(((), source) for source in CELLS))
    return work


def document(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    capsys.readouterr()
    main([*arguments, "--format", "json"])
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def test_the_life_of_an_untagged_notebook(told: Callable[..., str], project: Path, golden: Golden) -> None:
    before = (project / "raw.ipynb").read_bytes()
    steps = [
        told("inspect", "raw.ipynb"),
        told("tag", "raw.ipynb"),
        told("tag", "raw.ipynb", "--format", "json"),
        told("tag", "raw.ipynb", "--steps", "per-cell"),
    ]
    assert (project / "raw.ipynb").read_bytes() == before
    steps += [
        told("tag", "raw.ipynb", "--write"),
        told("tag", "raw.ipynb"),
        told("tag", "raw.ipynb", "--retag"),
        told("tag", "raw.ipynb", "--retag", "--steps", "per-cell"),
        told("tag", "raw.ipynb", "--steps", "best"),
        told("tag", "missing.ipynb", "--format", "json"),
    ]
    golden("cli/tag.txt", "\n".join(steps))


@pytest.mark.parametrize("arguments", [(), ("--steps", "per-cell"), ("--write",)])
def test_the_document_is_as_its_schema_says(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    schema = json.loads((SCHEMAS / "tag.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(document(capsys, "tag", "raw.ipynb", *arguments))


def test_writing_the_tags_changes_nothing_else(project: Path, contents: Callable[[Path], dict[str, bytes]]) -> None:
    path = project / "raw.ipynb"
    path.chmod(0o640)
    before = nbformat.read(path, as_version=4)
    assert main(["compile", "raw.ipynb"]) == 0
    compiled = contents(project / "pipelines")
    assert main(["tag", "raw.ipynb", "--write"]) == 0
    after = nbformat.read(path, as_version=4)
    tags = {number: cell.metadata.pop("tags") for number, cell in enumerate(after.cells, 1) if "tags" in cell.metadata}
    assert tags == {
        2: ["imports"],
        3: ["parameters"],
        5: ["step:load"],
        7: ["step:prepare_the_data"],
        8: ["functions"],
        11: ["step:fit"],
    }
    assert after == before
    assert path.stat().st_mode & 0o777 == 0o640
    # The pipeline of the tagged notebook is the one that was inferred, byte for byte.
    assert main(["compile", "raw.ipynb", "--check"]) == 0
    assert main(["compile", "raw.ipynb"]) == 0
    assert contents(project / "pipelines") == compiled


def test_other_cuts_are_recorded_and_checked(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compile", "raw.ipynb", "--steps", "per-cell"]) == 0
    document_of_check = document(capsys, "compile", "raw.ipynb", "--check")
    assert document_of_check["status"] == "unchanged"
    steps = document_of_check["steps"]
    assert isinstance(steps, list)
    assert [step["name"] for step in steps] == ["load", "prepare_the_data", "cell_09", "fit"]
    workflow = (project / ".github/workflows/raw.yml").read_text()
    assert 'nbmlops compile "$NOTEBOOK" --steps per-cell --check' in workflow
    assert main(["compile", "raw.ipynb", "--steps", "inferred", "--check"]) == 5
    assert main(["compile", "raw.ipynb", "--steps", "one"]) == 0
    assert main(["compile", "raw.ipynb", "--check"]) == 0
    assert main(["compile", "raw.ipynb", "--steps", "inferred"]) == 0
    assert "steps_from" not in (project / "pipelines/raw/pipeline.yaml").read_text()


def test_tags_of_the_notebook_beat_the_record(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compile", "raw.ipynb", "--steps", "per-cell"]) == 0
    assert main(["tag", "raw.ipynb", "--write"]) == 0
    steps = document(capsys, "compile", "raw.ipynb")["steps"]
    assert isinstance(steps, list)
    assert [step["name"] for step in steps] == ["load", "prepare_the_data", "fit"]


def test_steps_that_the_text_names_are_not_written_over(
    project: Path, notebook: Callable[..., None], told: Callable[..., str]
) -> None:
    notebook(project / "text.ipynb", ([], "\n# nbmlops: step=a\nx = 1"), ([], "y = x"))
    before = (project / "text.ipynb").read_bytes()
    assert told("tag", "text.ipynb", "--retag", "--write") == (
        "$ nbmlops tag text.ipynb --retag --write\n"
        "--- stderr\n"
        "error: the text of cell 1 says to which step it belongs\n"
        "hint: remove the lines `# nbmlops: step=…` or `%%mlops step …`: tags take their place\n"
        "--- exit code 2\n"
    )
    assert (project / "text.ipynb").read_bytes() == before


def test_a_linked_notebook_stays_a_link(project: Path) -> None:
    (project / "raw.ipynb").rename(project / "real.ipynb")
    (project / "raw.ipynb").symlink_to("real.ipynb")
    assert main(["tag", "raw.ipynb", "--write"]) == 0
    assert (project / "raw.ipynb").is_symlink()
    assert b"step:load" in (project / "real.ipynb").read_bytes()


def test_an_inferred_pipeline_runs(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compile", "raw.ipynb"]) == 0
    found = document(capsys, "run", "pipelines/raw", "-p", "rate=2")
    steps = found["steps"]
    assert isinstance(steps, list)
    assert [(step["name"], step["status"]) for step in steps] == [
        ("load", "executed"),
        ("prepare_the_data", "executed"),
        ("fit", "executed"),
    ]
