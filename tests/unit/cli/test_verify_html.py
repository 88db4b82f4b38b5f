"""The report in one file: everything is in it, nothing of the notebook is markup, no other file is needed."""

import re
from html.parser import HTMLParser

import pytest

from nbmlops.app.verify.report import ComparedStep, ComparedValue, Status, Verification
from nbmlops.cli.verify_graph import step_graph
from nbmlops.cli.verify_html import html_report
from tests.fakes import verify_results as results

NASTY = "<script>alert(1)</script>\"'&"


class Reader(HTMLParser):
    """Collects texts and tags, and checks that every tag is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag != "meta":
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())

    def close(self) -> None:
        super().close()
        assert self._open == []


def read(document: str) -> Reader:
    reader = Reader()
    reader.feed(document)
    reader.close()
    return reader


@pytest.mark.parametrize("found", [results.DIFFERENT, results.EQUAL, results.REFUSED, results.FAILED])
def test_the_document_is_whole_and_needs_no_other_file(found: Verification) -> None:
    document = html_report(found)
    reader = read(document)
    assert all(link.startswith("#") and link[1:] in reader.ids for link in reader.links)
    assert "script" not in reader.tags
    assert re.search(r"url\((?!#)|@import|https?:", document) is None
    assert "prefers-color-scheme:dark" in document


def test_every_verdict_is_told() -> None:
    texts = read(html_report(results.DIFFERENT)).texts
    wanted = [
        "df",
        "now",
        "1 and 2",
        "model",
        ".coef_: <b>1</b> & 2",
        "handle",
        "it is open",
        "metric auc",
        "left out: times",
    ]
    wanted += ["The step fails in the pipeline: ValueError: no", "The pipeline did not come to it.", "not reached"]
    assert [text for text in wanted if text not in texts] == []


def test_a_refused_notebook_shows_what_is_wrong() -> None:
    texts = read(html_report(results.REFUSED)).texts
    assert "error[NB203]: 'df' is not known\n  --> churn.ipynb cell 3\n  hint: bind it" in texts


def test_texts_of_the_notebook_are_no_markup() -> None:
    step = ComparedStep(NASTY, (1,), values=(ComparedValue(NASTY, Status.DIFFERENT, NASTY),), error=NASTY)
    reader = read(html_report(Verification(NASTY, Status.DIFFERENT, None, (step,))))
    assert "script" not in reader.tags
    assert reader.texts.count(NASTY) >= 3


def test_the_graph_has_a_box_for_each_step_and_an_arrow_for_each_edge() -> None:
    reader = read(step_graph(results.STEPS))
    assert reader.tags.count("rect") == 3
    assert reader.tags.count("path") - 1 == 3  # the tip of the arrows is a path, too
    assert reader.links == ["#step-0", "#step-1", "#step-2"]
    assert [text for text in reader.texts if text in {"load", "train", "report"}] == ["load", "train", "report"]
