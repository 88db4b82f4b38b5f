from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
from msgspec.structs import replace

from nbmlops.app.comparing.diff_view import DiffView, code_lines, diff_html, summary
from nbmlops.gate.policy import Direction
from nbmlops.registry.read_story import read_story
from nbmlops.registry.registry import ModelVersion
from nbmlops.registry.story import Story
from nbmlops.registry.story_diff import CellChange, Change, MetricChange, diff_stories, diff_to_json
from nbmlops.tracking.provenance import CodeCell, Provenance
from tests.fakes.in_memory import InMemoryRegistry, InMemoryTracker
from tests.fakes.told import tell

SCHEMA = Path(__file__).parents[3] / "docs" / "reference" / "schemas" / "diff.json"
HOSTILE = "<script>alert('x')</script>\"&"


@pytest.fixture
def stories() -> tuple[Story, Story]:
    tracker, registry = InMemoryTracker(), InMemoryRegistry()
    tell(tracker, registry)
    second, first = registry.versions("flights")
    return read_story(registry, tracker, first), read_story(registry, tracker, second)


def with_cells(story: Story, *sources: tuple[str, str]) -> Story:
    assert story.run is not None
    cells = tuple(CodeCell(name, place, "", source) for place, (name, source) in enumerate(sources, 1))
    return replace(story, run=replace(story.run, provenance=Provenance(cells=cells)))


def test_everything_that_differs(stories):
    diff = diff_stories(*stories)
    assert diff.parameters == (Change("depth", "3", "5"),)
    assert diff.metrics == (MetricChange("auc", 0.8, 0.82, True),)
    assert [(one.rows, [column.what for column in one.columns]) for one in diff.data] == [
        ((24, 48), ["values", "added"])
    ]
    assert diff.cells == (
        CellChange(
            "changed",
            "c3",
            3,
            "train",
            (
                "@@ -1,2 +1,2 @@",
                "-model = fit(flights, depth=3)",
                "-auc = 0.8",
                "+model = fit(flights, depth=5)",
                "+auc = 0.82",
            ),
        ),
        CellChange("added", "c4", 4, "train", ("+report(model)",)),
    )
    assert diff.cells_same == 2
    assert diff.packages == (Change("pandas", "3.0.0", "3.1.0"), Change("shap", None, "0.5"))
    assert diff.environment == ()
    assert [change.name for change in diff.facts] == [
        "git commit",
        "gate",
        "changes that are not in the commit (sha256)",
    ]
    assert diff.notes == ()


def test_nothing_differs_from_itself(stories):
    diff = diff_stories(stories[0], stories[0])
    assert (diff.parameters, diff.data, diff.cells, diff.packages, diff.facts) == ((), (), (), (), ())
    assert (diff.data_same, diff.cells_same) == (("flights",), 3)
    assert summary(diff) == "no difference"
    assert diff.metrics == (MetricChange("auc", 0.8, 0.8),)


def test_the_text(stories, golden: Callable[[str, str], None]):
    golden("diff/versions.txt", repr(DiffView(diff_stories(*stories))) + "\n")


def test_the_document_keeps_its_schema(stories):
    schema = json.loads(SCHEMA.read_text("utf-8"))
    odd = replace(
        stories[1], run=replace(stories[1].run, facts=replace(stories[1].run.facts, metrics={"x": float("nan")}))
    )
    for pair in (stories, (stories[0], odd), (stories[0], replace(stories[1], run=None))):
        document = diff_to_json(diff_stories(*pair))
        jsonschema.validate(document, schema)
        assert json.loads(json.dumps(document, allow_nan=False)) == document


@pytest.mark.parametrize(
    ("name", "before", "after", "better"),
    [
        ("loss", 0.5, 0.4, True),
        ("loss", 0.4, 0.5, False),
        ("profit", 1.0, 2.0, None),
        ("cost", 1.0, 2.0, False),
        ("auc", 0.5, float("nan"), None),
        ("auc", 0.5, 0.5, None),
        ("auc", 0.5, None, None),
    ],
)
def test_what_is_better(stories, name: str, before: float, after: float | None, better: bool | None):
    old, new = (
        replace(
            story,
            run=replace(story.run, facts=replace(story.run.facts, metrics={} if value is None else {name: value})),
        )
        for story, value in zip(stories, (before, after), strict=True)
    )
    (found,) = diff_stories(old, new, {"cost": Direction.LOWER}).metrics
    assert found.better is better


def test_cells_without_ids_are_known_by_their_text(stories):
    old = with_cells(stories[0], ("", "import a"), ("", "x = 1\ny = 2\nz = 3"), ("", "gone()"))
    new = with_cells(stories[1], ("", "new()"), ("", "import a"), ("", "x = 1\ny = 2\nz = 4"))
    diff = diff_stories(old, new)
    assert [(cell.what, cell.number) for cell in diff.cells] == [("added", 1), ("changed", 3), ("removed", 3)]
    assert diff.cells[2].lines == ("-gone()",)
    assert diff.cells_same == 1


def test_cells_that_moved_are_told_once(stories):
    old = with_cells(stories[0], ("a", "1"), ("b", "2"), ("c", "3"))
    new = with_cells(stories[1], ("c", "3"), ("a", "1"), ("b", "2"))
    diff = diff_stories(old, new)
    assert diff.cells == (CellChange("moved", "c", 1, "", ()),)
    assert diff.cells_same == 2


def test_what_was_not_kept_is_said(stories):
    bare = replace(stories[1], run=replace(stories[1].run, provenance=None))
    diff = diff_stories(stories[0], bare)
    assert (diff.cells, diff.packages) == (None, None)
    assert diff.notes == (
        "flights version 2 kept neither cells nor packages, so that code and environment are not compared in full",
    )
    gone = diff_stories(stories[0], replace(stories[1], run=None, notes=("its run cannot be read: gone",)))
    assert gone.notes == (
        "flights version 2: its run cannot be read: gone",
        "the run of flights version 2 is not there, so that only metrics can be compared",
    )
    assert gone.metrics == (MetricChange("auc", 0.8, 0.82, True),)


def test_hostile_texts_stay_text(stories):
    run = stories[1].run
    facts = replace(run.facts, params={HOSTILE: HOSTILE}, metrics={HOSTILE: 1.0})
    data = tuple(replace(record, name=HOSTILE) for record in run.data)
    made = Provenance(HOSTILE, (CodeCell(HOSTILE, 1, HOSTILE, HOSTILE),), {HOSTILE: HOSTILE})
    version = replace(stories[1].version, version=ModelVersion(HOSTILE, "1"))
    hostile = Story(replace(run, facts=facts, data=data, provenance=made, commit=HOSTILE), version, notes=(HOSTILE,))
    for pair in ((stories[0], hostile), (hostile, stories[0])):
        html = diff_html(DiffView(diff_stories(*pair)))
        assert "<script" not in html
        assert "&lt;script&gt;" in html


def test_long_code_is_cut_and_the_cut_is_told(stories):
    old = with_cells(stories[0], ("a", "\n".join(map(str, range(1000)))), ("b", "1"))
    new = with_cells(stories[1], ("a", ""), ("b", "2"))
    lines = list(code_lines(diff_stories(old, new)))
    assert "  @@ 601 more lines @@" in lines
    assert lines[-2:] == ["cell 2 (b): changed", "  @@ 3 more lines @@"]
