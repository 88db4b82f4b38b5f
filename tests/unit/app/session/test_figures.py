"""Figures that cells show."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from nbmlops.app.session import figures as session_figures
from nbmlops.app.session.figures import ShownFigures
from nbmlops.core.records import ArtifactRecord


class Picture:
    """Shows some pixels."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def _repr_png_(self) -> bytes:
        return self._content


class Taker:
    """A session in the middle of a cell."""

    def __init__(self, root: Path) -> None:
        self.root, self.busy, self.is_mine = root, True, True
        self.is_resumed = False
        self.taken: list[str] = []

    def artifact(self, record: ArtifactRecord) -> None:
        self.taken.append(record.name)


@pytest.fixture
def shell() -> Any:
    """A shell with a real formatter."""
    return SimpleNamespace(display_formatter=InteractiveShell().display_formatter)


def test_figures_are_kept_by_cell_and_number_and_each_once(shell: Any, tmp_path: Path) -> None:
    taker = Taker(tmp_path)
    figures = ShownFigures(shell, taker)
    figures.start()
    figures.cell_started()
    assert shell.display_formatter.format(Picture(b"one"))[0]["image/png"] == b"one"
    shell.display_formatter.format("text")
    shell.display_formatter.format(Picture(b"two"))
    figures.cell_ended(3)
    shell.display_formatter.format(Picture(b"two"))
    shell.display_formatter.format(Picture(b"three"))
    figures.cell_ended(4)
    assert taker.taken == ["figures/cell-3-1.png", "figures/cell-3-2.png", "figures/cell-4-2.png"]
    figures.stop()
    shell.display_formatter.format(Picture(b"four"))
    figures.cell_ended(5)
    assert len(taker.taken) == 3
    assert "format" not in vars(shell.display_formatter)


def test_figures_of_a_resumed_run_take_no_ones_place(shell: Any, tmp_path: Path) -> None:
    taker = Taker(tmp_path)
    taker.is_resumed = True
    figures = ShownFigures(shell, taker)
    figures.start()
    shell.display_formatter.format(Picture(b"one"))
    figures.cell_ended(3)
    assert taker.taken == ["figures/cell-3-1-7692c3ad.png"]


def test_what_no_cell_of_the_notebook_shows_is_not_kept(shell: Any, tmp_path: Path) -> None:
    taker = Taker(tmp_path)
    figures = ShownFigures(shell, taker)
    figures.start()
    shell.display_formatter.format(Picture(b"of a magic"))
    figures.cell_started()
    taker.busy = False
    shell.display_formatter.format(Picture(b"of a widget"))
    figures.cell_ended(1)
    assert taker.taken == []


def test_number_and_size_are_bounded(shell: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_figures, "MOST", 2)
    taker = Taker(tmp_path)
    figures = ShownFigures(shell, taker)
    figures.start()
    for content in (bytes(session_figures.MOST_BYTES + 1), b"1", b"2", b"3"):
        shell.display_formatter.format(Picture(content))
    figures.cell_ended(1)
    assert len(taker.taken) == 2
    assert figures.notes() == ("2 shown figures left out: a run keeps 2, of 8 MiB at most",)


def test_a_full_disk_is_told_and_no_cell_fails(shell: Any, tmp_path: Path) -> None:
    (tmp_path / ".nbmlops").write_text("no folder")
    figures = ShownFigures(shell, Taker(tmp_path))
    figures.start()
    shell.display_formatter.format(Picture(b"1"))
    figures.cell_ended(1)
    (note,) = figures.notes()
    assert note.startswith("figures are not kept: cannot write ")
