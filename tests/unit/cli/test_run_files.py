from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from nbmlops.app.running.outcome import RunOutcome
from nbmlops.cli.run_files import both, event_stream, write_report
from nbmlops.core.errors import EnvironmentFault, UsageError
from nbmlops.gate.verdict import Verdict
from nbmlops.pipeline.codec import pipeline_to_yaml
from nbmlops.pipeline.ir import Pipeline, Step, StepMode
from nbmlops.pipeline.run_record import Lineage, RunRecord, RunStatus, StepRecord, StepStatus
from nbmlops.runtime.schedule.events import RunWaiting, StepSkipped

STEP = Step("a", "a", StepMode.FUNCTION, "", (1,), ("c",), (), (), (), (), (), (), "notebooks/01_a.ipynb", "")

REFUSED = Verdict(False, (), refusal="there are no rules")


def told(path: Path) -> list[tuple[str, object]]:
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [(line["event"], line.get("exit_code")) for line in lines]


def test_events_go_to_the_file_and_to_the_display(tmp_path: Path) -> None:
    shown: list[object] = []
    with event_stream(str(tmp_path / "e.jsonl"), "tea") as stream:
        assert stream is not None
        both(shown.append, stream)(RunWaiting("process 7"))
        assert told(tmp_path / "e.jsonl") == [("run.begun", None), ("run.waiting", None)]  # at once
        stream.end(None, 0)
    assert shown == [RunWaiting("process 7")]
    assert told(tmp_path / "e.jsonl")[-1] == ("run.ended", 0)


@pytest.mark.parametrize(("error", "code"), [(UsageError("no"), 2), (KeyboardInterrupt(), 130)])
def test_a_run_that_cannot_be_run_is_told_too(tmp_path: Path, error: BaseException, code: int) -> None:
    with pytest.raises(type(error)), event_stream(str(tmp_path / "e.jsonl"), "tea"):
        raise error
    assert told(tmp_path / "e.jsonl") == [("run.begun", None), ("run.ended", code)]


def test_without_a_file_only_the_display_is_told(tmp_path: Path) -> None:
    shown: list[object] = []
    with event_stream("", "tea") as stream:
        both(shown.append, stream)(StepSkipped("a", 1, 1))
    assert shown == [StepSkipped("a", 1, 1)]
    with pytest.raises(EnvironmentFault, match="events cannot be written"), event_stream(str(tmp_path), "tea"):
        pass


@pytest.mark.parametrize(
    ("reused", "verdict", "files"),
    [("", None, ["report.html"]), ("", REFUSED, ["gate.xml", "report.html"]), ("run7", REFUSED, [])],
)
def test_the_reports_stand_in_the_folder_of_a_run_that_executed_something(
    tmp_path: Path, reused: str, verdict: Verdict | None, files: list[str]
) -> None:
    folder = tmp_path / "pipelines" / "tea"
    folder.mkdir(parents=True)
    pipeline = Pipeline("tea", "Tea", "../../tea.ipynb", "../..", "", {}, "", (), (STEP,))
    (folder / "pipeline.yaml").write_bytes(pipeline_to_yaml(pipeline, {}))
    (tmp_path / "runs").mkdir()
    step = StepRecord("a", StepStatus.EXECUTED, 1.0)
    record = RunRecord(RunStatus.SUCCEEDED, "", "tea", (step,), {}, {}, Lineage(), folder="runs")
    write_report(RunOutcome(record, verdict, reused=reused), "pipelines/tea", tmp_path)
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == files
    if "gate.xml" in files:
        (failure,) = ET.parse(tmp_path / "runs" / "gate.xml").iter("failure")
        assert failure.get("message") == "there are no rules"
