"""Figures of matplotlib, compared by what they draw.

What a figure holds besides, such as counters of its callbacks, differs from process to process. A copy is drawn, with
matplotlib's default settings, so that neither the figure nor settings nor pyplot notice it.
"""

from __future__ import annotations

import copy
import warnings
from typing import TYPE_CHECKING, Any

from nbmlops.data.compare.arrays import unequal
from nbmlops.data.compare.shown import sides
from nbmlops.data.fingerprints.encoding import CannotFingerprint, Encoder, Handler
from nbmlops.data.fingerprints.objects import add_reduced

if TYPE_CHECKING:
    import numpy as np

    Pixels = np.ndarray[Any, Any]


def handler_of(cls: type) -> Handler | None:
    """Returns how figures and what stands in them are encoded; None for other classes of matplotlib."""
    from matplotlib.artist import Artist

    return Handler(_add_artist, shared=True) if issubclass(cls, Artist) else None


def _add_artist(encoder: Encoder, value: Any) -> None:
    if not encoder.compares:
        add_reduced(encoder, value)
        return
    figure = figure_of(value)
    if figure is None:
        raise CannotFingerprint(f"{type(value).__name__} stands in no figure")
    encoder.text(b"drawing", encoder.class_name(type(value)))
    if value is not figure:
        encoder.add(figure)
        encoder.size(b"place", place_in(figure, value))
        return
    pixels = drawn(figure)
    encoder.size(b"shape", *pixels.shape)
    encoder.buffer(b"pixels", pixels.nbytes, (pixels.reshape(-1).data,))


def figure_of(artist: Any) -> Any:
    """Returns the figure that an artist stands in, itself if it is one, or None."""
    figure = getattr(artist, "figure", None)
    while figure is not None and getattr(figure, "figure", figure) is not figure:
        figure = figure.figure  # of a part of a figure
    return figure


def place_in(figure: Any, artist: Any) -> int:
    """Returns which of the things in a figure it is, in the figure's order; -1 if it was removed."""
    if artist is figure:
        return 0
    return next((number for number, found in enumerate(figure.findobj(), 1) if found is artist), -1)


def drawn(figure: Any) -> Pixels:
    """Returns the pixels of a figure: rows, columns, colours.

    Raises:
        CannotFingerprint: it cannot be drawn.
    """
    import matplotlib as mpl
    import numpy as np
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    try:
        with mpl.rc_context(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            mpl.rcdefaults()
            canvas = FigureCanvasAgg(_twin(figure))
            canvas.draw()
            return np.asarray(canvas.buffer_rgba()).copy()
    except Exception as error:  # drawing runs code of artists of any library
        raise CannotFingerprint(f"a figure that cannot be drawn: {error}") from error


def _twin(figure: Any) -> Any:
    """Returns a copy that pyplot knows nothing of."""
    kind: Any = type(figure)
    twin = kind.__new__(kind)
    state = figure.__getstate__()
    state.pop("_restore_to_pylab", None)
    twin.__setstate__(copy.deepcopy(state, {id(figure): twin}))
    return twin


def drawing_difference(left: Any, right: Any) -> str:
    """Returns what differs between two figures, or things in figures, "" if nothing does."""
    figures = [figure_of(side) for side in (left, right)]
    if None in figures:
        return ""
    places = [place_in(figure, side) for figure, side in zip(figures, (left, right), strict=True)]
    if places[0] != places[1]:
        return f"place in its figure: {sides(str(places[0]), str(places[1]))}"
    one, other = map(drawn, figures)
    if one.shape != other.shape:
        return f"size in pixels: {sides(_size(one), _size(other))}"
    differs = unequal(one, other).any(axis=2)
    count = int(differs.sum())
    if not count:
        return ""
    rows, columns = differs.any(axis=1).nonzero()[0], differs.any(axis=0).nonzero()[0]
    box = f"rows {rows[0]} to {rows[-1]}, columns {columns[0]} to {columns[-1]}"
    return f"{count:,} of {differs.size:,} pixels of the drawing differ, in {box}"


def _size(pixels: Pixels) -> str:
    return f"{pixels.shape[1]}×{pixels.shape[0]}"
