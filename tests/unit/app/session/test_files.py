"""What a session is told of the tables that its cells make: the latest of each name, with the cell that left it so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from nbmlops.app.session.files import SessionFiles
from nbmlops.core.records import DataRecord
from nbmlops.data.fingerprints.fingerprint import fingerprint
from nbmlops.tracking.cells import CellRun, CellValues, ValueMade, ValueSeen


@pytest.fixture
def namespace() -> dict[str, object]:
    return {}


@pytest.fixture
def told() -> list[CellValues]:
    return []


@pytest.fixture
def files(tmp_path: Path, namespace: dict[str, object], told: list[CellValues]) -> Iterator[SessionFiles]:
    def inputs(record: DataRecord) -> None:
        raise AssertionError(record)

    files = SessionFiles(tmp_path, namespace, inputs, lambda _number, values: told.append(values))
    yield files
    files.stop()


def test_what_cells_made_is_known_by_name_with_the_latest_at_the_end(
    files: SessionFiles, namespace: dict[str, object], told: list[CellValues]
):
    frame, more = pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"a": [1, 2, 3]})
    for count, (source, bound) in enumerate(
        [("f = load()", {"f": frame}), ("g = f.copy()", {"g": frame}), ("x = 1", {}), ("f = more()", {"f": more})], 7
    ):
        files.cell_started(source)
        namespace.update(bound)
        files.cell_ended(CellRun(source, count=count), alone=True)
        assert files.settle(30)
    assert list(files.made.items()) == [
        ("g", ValueMade(8, ValueSeen("frame", "pandas.DataFrame", (2, 1), fingerprint(frame)))),
        ("f", ValueMade(10, ValueSeen("frame", "pandas.DataFrame", (3, 1), fingerprint(more)))),
    ]
    assert len(told) == 3
