from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Literal

import pytest
from msgspec import Struct, field

from nbmlops.app.config.faults import Fault
from nbmlops.app.config.toml_tables import read_table


class Inner(Struct, frozen=True):
    size: float
    kind: Literal["a", "b", "c"] | None = None


class Outer(Struct, frozen=True):
    name: str
    count: int | None = None
    on: bool = False
    names: tuple[str, ...] = ()
    inner: Inner = field(default_factory=lambda: Inner(0.0))
    rows: tuple[Inner, ...] = ()
    tables: Mapping[str, Inner] = field(default_factory=dict)
    free: Mapping[str, Any] = field(default_factory=dict)


def test_a_table_becomes_its_record() -> None:
    given = {
        "name": "x",
        "count": 3,
        "on": True,
        "names": ["p", "q"],
        "inner": {"size": 1, "kind": "b"},
        "rows": [{"size": 2.5}],
        "tables": {"t": {"size": 3}},
        "free": {"anything": [1, {"at": dt.date(2026, 1, 1)}]},
    }
    expected = Outer("x", 3, True, ("p", "q"), Inner(1.0, "b"), (Inner(2.5),), {"t": Inner(3.0)}, dict(given["free"]))
    assert read_table(Outer, given) == (expected, ())
    assert type(expected.inner.size) is float
    assert read_table(Outer, {"name": "x"}) == (Outer("x"), ())


def test_all_faults_are_found_at_once() -> None:
    given = {
        "nmae": "x",
        "count": 1.0,
        "on": 1,
        "names": ["p", 2],
        "inner": {"size": "1", "kind": "d", "zzz": 0},
        "rows": [{"size": 1}, {}],
        "tables": {"t": []},
        "free": 3,
    }
    assert read_table(Outer, given) == (
        None,
        (
            Fault(("name",), "required, but not given"),
            Fault(("count",), "must be a whole number, but is 1.0"),
            Fault(("on",), "must be true or false, but is 1"),
            Fault(("names", 1), "must be a string, but is 2"),
            Fault(("inner", "size"), "must be a number, but is the string '1'"),
            Fault(("inner", "kind"), "must be 'a', 'b' or 'c', but is the string 'd'"),
            Fault(("inner", "zzz"), "unknown key", "known keys: size, kind"),
            Fault(("rows", 1, "size"), "required, but not given"),
            Fault(("tables", "t"), "must be a table, but is an array"),
            Fault(("free",), "must be a table, but is 3"),
            Fault(("nmae",), "unknown key", "did you mean 'name'?"),
        ),
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"count": True}, "must be a whole number, but is true"),
        ({"on": dt.time(3)}, "must be true or false, but is a date or time"),
        ({"names": "p"}, "must be an array of strings, but is the string 'p'"),
        ({"rows": {}}, "must be an array of tables, each written as [[…]], but is a table"),
        ({"inner": [1]}, "must be a table, but is an array"),
        ({"count": "9" * 99}, f"must be a whole number, but is the string '{'9' * 59}…"),
    ],
)
def test_a_value_of_another_type_is_shown_as_the_file_has_it(given: dict[str, Any], message: str) -> None:
    record, faults = read_table(Outer, {"name": "x", **given})
    assert record is None
    assert [fault.message for fault in faults] == [message]
