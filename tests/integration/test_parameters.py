"""Parameters of all types, given on the command line: what steps see of them, and what is derived from them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from nbmlops.cli.main import main

Write = Callable[..., None]

PARAMETERS = """\
from datetime import date
from pathlib import Path
from typing import Literal

n = 3
day = date(2024, 1, 5)
folder = Path("data")
mode: Literal["fast", "slow"] = "fast"
since: date | None = None
twice = n * 2"""
SHOW = "print(n, twice, repr(day), folder / 'x', mode, since)"
GIVEN = ["n=10", "day=2025-02-03", "folder=other/", "mode=slow", "since=2020-01-01"]


def _printed(folder: Path) -> list[str]:
    """What the steps of the latest run printed, line by line."""
    lines = []
    latest = max((folder / "runs" / "typed").iterdir())
    for notebook in sorted(latest.glob("*.ipynb")):
        for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
            lines += ["".join(output["text"]).rstrip() for output in cell.get("outputs", []) if "text" in output]
    return lines


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")
def test_what_is_given_and_what_is_derived_reach_the_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, notebook: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    notebook(tmp_path / "typed.ipynb", (["parameters"], PARAMETERS), (["step:show"], SHOW))
    assert main(["compile", "typed.ipynb"]) == 0
    assert main(["run", "typed"]) == 0
    assert _printed(tmp_path) == ["3 6 datetime.date(2024, 1, 5) data/x fast None"]
    assert main(["run", "typed", *(part for text in GIVEN for part in ("-p", text))]) == 0
    assert _printed(tmp_path) == ["10 20 datetime.date(2025, 2, 3) other/x slow 2020-01-01"]
    capsys.readouterr()
    assert main(["run", "typed", "-p", "mode=middling"]) == 2
    assert capsys.readouterr().err == (
        "error: the parameter 'mode' must be one of 'fast', 'slow', not 'middling'\nhint: give it as mode=fast\n"
    )
    assert main(["run", "typed", "-p", "day=2025-02-30"]) == 2
    assert capsys.readouterr().err == (
        "error: the parameter 'day' must be a date, not the text '2025-02-30'\nhint: give it as day=2024-12-31\n"
    )
