from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest
from msgspec.structs import replace

from nbmlops.app.show.cards import render_html, render_text
from nbmlops.app.show.flow_picture import Box, FlowPicture
from nbmlops.app.versions.lineage import Made, MadeRun
from nbmlops.app.versions.lineage_picture import draw_story
from nbmlops.app.versions.lineage_views import LineageView, MadeView
from nbmlops.registry.read_story import read_run_story, read_story
from nbmlops.registry.story import Story, Trace
from nbmlops.tracking.cells import CellRun
from nbmlops.tracking.provenance import CodeCell, Provenance
from tests.fakes.in_memory import InMemoryRegistry, InMemoryTracker
from tests.fakes.told import tell

HOSTILE = "<script>alert('x')</script>\"&"


@pytest.fixture
def stores() -> tuple[InMemoryTracker, InMemoryRegistry]:
    tracker, registry = InMemoryTracker(), InMemoryRegistry()
    tell(tracker, registry)
    return tracker, registry


@pytest.fixture
def story(stores: tuple[InMemoryTracker, InMemoryRegistry]) -> Story:
    tracker, registry = stores
    return read_story(registry, tracker, registry.versions("flights")[0])


def test_the_text_tells_everything(story: Story, golden: Callable[[str, str], None]):
    golden("lineage/version.txt", render_text(LineageView(story).card()) + "\n")


def test_the_text_of_a_run(stores, golden: Callable[[str, str], None]):
    tracker, registry = stores
    story = read_run_story(registry, tracker, tracker.run_facts(f"{1:032x}"))
    golden("lineage/run.txt", render_text(LineageView(story).card()) + "\n")


def test_what_was_made(stores, golden: Callable[[str, str], None]):
    tracker, registry = stores
    runs = tuple(MadeRun(facts, registry.of_runs((facts.run_id,))) for facts in tracker.runs.values())
    golden("lineage/made.txt", render_text(MadeView(Made("commit 1a1a", ("1a1a",), runs)).card()) + "\n")


def test_the_picture_is_a_file_of_its_own(story: Story, golden: Callable[[str, str], None]):
    picture = draw_story(story).svg_file()
    ET.fromstring(picture)
    golden("lineage/version.svg", picture)


def test_the_columns_go_from_data_to_version(story: Story):
    picture = draw_story(story)
    assert [heading for heading, _ in picture.columns] == ["MADE FROM", "STEPS", "RUN", "GATE", "MODEL VERSION"]
    assert picture.arrows == (
        ("commit", "notebook"),
        ("notebook", "trace0"),
        ("data0", "trace0"),
        ("environment", "trace0"),
        ("trace0", "trace1"),
        ("trace1", "run"),
        ("run", "gate"),
        ("gate", "version"),
        ("version", "transition0"),
        ("transition0", "transition1"),
        ("transition1", "transition2"),
    )
    assert picture.caption == (
        "lineage of flights version 2; made from flights; commit 2b2b2b2b2b; by 2 steps; now champion (Production)"
    )


def test_many_inputs_and_cells_are_drawn_in_part(story: Story):
    assert story.run is not None
    traces = tuple(Trace(f"c{place}", place, "done", 0.1, ("x",) if place == 50 else ()) for place in range(100))
    run = replace(story.run, source="n.ipynb", traces=traces, data=story.run.data * 20)
    columns = dict(draw_story(Story(run)).columns)
    assert [box.title for box in columns["CELLS"]] == ["[50] c50", "99 more, not shown"]
    assert [box.title for box in columns["MADE FROM"]][-2:] == ["14 more inputs", "Python 3.11.7"]


def test_a_story_without_a_run_or_steps_is_drawn(story: Story):
    assert story.run is not None
    assert [heading for heading, _ in draw_story(replace(story, run=None)).columns] == ["MODEL VERSION"]
    bare = replace(story.run, traces=(), gate=None, data=(), commit="", provenance=None, python="", notebook_digest="")
    assert draw_story(Story(bare)).arrows == ()


def test_hostile_names_stay_text(story: Story):
    assert story.run is not None
    assert story.version is not None
    data = tuple(replace(record, name=HOSTILE) for record in story.run.data)
    facts = replace(story.run.facts, name=HOSTILE, metrics={HOSTILE: 1.0}, params={HOSTILE: HOSTILE}, run_id=HOSTILE)
    run = replace(story.run, data=data, facts=facts, source=HOSTILE, reproducible=HOSTILE, commit=HOSTILE)
    version = replace(story.version, version=replace(story.version.version, name=HOSTILE, aliases=(HOSTILE,)))
    hostile = Story(run, version, notes=(HOSTILE,))
    for text in (draw_story(hostile).svg_file(), render_html(LineageView(hostile).card())):
        assert "<script" not in text
        assert "&lt;script&gt;" in text
    ET.fromstring(draw_story(hostile).svg_file())


def test_boxes_of_a_column_stand_below_each_other():
    picture = FlowPicture("two", (("A", (Box("a", "one", ("x",)), Box("b", "two"))),), (("a", "b"), ("a", "gone")))
    root = ET.fromstring(picture.svg_file())
    rects = [rect for rect in root.iter("{http://www.w3.org/2000/svg}rect") if rect.get("rx")]
    assert [(rect.get("y"), rect.get("height")) for rect in rects] == [("30", "49"), ("93", "27")]
    assert picture.svg().count("<path") == 3


def test_a_picture_takes_the_width_of_its_place_as_long_as_it_can_be_read():
    picture = FlowPicture("two", (("A", (Box("a", "one"),)), ("B", (Box("b", "two"),))), ())
    root = ET.fromstring(picture.svg())
    assert root.get("width") == "524"
    assert str(root.get("style")).endswith(";max-width:100%;min-width:367px;height:auto")


def test_cells_are_called_by_their_first_lines(story: Story):
    assert story.run is not None
    sources = ("# Load the flights\nf = load()", "\n\nx = fit(" + "a" * 80, "#\n", "y = 1")
    cells = tuple(CodeCell(f"c{place}", place, "", source) for place, source in enumerate(sources))
    digests = (*(CellRun(source).digest for source in sources[:3]), "edited since", "")
    ids = ("c0", "c1", "c2", "0123456789", "")
    traces = tuple(Trace(one, 1, "done", 0.1, source_sha256=digest) for one, digest in zip(ids, digests, strict=True))
    run = replace(story.run, source="n.ipynb", traces=traces, provenance=Provenance("n.ipynb", cells))
    assert run.trace_names == ("Load the flights", f"x = fit({'a' * 51}…", "c2", "01234567", "")
    assert replace(run, provenance=None).trace_names == ("c0", "c1", "c2", "01234567", "")
    assert replace(run, source="pipelines/flights").trace_names == ids
    boxes = dict(draw_story(Story(run)).columns)["CELLS"]
    assert [box.title for box in boxes][::3] == ["[1] Load the flights", "[1] 01234567"]
    table = next(table for table in LineageView(Story(run)).card().tables if table.caption.startswith("cells"))
    assert table.rows[0][:2] == ("[1]", "Load the flights")


def test_a_file_is_sound_xml_whatever_its_texts_hold() -> None:
    hostile = "a\x00b\x0bc\x1b[31m\ud800\ufffe\n"
    picture = FlowPicture(hostile, ((hostile, (Box("a", hostile, (hostile,)),)),), ())
    root = ET.fromstring(picture.svg_file().encode())
    assert root.get("aria-label") == "a?b?c?[31m??".replace("?", "\N{REPLACEMENT CHARACTER}") + " "
