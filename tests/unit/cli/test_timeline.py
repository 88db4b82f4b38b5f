from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from nbmlops.cli.timeline import Bar, bars, draw_timeline, shown_seconds, ticks
from nbmlops.pipeline.run_record import JoinedSteps, Lineage, LiveValue, RunRecord, RunStatus, StepRecord, StepStatus

BEGAN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
JOINED = JoinedSteps(("clean", "fit"), (LiveValue("rows", "generator", "no"),))


def ran(
    name: str, at: float, seconds: float, status: StepStatus = StepStatus.EXECUTED, *, early: bool = False
) -> StepRecord:
    begun = (BEGAN + timedelta(seconds=at)).isoformat(timespec="milliseconds")
    return StepRecord(name, status, seconds, begun=begun, early=early)


def record(*steps: StepRecord, joined: tuple[JoinedSteps, ...] = ()) -> RunRecord:
    return RunRecord(RunStatus.SUCCEEDED, "", "tiny", steps, {}, {}, Lineage(), joined=joined)


LOAD = StepRecord("load", StepStatus.CACHED)
CLEAN, FIT = ran("clean", 10.0, 3.0), ran("fit", 13.5, 1.0, StepStatus.FAILED)
PLOT = ran("plot", 10.5, 2.0, early=True)
REPORT = StepRecord("report", StepStatus.SKIPPED)
RUN = record(LOAD, CLEAN, FIT, PLOT, REPORT, joined=(JOINED,))


def test_each_step_that_ran_has_a_bar_and_a_job() -> None:
    assert bars(RUN) == {
        "clean": Bar(0.0, 3.0, 3.0, 1),
        "fit": Bar(3.5, 4.5, 4.5, 1),
        "plot": Bar(0.5, 2.5, 4.5, 2),
    }
    assert bars(record(LOAD, REPORT)) == {}
    assert draw_timeline(record(LOAD, REPORT)) == ""


def test_joined_steps_are_of_one_job_also_when_another_one_is_free() -> None:
    found = bars(record(CLEAN, ran("fit", 13.5, 1.0), ran("short", 10.0, 0.1, early=True), joined=(JOINED,)))
    assert {name: bar.job for name, bar in found.items()} == {"clean": 2, "fit": 2, "short": 1}


def test_every_step_is_told_with_its_time_and_its_job() -> None:
    drawn = draw_timeline(RUN)
    assert re.findall("<title>(.*?)</title>", drawn) == [
        "one process: clean, fit",
        "load: cached",
        "clean: 3.0 s, job 1",
        "fit: 1.0 s, job 1, failed",
        "plot: 2.0 s, job 2, early",
        "report: skipped",
    ]
    assert 'aria-label="timeline: 3 of 5 steps ran in 4.5 s, 2 at once at most"' in drawn
    assert re.findall('class="tick"[^>]*>([^<]*)<', drawn) == ["0", "1 s", "2 s", "3 s", "4 s"]
    assert [drawn.count(part) for part in ("<rect", 'class="wait"', 'class="unit"', 'href="#step-')] == [3, 1, 1, 5]
    alone = draw_timeline(record(ran("clean", 0.0, 0.0)))
    assert "timeline: 1 of 1 steps ran in 1.0 s, one after the other" in alone


def test_hostile_names_stay_text() -> None:
    name = "</svg><script>alert(1)</script>"
    values = (LiveValue("</title>", "<b>", "no"),)
    joined = (JoinedSteps((name, 'a" onload="x'), values),)
    drawn = draw_timeline(record(ran(name, 0.0, 1.0), ran('a" onload="x', 1.0, 1.0), joined=joined))
    assert "<script" not in drawn
    assert 'onload="' not in drawn
    assert drawn.count("</svg>") == 1


@pytest.mark.parametrize(
    ("span", "texts"),
    [
        (0.05, ["0", "0.01 s", "0.02 s", "0.03 s", "0.04 s", "0.05 s"]),
        (3.2, ["0", "0.5 s", "1 s", "1.5 s", "2 s", "2.5 s", "3 s"]),
        (90.0, ["0", "20 s", "40 s", "60 s", "80 s"]),
        (700.0, ["0 min", "2 min", "4 min", "6 min", "8 min", "10 min"]),
        (7 * 3600.0, ["0 h", "1 h", "2 h", "3 h", "4 h", "5 h", "6 h", "7 h"]),
    ],
)
def test_the_axis_has_few_round_times(span: float, texts: list[str]) -> None:
    found = ticks(span)
    assert [shown_seconds(round(at, 6), found[1]) for at in found] == texts
    assert len(ticks(span * 1e6)) <= 9
