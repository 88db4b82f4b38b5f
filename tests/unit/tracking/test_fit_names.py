"""What the text around a training calls its model."""

import sys
from pathlib import Path
from typing import Any

import pytest

from nbmlops.tracking.fit_names import fit_name, name_at


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("model.fit(X, y)", "model"),
        ("scores = model.fit(X, y)", "model"),
        ("self.model.fit(X)", "model"),
        ("self.fit(X)", ""),
        ("model = make(3).fit(X)", "model"),
        ("model: Model = make(3).fit(X)", "model"),
        ("(booster := xgboost.train(p, d))", "booster"),
        ("booster = xgboost.train(\n    p,\n    d,\n)", "booster"),
        ("models['a'] = make().fit(X)", ""),
        ("models['a'].fit(X)", ""),
        ("make().fit(X)", ""),
        ("a, b = make().fit(X), 1", ""),
        ("größe.fit(X)", "größe"),
    ],
)
def test_the_name_of_a_call(text: str, name: str) -> None:
    end = text.rindex(")") + (0 if text.startswith("(") else 1)
    if text.startswith("a, b"):
        end = text.index("X)") + 2
    line = text.count("\n", 0, end) + 1
    assert name_at(text, line, len(text[:end].rpartition("\n")[2].encode())) == name


def test_text_that_is_not_what_runs_gives_no_name() -> None:
    assert name_at("not python", 1, 3) == ""
    assert name_at("model.fit(X)", 2, 12) == ""


class Model:
    """Trains and notes what its caller calls it."""

    name = ""

    def fit(self) -> "Model":
        self.name = fit_name(sys._getframe(1))
        return self


def test_the_innermost_code_of_the_users_counts() -> None:
    def train() -> Model:
        inner = Model()
        inner.fit()
        return inner

    outer = train()
    assert outer.name == "inner"
    assert fit_name(None) == ""


@pytest.mark.parametrize("place", ["site-packages", "dist-packages"])
def test_packages_of_a_person_and_of_the_system_are_not_the_users_code(place: str, tmp_path: Path) -> None:
    file = tmp_path / "lib" / place / "library.py"
    file.parent.mkdir(parents=True)
    file.write_text("def train(theirs):\n    return theirs.fit()\n")
    library: dict[str, Any] = {}
    exec(compile(file.read_text(), str(file), "exec"), library)
    mine = library["train"](Model())
    assert mine.name == "mine"
