from __future__ import annotations

import math
from collections.abc import Callable
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest
from msgspec.structs import replace

from nbmlops.app.comparing.runs import RunsQuery, RunTable, known_directions, ranks, table_of
from nbmlops.app.comparing.runs_pictures import MetricPicture, metric_pictures, parallel_picture
from nbmlops.app.comparing.runs_view import RunsView, runs_html
from nbmlops.app.config.config import Config, ConfigDocument, parse_config
from nbmlops.app.show.cards import render_text
from nbmlops.core.errors import UsageError
from nbmlops.gate.policy import Direction
from nbmlops.registry.registry import ModelVersion
from nbmlops.tracking.tracker import RunFacts, RunState

HOSTILE = "</style><script>alert('x')</script>\"&"


def run(place: int, params: dict[str, str], metrics: dict[str, float], verdict: str = "") -> RunFacts:
    tags = {"nbmlops.verdict": verdict} if verdict else {}
    start = 1_700_000_000_000 + place * 60_000
    return RunFacts(
        f"{place:032x}",
        f"run {place}",
        "demo",
        RunState.FINISHED,
        params,
        metrics,
        tags,
        {},
        start,
        start + 5000 * place,
    )


RUNS = (
    run(4, {"depth": "10", "kind": "b", "seed": "1"}, {"auc": math.nan, "loss": 0.1}),
    replace(
        run(3, {"depth": "9", "kind": "a", "seed": "1"}, {"auc": 0.7, "loss": 0.5}, "fail"),
        state=RunState.RUNNING,
        ended=0,
    ),
    run(2, {"depth": "2", "kind": "b", "seed": "1"}, {"auc": 0.9, "loss": 0.3}, "pass"),
    run(1, {"kind": "a", "seed": "1"}, {"auc": 0.8, "size": 3.0}, "pass"),
)
VERSIONS = (ModelVersion("m", "1", RUNS[3].run_id), ModelVersion("m", "2", RUNS[2].run_id, ("champion",)))


def table(sort: str = "started", *, reverse: bool = False, runs: tuple[RunFacts, ...] = RUNS) -> RunTable:
    return table_of(runs, VERSIONS, {}, RunsQuery("demo", sort, reverse), "experiment demo")


def order(sort: str, *, reverse: bool = False) -> list[str]:
    return [row.facts.name[-1] for row in table(sort, reverse=reverse).rows]


def test_the_newest_the_best_the_least_come_first_and_what_has_none_last():
    assert order("started") == ["4", "3", "2", "1"]
    assert order("auc") == ["2", "1", "3", "4"]
    assert order("loss") == ["4", "2", "3", "1"]
    assert order("depth") == ["2", "3", "4", "1"]
    assert order("kind") == ["3", "1", "4", "2"]
    assert order("seconds") == ["1", "2", "4", "3"]
    assert order("name") == ["1", "2", "3", "4"]


def test_the_other_way_round_keeps_what_has_none_last():
    assert order("auc", reverse=True) == ["3", "1", "2", "4"]
    assert order("depth", reverse=True) == ["4", "3", "2", "1"]
    assert order("started", reverse=True) == ["1", "2", "3", "4"]


def test_what_all_have_alike_is_no_column():
    found = table()
    assert found.parameters == ("kind", "depth")
    assert found.same == {"seed": "1"}
    assert found.metrics == ("auc", "size", "loss")
    assert found.directions == {"auc": Direction.HIGHER, "loss": Direction.LOWER}
    assert (found.best("auc"), found.best("loss"), found.best("size")) == (0.9, 0.1, None)
    assert [row.is_champion for row in found.rows] == [False, False, True, False]


def test_an_unknown_name_to_sort_by_names_the_near_one():
    with pytest.raises(UsageError, match="no metric or parameter 'au'; they can be sorted by: started, name") as raised:
        table("au")
    assert raised.value.hint == "did you mean 'auc'?"


def test_the_rules_of_the_gate_say_what_is_better():
    text = (
        '[[gate.rules]]\nmetric = "profit"\nmin = 3\n[[gate.rules]]\nmetric = "cost"\nmax = 3\n'
        '[[gate.rules]]\nmetric = "odd"\nbaseline = "champion"\nmax_drop = 1\ndirection = "lower"\n'
    )
    config = Config(None, "nbmlops.toml", parse_config(text, "nbmlops.toml"))
    assert known_directions([config.for_pipeline("x")]) == {
        "profit": Direction.HIGHER,
        "cost": Direction.LOWER,
        "odd": Direction.LOWER,
    }
    assert known_directions([Config(None, "", ConfigDocument()).for_pipeline("x")]) == {}


def test_the_text(golden: Callable[[str, str], None]):
    golden("comparison/table.txt", render_text(RunsView(table("auc"), "k").card()) + "\n")


def test_no_runs_at_all():
    empty = table_of((), (), {}, RunsQuery(), "this project")
    assert render_text(RunsView(empty, "k").card()).splitlines()[0] == "RUNS 0 runs of this project"
    assert "nothing has been tracked here yet" in runs_html(empty, "k")


def test_the_pictures_know_the_champion_and_the_rejected():
    auc, loss = metric_pictures(table())
    assert [(dot.value, dot.tone) for dot in auc.dots] == [(0.8, "plain"), (0.9, "good"), (0.7, "bad")]
    assert (auc.title, auc.reference) == ("auc, higher is better", 0.9)
    assert loss.caption == "loss over 3 runs, from 0.3 to 0.1; champion 0.3"
    assert metric_pictures(table("loss"))[0].title == "loss, lower is better"
    parallel = parallel_picture(table())
    assert parallel is not None
    axes = {axis.name: axis for axis in parallel.axes}
    assert axes["depth"].places == (1.0, 0.875, 0.0, None)
    assert axes["kind"].places == (1.0, 0.0, 1.0, 0.0)
    assert axes["loss"].places == pytest.approx((1.0, 0.0, 0.5, None))
    assert axes["loss"].labels == ((0.0, "0.5"), (1.0, "0.1"))
    assert axes["size"].labels == ((0.5, "3"),)


def test_one_run_has_no_picture():
    assert parallel_picture(table(runs=RUNS[:1])) is None
    assert metric_pictures(table(runs=RUNS[:1])) == ()


@pytest.mark.parametrize("values", [(1e308, -1e308), (0.0, 0.0), (5.0, 5.0), (1e-300, 2e-300)])
def test_any_finite_values_can_be_drawn(values: tuple[float, float]):
    runs = tuple(run(place, {}, {"x": value, "auc": value}) for place, value in enumerate(values, 1))
    parallel = parallel_picture(table(runs=runs))
    assert (parallel is None) is (values[0] == values[1])  # of runs that are all alike it would be a level line
    for picture in (*metric_pictures(table(runs=runs)), *filter(None, [parallel])):
        assert "nan" not in picture.svg()
        assert "inf" not in picture.svg()
        ET.fromstring(picture.svg())


class _Reader(HTMLParser):
    """Collects what could do something, and the text of the cells."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]


def test_hostile_names_stay_text():
    runs = tuple(
        replace(
            one, name=HOSTILE, params={HOSTILE: f"{HOSTILE}{one.run_id}"}, metrics={HOSTILE: float(place), "auc": 1.0}
        )
        for place, one in enumerate(RUNS)
    )
    versions = (ModelVersion(HOSTILE, "1", RUNS[0].run_id, ("champion", HOSTILE)),)
    html = runs_html(table_of(runs, versions, {}, RunsQuery(), HOSTILE), "k")
    reader = _Reader()
    reader.feed(html)
    assert "script" not in reader.tags
    assert reader.tags.count("style") == 1
    assert not [name for name in reader.attributes if name.startswith("on")]
    assert metric_pictures(table(runs=RUNS))[0].svg().count("<script") == 0


def test_each_row_says_its_place_in_every_order():
    html = runs_html(table("auc"), "k")
    assert html.count('type="radio"') == 3 + 2 + 3
    assert '<label><input type="radio" name="nb-runs-k" class="k5" checked>auc</label>' in html
    assert ranks(table(), "auc") == {RUNS[0].run_id: None, RUNS[1].run_id: 2, RUNS[2].run_id: 0, RUNS[3].run_id: 1}
    champion = html[html.index('<tr role="row" class="champion"') :]
    assert "--a5:0;--d5:0" in champion[: champion.index(">")]
    assert '<td role="cell" class="best" title="the best">0.9</td>' in html
    assert "<script" not in html
    assert runs_html(table(reverse=True), "k").count('type="checkbox" checked') == 1
    first, second = RunsView(table()), RunsView(table())
    assert first.key != second.key


def test_a_picture_of_a_metric_reads_well(golden: Callable[[str, str], None]):
    picture = metric_pictures(table())[0]
    assert isinstance(picture, MetricPicture)
    golden("comparison/metric.svg", picture.svg() + "\n")
