from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

from nbmlops.app.running.outcome import RunOutcome
from nbmlops.cli.run_html import run_html
from nbmlops.pipeline.ir import Pipeline, Step, StepMode
from nbmlops.pipeline.run_record import (
    Lineage,
    MetricValue,
    RunRecord,
    RunStatus,
    StepError,
    StepLog,
    StepRecord,
    StepStatus,
)

EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>"
PICTURE = base64.b64encode(b"\x89PNG").decode()


def step(name: str, after: tuple[str, ...] = ()) -> Step:
    return Step(
        name, name, StepMode.FUNCTION, "", (1,), ("c",), (), (), after, (), (), (), f"notebooks/{name}.ipynb", ""
    )


PIPELINE = Pipeline("tea", EVIL, "tea.ipynb", ".", "", {}, "", (), (step("a"), step("b", ("a",))))


def notebook(folder: Path, outputs: list[dict[str, Any]]) -> str:
    cell = {"cell_type": "code", "source": [EVIL], "outputs": outputs}
    folder.mkdir(parents=True)
    (folder / "01_a.ipynb").write_text(json.dumps({"cells": [{"cell_type": "markdown", "source": EVIL}, cell]}))
    return f"{folder.name}/01_a.ipynb"


def report(tmp_path: Path) -> str:
    outputs = [
        {"output_type": "stream", "text": ["\x1b[31mred\x1b[0m ", EVIL]},
        {"output_type": "display_data", "data": {"image/png": PICTURE, "text/plain": EVIL}},
        {"output_type": "display_data", "data": {"image/png": '"><script>', "text/plain": "no picture"}},
        {"output_type": "execute_result", "data": {"text/html": EVIL, "text/plain": "a table"}},
    ]
    error = StepError(EVIL, EVIL, 3, 4, EVIL, EVIL)
    steps = (
        StepRecord("a", StepStatus.EXECUTED, 1.25, notebook(tmp_path / "run", outputs), None, reason=EVIL,
                   log=StepLog(metrics=(MetricValue(EVIL, 0.5),))),
        StepRecord("b", StepStatus.FAILED, 0.5, "run/gone.ipynb", error),
    )  # fmt: skip
    lineage = Lineage(git_commit=EVIL, data={EVIL: EVIL})
    record = RunRecord(RunStatus.FAILED, "", "tea", steps, {EVIL: EVIL}, {EVIL: 0.5}, lineage, folder="run")
    return run_html(RunOutcome(record), PIPELINE, tmp_path)


def test_nothing_of_a_notebook_or_a_run_can_act(tmp_path: Path) -> None:
    text = report(tmp_path)
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:;" in text
    tags = {tag.lower() for tag in re.findall(r"<([A-Za-z]+)", text)}
    assert not tags & {"script", "iframe", "object", "embed", "link", "form", "base"}
    words = "&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;"
    assert re.findall(r"<img.*", text) == [f'<img src="data:image/png;base64,{PICTURE}" alt="{words}"></figure>']


def test_the_report_has_times_states_errors_and_what_cells_showed(tmp_path: Path) -> None:
    text = report(tmp_path)
    assert re.findall(r'<text class="status"[^>]*>([^<]*)<', text) == ["executed, 1.2 s", "failed, 0.5 s"]
    assert 'href="01_a.ipynb"' in text
    assert "<pre>red &lt;script&gt;" in text
    assert "<pre>no picture</pre>" in text
    assert "<pre>a table</pre>" in text
    assert "cell 3 line 4: " in text
    assert text.count('class="flow"') == 1
