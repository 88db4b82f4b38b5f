from __future__ import annotations

from nbmlops.app.show.cards import tone
from nbmlops.app.versions.environments import Difference
from nbmlops.app.versions.reproduce import Compared, Reproduction
from nbmlops.ipython.reproduce_command import ReproduceView
from nbmlops.pipeline.run_record import ModelVersionRef

VERSION = ModelVersionRef("flights", "2")
COMMIT = "3108e3ed4659a0db50fffc24382db24ab3ac1e11"
EQUAL, OTHER = Compared("metric", "auc", "0.75", "0.75"), Compared("data", "x.csv", "f1", "")
TABULATE = Difference("tabulate", "0.9.0", "")


def test_a_version_that_comes_out_the_same() -> None:
    view = ReproduceView(Reproduction(VERSION, COMMIT, (EQUAL,), (TABULATE,), is_rebuilt=True))
    assert repr(view).splitlines() == [
        "EQUAL flights version 2, made again from 3108e3ed4659: equal",
        "compared:",
        "  outcome  what    name  recorded  made now",
        "  EQUAL    metric  auc   0.75      0.75",
        "made with the libraries of the lock, which were installed for it; here are others:",
        "  name      locked  here",
        "  tabulate  0.9.0   not installed",
    ]
    assert tone(view.card()) == "good"


def test_one_that_does_not() -> None:
    view = ReproduceView(Reproduction(VERSION, COMMIT, (EQUAL, OTHER), folder="/kept"))
    assert repr(view).splitlines() == [
        "DIFFERENT flights version 2, made again from 3108e3ed4659: 1 of 2 facts differ",
        "compared:",
        "  outcome    what    name   recorded  made now",
        "  EQUAL      metric  auc    0.75      0.75",
        "  DIFFERENT  data    x.csv  f1        -",
        "kept: /kept",
    ]
    assert tone(view.card()) == "bad"
