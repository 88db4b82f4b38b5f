"""The page of a sweep: everything is in it, nothing of users is markup, pictures are the same for the same points."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from msgspec.structs import replace

from nbmlops.app.sweep.plan import Method, Objective
from nbmlops.app.sweep.record import PointStatus, SweepOutcome, SweepPoint, SweepRecord
from nbmlops.cli.blocks import plain
from nbmlops.cli.sweep import sweep_blocks
from nbmlops.cli.sweep_html import sweep_page
from nbmlops.cli.sweep_plots import parallel_coordinates, value_plots
from nbmlops.gate.policy import Direction

NASTY = "<script>alert(1)</script>$x_1$\"'&"


def point(depth: int, kind: str, value: float | None) -> SweepPoint:
    return SweepPoint(
        {"depth": depth, "kind": kind}, PointStatus.SUCCEEDED, value, {}, 1.25, 0, f"run{depth}", "runs/p/1"
    )


RECORD = SweepRecord(
    "p",
    Method.GRID,
    Objective("auc", Direction.HIGHER),
    (
        point(3, "l1", 0.7),
        point(5, NASTY, 0.9),
        replace(point(8, "l1", None), status=PointStatus.FAILED, error=f"ValueError: {NASTY}"),
        replace(point(9, "l1", 0.8), seconds=0.0, cached=2),
    ),
    best=1,
    run_id="parent",
    folder="runs/p/sweep",
)


def test_users_texts_are_no_markup_and_no_formulas() -> None:
    page = sweep_page(replace(RECORD, pipeline=NASTY, objective=Objective(NASTY, Direction.HIGHER)))
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 4
    assert re.findall(r"(?:href|src)=\"(?!#)[^\"]*", page) == []
    assert "default-src 'none'; style-src 'unsafe-inline'" in page


def test_pictures_are_sound_svg_and_the_same_each_time() -> None:
    for draw in (value_plots, parallel_coordinates):
        drawn = draw(RECORD)
        assert drawn == draw(RECORD)
        assert ET.fromstring(drawn).tag == "{http://www.w3.org/2000/svg}svg"
    # Three points have a value: three marks in each of two plots.
    assert value_plots(RECORD).count("<use") > value_plots(replace(RECORD, points=RECORD.points[:1])).count("<use")


def test_one_parameter_with_one_value_can_be_drawn() -> None:
    alone = replace(RECORD, points=(SweepPoint({"depth": 3}, PointStatus.SUCCEEDED, 0.5),), best=0)
    page = sweep_page(alone)
    assert page.count("<svg") == 1
    assert ET.fromstring(parallel_coordinates(alone)).tag == "{http://www.w3.org/2000/svg}svg"


def test_points_without_values_leave_a_table_alone() -> None:
    page = sweep_page(replace(RECORD, points=RECORD.points[2:3], best=None))
    assert "<svg" not in page
    assert page.count("<tr>") == 2


def test_the_table_has_the_best_first_and_what_failed_last() -> None:
    notes = ("1 point of 4 failed, so nothing is judged; run the sweep again when mended",)
    lines = plain(list(sweep_blocks(SweepOutcome(RECORD, notes=notes)))).splitlines()
    shown = repr(NASTY)
    gap = " " * (len(shown) - len("'l1'"))
    assert lines == [
        "points, by auc (higher is better)",
        f"        depth  {' ' * (len(shown) - 4)}kind     auc                        seconds",
        f"  best      5  {shown}     0.9  {'▇' * 20}      1.2",
        f"            9  {gap}'l1'     0.8  {'▇' * 11 + ' ' * 9}   cached",
        f"            3  {gap}'l1'     0.7  {'▇' + ' ' * 19}      1.2",
        f"            8  {gap}'l1'  failed  {' ' * 20}      1.2",
        "",
        f"depth=8, kind='l1' failed: ValueError: {NASTY}",
        "  runs/p/1",
        "the comparison with pictures: runs/p/sweep/sweep.html",
        f"note: {notes[0]}",
    ]
