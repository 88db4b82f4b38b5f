"""Figures as files."""

import base64
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from nbmlops.app.figures import drawn, log_figure, shown_figures
from nbmlops.core.errors import UsageError
from nbmlops.tracking.artifacts import MOST_BYTES, artifact_file

PNG = b"\x89PNG\r\n\x1a\n"


def figure() -> Figure:
    found = Figure(figsize=(1, 1))
    found.add_subplot().plot([0, 1])
    return found


class Html:
    """Shows itself as a page, as plotly's and altair's figures do."""

    def to_html(self) -> str:
        return "<div>curve</div>"


class Png:
    """Shows itself as pixels, as IPython's images do."""

    def _repr_png_(self) -> tuple[str, dict[str, int]]:
        return base64.b64encode(PNG).decode(), {"width": 1}


class Image:
    """Saves itself, as Pillow's images do."""

    def convert(self) -> None:
        """Pillow's."""

    def save(self, stream: object, form: str) -> None:
        stream.write(PNG + form.encode())


def test_a_figure_and_its_axes_are_drawn_alike() -> None:
    one = figure()
    data, suffix = drawn(one, "roc")
    assert (data[:8], suffix) == (PNG, ".png")
    assert drawn(one.axes[0], "roc") == (data, ".png")
    assert drawn(figure(), "roc") == (data, ".png")
    assert b"Matplotlib" not in data


@pytest.mark.parametrize(
    ("value", "expected"),
    [(Html(), (b"<div>curve</div>", ".html")), (Png(), (PNG, ".png")), (Image(), (PNG + b"PNG", ".png"))],
)
def test_other_libraries(value: object, expected: tuple[bytes, str]) -> None:
    assert drawn(value, "roc") == expected


def test_a_picture_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "roc.PNG").write_bytes(PNG)
    assert drawn(str(tmp_path / "roc.PNG"), "roc") == (PNG, ".png")
    with pytest.raises(UsageError, match="cannot read the figure 'roc' from"):
        drawn(tmp_path / "other.png", "roc")
    with pytest.raises(UsageError, match="which is no picture"):
        drawn(tmp_path / "data.csv", "roc")


def test_what_is_no_figure_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the figure 'roc' is of type int"):
        drawn(3, "roc")
    large = Png()
    large._repr_png_ = lambda: (base64.b64encode(bytes(MOST_BYTES + 1)).decode(), {})
    with pytest.raises(UsageError, match=r"the figure 'roc' has 8.0 MiB, but 8 are kept at most"):
        log_figure(large, "roc", tmp_path)


def test_a_logged_figure_is_kept_under_its_name(tmp_path: Path) -> None:
    record, size = log_figure(Html(), "a/curve", tmp_path)
    assert (record.name, size) == ("figures/a/curve.html", 16)
    assert artifact_file(tmp_path, record).read_bytes() == b"<div>curve</div>"


@pytest.mark.parametrize(
    ("bundle", "expected"),
    [
        ({"text/plain": "1", "text/html": "<b>1</b>"}, None),
        ({"text/plain": "", "image/png": base64.b64encode(PNG).decode()}, (PNG, ".png")),
        ({"image/png": PNG, "image/svg+xml": "<svg/>"}, (PNG, ".png")),
        ({"image/svg+xml": "<svg/>"}, (b"<svg/>", ".svg")),
        ({"application/vnd.plotly.v1+json": {"data": []}}, (b'{"data": []}', ".plotly.json")),
        ({"application/vnd.vegalite.v5+json": {"mark": "bar"}}, (b'{"mark": "bar"}', ".vega.json")),
    ],
)
def test_what_a_cell_shows(bundle: dict[str, object], expected: tuple[bytes, str] | None) -> None:
    assert shown_figures(bundle) == expected
