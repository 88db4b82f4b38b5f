from __future__ import annotations

from pathlib import Path

import pytest

from nbmlops.runtime.layout import Layout
from nbmlops.runtime.reuse.cache import StepCache
from nbmlops.runtime.reuse.caches import foreseen_cache, open_cache
from nbmlops.runtime.schedule.events import Event, SharingFailed
from nbmlops.runtime.schedule.results import RunOptions
from nbmlops.runtime.store.shared_cache import SharedCache
from nbmlops.runtime.store.shared_files import SharedStoreFault

KEY = "0" * 64


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "pipelines" / "p", tmp_path, "p", tmp_path, "p.ipynb")


def test_a_shared_store_is_asked_where_there_is_one(layout: Layout, tmp_path: Path) -> None:
    told: list[Event] = []
    shared = RunOptions(store=str(tmp_path / "shared"))
    kinds = [type(open_cache(layout, options, told.append)) for options in (RunOptions(), shared)]
    kinds += [type(foreseen_cache(layout, options)) for options in (RunOptions(), shared)]
    assert (kinds, told) == ([StepCache, SharedCache, StepCache, SharedCache], [])


def test_a_shared_store_that_cannot_be_used_is_told_of_or_ends_runs_that_need_it(
    layout: Layout, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    told: list[Event] = []
    options = RunOptions(store=str(tmp_path / "file"))
    assert list(open_cache(layout, options, told.append).candidates(KEY)) == []
    assert [type(event) for event in told] == [SharingFailed]
    assert list(foreseen_cache(layout, options).candidates(KEY)) == []
    for needing in (RunOptions(store=options.store, strict=True), RunOptions(store=options.store, only=("a",))):
        with pytest.raises(SharedStoreFault):
            list(open_cache(layout, needing, told.append).candidates(KEY))
    assert len(told) == 1
