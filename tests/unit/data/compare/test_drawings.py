"""Figures are known by what they draw, and nobody notices that they were drawn."""

import pickle
from typing import Any

import matplotlib as mpl
import pytest

from nbmlops.data.compare.compare import difference
from nbmlops.data.compare.drawings import drawn, figure_of, place_in
from nbmlops.data.fingerprints.fingerprint import CannotFingerprint, fingerprint_for_comparing

mpl.use("agg")
from matplotlib import pyplot as plt  # the backend is chosen first
from matplotlib.artist import Artist  # as above
from matplotlib.figure import Figure  # as above

HOMES = frozenset({"__main__", "churn"})


def figure(*heights: float) -> Figure:
    made = Figure(figsize=(1, 1), dpi=50)
    axes = made.subplots()
    axes.plot(heights)
    return made


def print_of(value: object) -> str:
    return fingerprint_for_comparing(value, HOMES)


def test_figures_that_draw_the_same_are_the_same() -> None:
    one, other = figure(1, 2), figure(1, 2)
    other.canvas.mpl_connect("draw_event", print)  # a counter goes on
    assert print_of(one) == print_of(other) == print_of(pickle.loads(pickle.dumps(one)))
    assert print_of(one) != print_of(figure(1, 3))
    assert print_of(one.axes[0]) == print_of(other.axes[0]) != print_of(one)
    assert print_of([one, one.axes[0]]) == print_of([other, other.axes[0]]) != print_of([one, other.axes[0]])


def test_pyplot_and_the_figure_do_not_notice() -> None:
    plt.close("all")
    made, axes = plt.subplots(figsize=(1, 1), layout="tight")
    axes.plot([1, 2])
    before = (axes.get_position().bounds, plt.get_fignums(), dict(mpl.rcParams))
    print_of(made)
    assert (axes.get_position().bounds, plt.get_fignums(), dict(mpl.rcParams)) == before
    plt.close("all")


def test_settings_of_the_process_do_not_count() -> None:
    made = figure(1, 2)
    expected = print_of(made)
    with mpl.rc_context({"font.family": "monospace", "path.simplify": False}):
        assert print_of(made) == expected


def test_parts_know_their_place() -> None:
    made = figure(1, 2)
    (line,) = made.axes[0].lines
    places = [place_in(made, part) for part in (made, made.axes[0], line)]
    assert places[0] == 0 < places[2] != places[1] > 0
    assert all(figure_of(part) is made for part in (made, made.axes[0], line))
    line.remove()
    assert figure_of(line) is None
    with pytest.raises(CannotFingerprint, match="Line2D stands in no figure"):
        print_of(line)


def test_the_difference_says_where() -> None:
    one, other = figure(1, 2), figure(1, 2)
    other.axes[0].set_title("x", fontsize=4)
    text = difference(one, other, HOMES)
    assert text.startswith(
        f"{int((drawn(one) != drawn(other)).any(axis=2).sum())} of 2,500 pixels of the drawing differ, in "
    )
    assert difference({"fig": one}, {"fig": figure(1, 2)}, HOMES) == ""
    wide = figure(1, 2)
    wide.set_size_inches(2, 1)
    assert difference(one, wide, HOMES) == "size in pixels: 50×50 in the notebook, 100×50 in the pipeline"


class Broken(Artist):
    def draw(self, renderer: Any) -> None:
        raise ValueError("no")


def test_a_figure_that_cannot_be_drawn_has_no_fingerprint() -> None:
    made = figure(1, 2)
    made.add_artist(Broken())
    with pytest.raises(CannotFingerprint, match="a figure that cannot be drawn: no"):
        print_of(made)
