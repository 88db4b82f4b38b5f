from __future__ import annotations

from pathlib import Path

import pytest

from nbmlops.app.running.elsewhere import dask_address, execute_elsewhere
from nbmlops.core.errors import UsageError
from nbmlops.runtime.schedule.results import RunOptions


def test_addresses_of_schedulers() -> None:
    texts = ("dask", "dask://host:8786", "dask://tls://host:8786")
    assert [dask_address(text) for text in texts] == ["", "tcp://host:8786", "tls://host:8786"]
    for text in ("dask://", "ray", "", "tcp://host:1"):
        with pytest.raises(UsageError, match="is no executor"):
            dask_address(text)


def test_a_cluster_that_is_not_on_this_machine_needs_a_store(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="need a store that they share with this machine"):
        execute_elsewhere(tmp_path, RunOptions(), "dask://host:1", lambda _: None)
