from __future__ import annotations

import pytest

from nbmlops.core.digest import Digest
from nbmlops.pipeline.run_record import Lineage
from nbmlops.tracking.environment import EnvironmentFacts
from nbmlops.tracking.lineage import environment_tags, lineage_from_tags, lineage_tags, verdict_tags


def test_the_tags_of_a_lineage() -> None:
    assert lineage_tags(Lineage("r1", "abc-dirty", {"flights": "d1", "planes": "d2"}, "n1", "p1")) == {
        "nbmlops.run_id": "r1",
        "nbmlops.git_commit": "abc",
        "nbmlops.git_dirty": "true",
        "nbmlops.notebook_digest": "n1",
        "nbmlops.pipeline_version": "p1",
        "nbmlops.data.flights": "d1",
        "nbmlops.data.planes": "d2",
    }
    assert lineage_tags(Lineage()) == {}


@pytest.mark.parametrize(
    "lineage",
    [Lineage(), Lineage("r"), Lineage("r", "abc"), Lineage("r", "abc-dirty", {"a/b": "d"}, "n", "p")],
)
def test_a_lineage_comes_back_from_its_tags(lineage: Lineage) -> None:
    assert lineage_from_tags({**lineage_tags(lineage), "foreign": "x"}) == lineage


def test_the_tags_of_verdict_and_environment() -> None:
    assert verdict_tags(passed=False, digest="d", summary="FAIL (0 of 1 rule passed)") == {
        "nbmlops.verdict": "fail",
        "nbmlops.verdict_digest": "d",
        "nbmlops.verdict_summary": "FAIL (0 of 1 rule passed)",
    }
    assert environment_tags(EnvironmentFacts("3.11.7", "linux-x86_64", {}, Digest("d"))) == {
        "nbmlops.python": "3.11.7",
        "nbmlops.platform": "linux-x86_64",
        "nbmlops.environment_digest": "d",
    }
