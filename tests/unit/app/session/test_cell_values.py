from __future__ import annotations

import numpy as np
import pandas as pd

from nbmlops.app.session.cell_values import CellTables, Ledger
from nbmlops.data.fingerprints.fingerprint import fingerprint
from nbmlops.tracking.cells import CellOutcome, CellRun, CellValues, ValueSeen

LONG = 60.0


def seen(digest: str, why: str = "") -> ValueSeen:
    return ValueSeen("frame", "pandas.DataFrame", (1, 1), digest, why)


def test_what_a_cell_binds_it_made_and_what_it_loads_it_used_as_it_was():
    ledger = Ledger()
    assert ledger.enter("a = read()", {"a": seen("1")}) == CellValues({"a": seen("1")}, {})
    assert ledger.enter("b = a.head()", {"a": seen("1"), "b": seen("2")}) == CellValues({"b": seen("2")}, {"a": "1"})
    assert ledger.enter("a = a.tail()", {"a": seen("3")}) == CellValues({"a": seen("3")}, {"a": "1"})


def test_what_has_another_fingerprint_was_changed_in_place():
    ledger = Ledger()
    ledger.enter("a = read()", {"a": seen("1")})
    assert ledger.enter("a.loc[0] = 1", {"a": seen("2")}) == CellValues({"a": seen("2")}, {"a": "1"})
    assert ledger.enter("a.sum()", {"a": seen("2")}) == CellValues({}, {"a": "2"})


def test_what_a_cell_that_failed_had_not_come_to_it_did_not_make():
    ledger = Ledger()
    ledger.enter("a = read()", {"a": seen("1")})
    assert ledger.enter("f(a)\na = g(a)", {"a": seen("1")}, whole=False) == CellValues({}, {"a": "1"})
    assert ledger.enter("a = g(a)\nf(a)", {"a": seen("2")}, whole=False) == CellValues({"a": seen("2")}, {"a": "1"})
    assert ledger.enter("b = f(a)", {"a": seen("2"), "b": seen("3")}, whole=False) == CellValues(
        {"b": seen("3")}, {"a": "2"}
    )


def test_what_could_not_be_read_is_not_known_any_more():
    ledger = Ledger()
    ledger.enter("a = read()", {"a": seen("1")})
    assert ledger.enter("f(a)", {"a": seen("", "busy")}) == CellValues({}, {"a": "1"})
    assert ledger.enter("g(a)", {"a": seen("2")}) == CellValues({}, {"a": ""})
    assert ledger.enter("g(a)", {"a": seen("2")}) == CellValues({}, {"a": "2"})


def test_of_a_name_that_nobody_has_seen_the_cell_tells_what_it_is():
    assert Ledger().enter("f(a)", {"a": seen("1")}) == CellValues({}, {"a": "1"})


def test_a_cell_that_is_no_python_used_what_it_names():
    assert Ledger().enter("%%timeit\nf(a) (", {"a": seen("1")}) == CellValues({}, {"a": "1"})


def test_the_cells_of_a_kernel_are_followed_by_number():
    namespace: dict[str, object] = {}
    told: list[tuple[int, CellValues]] = []
    tables = CellTables(namespace, lambda number, values: told.append((number, values)))

    def cell(number: int, source: str, outcome: CellOutcome = CellOutcome.DONE) -> None:
        tables.code_begins()
        if outcome is CellOutcome.DONE:
            exec(source, namespace)
        tables.cell_ended(number, CellRun(source, outcome=outcome))
        assert tables.settle(LONG)

    namespace |= {"np": np, "pd": pd}
    cell(0, "x = 1")
    cell(1, "array = np.arange(1000.0)")
    cell(2, "frame = pd.DataFrame({'a': array})")
    cell(3, "array[5] = -1")
    cell(4, "frame", CellOutcome.REFUSED)
    array, frame = np.arange(1000.0), pd.DataFrame({"a": np.arange(1000.0)})
    changed = array.copy()
    changed[5] = -1
    assert told == [
        (1, CellValues({"array": ValueSeen("array", "numpy.ndarray", (1000,), fingerprint(array))}, {})),
        (
            2,
            CellValues(
                {"frame": ValueSeen("frame", "pandas.DataFrame", (1000, 1), fingerprint(frame))},
                {"array": fingerprint(array)},
            ),
        ),
        (
            3,
            CellValues(
                {"array": ValueSeen("array", "numpy.ndarray", (1000,), fingerprint(changed))},
                {"array": fingerprint(array)},
            ),
        ),
    ]


def test_what_an_unseen_cell_changed_is_not_put_down_to_the_next_one():
    namespace: dict[str, object] = {"array": np.zeros(3)}
    told: list[CellValues] = []
    tables = CellTables(namespace, lambda _number, values: told.append(values))
    tables.cell_ended(0, CellRun("array = zeros()", outcome=CellOutcome.DONE))
    namespace["array"] = np.ones(3)
    tables.cell_left()
    tables.cell_ended(1, CellRun("x = 1", outcome=CellOutcome.DONE))
    tables.cell_ended(2, CellRun("array.sum()", outcome=CellOutcome.DONE))
    assert tables.settle(LONG)
    assert told[1:] == [CellValues({}, {"array": fingerprint(np.ones(3))})]


def test_a_new_array_in_the_place_of_a_deleted_one_is_noticed():
    namespace: dict[str, object] = {}
    told: list[CellValues] = []
    tables = CellTables(namespace, lambda _number, values: told.append(values))

    def cell(number: int, source: str) -> int:
        tables.code_begins()
        exec(source, namespace)
        tables.cell_ended(number, CellRun(source, outcome=CellOutcome.DONE))
        assert tables.settle(LONG)
        return id(namespace["array"])

    namespace["np"] = np
    first = cell(0, "array = np.zeros(9)")
    second = cell(1, "del array\narray = np.ones(9)")
    assert first == second, "the place of a deleted object goes to the next one of its size"
    assert [values.made["array"].digest for values in told] == [fingerprint(np.zeros(9)), fingerprint(np.ones(9))]
