from __future__ import annotations

import copy
import pickle
from collections.abc import Mapping
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, is_dataclass, replace
from typing import Any

import pytest

from nbmlops.core.frozen import frozen


@frozen
class Point:
    """A point."""

    x: float
    y: float = 0.0
    names: Mapping[str, int] = field(default_factory=dict)
    note: str = field(default="", compare=False, repr=False)

    @property
    def size(self) -> float:
        """Its distance from the origin."""
        return abs(self.x) + abs(self.y)


@frozen
class Named(Point):
    """A point with a name."""

    name: str = "?"

    def __repr__(self) -> str:
        return f"<{self.name}>"


@frozen
class Single:
    """One value."""

    value: object


@frozen
class Empty:
    """No value."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What `dataclasses` makes of the same fields as `Point`."""

    x: float
    y: float = 0.0
    names: Mapping[str, int] = field(default_factory=dict)
    note: str = field(default="", compare=False, repr=False)


ARGUMENTS: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((1.0,), {}),
    ((1.0, 2.0), {}),
    ((), {"x": 1.0, "note": "n"}),
    ((1.0,), {"names": {"a": 1}}),
]


@pytest.mark.parametrize(("given", "named"), ARGUMENTS)
def test_it_is_what_dataclasses_would_have_made(given: tuple[Any, ...], named: dict[str, Any]) -> None:
    made, reference = Point(*given, **named), Reference(*given, **named)
    assert asdict(made) == asdict(reference)
    assert repr(made) == repr(reference).replace("Reference", "Point")
    assert made == Point(*given, **named)
    assert made.__eq__(reference) is NotImplemented
    assert [one.name for one in fields(made)] == [one.name for one in fields(reference)]
    assert is_dataclass(Point)
    for name in ("__match_args__", "__slots__"):
        assert getattr(Point, name) == getattr(Reference, name)


def test_what_is_not_compared_does_not_count() -> None:
    assert Single(1) == Single(1)
    assert hash(Single("a")) == hash(Single("a"))
    assert Point(1.0, note="a") == Point(1.0, note="b")
    assert Point(1.0) != Point(2.0)
    assert Empty() == Empty()
    assert {Single(1), Single(1), Empty(), Empty()} == {Single(1), Empty()}
    with pytest.raises(TypeError, match="unhashable"):
        hash(Point(1.0))


def test_each_record_has_a_default_of_its_own() -> None:
    one, other = Point(1.0), Point(1.0)
    assert one.names is not other.names


def test_a_nan_is_itself() -> None:
    nan = float("nan")
    assert Single(nan) == Single(nan)
    assert Single(nan) != Single(float("nan"))


def test_it_cannot_be_changed_but_replaced() -> None:
    point = Point(1.0)
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'x'"):
        point.x = 2.0  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'x'"):
        del point.x
    with pytest.raises(FrozenInstanceError):
        point.other = 1  # type: ignore[attr-defined]
    assert (replace(point, y=3.0), point) == (Point(1.0, 3.0), Point(1.0))


def test_it_survives_pickling_and_copying() -> None:
    point = Point(1.0, names={"a": 1}, note="kept")
    for again in (pickle.loads(pickle.dumps(point)), copy.copy(point), copy.deepcopy(point)):
        assert (again, again.note) == (point, "kept")


def test_what_the_class_defines_is_kept_and_fields_are_inherited() -> None:
    named = Named(1.0, 2.0, name="n")
    assert (repr(named), named.size, named.name) == ("<n>", 3.0, "n")
    assert named == Named(1.0, 2.0, name="n")
    assert named != Point(1.0, 2.0)


def test_patterns_match_by_position() -> None:
    match Point(1.0, 2.0):
        case Point(x, y):
            assert (x, y) == (1.0, 2.0)


def test_a_wrong_call_names_the_class() -> None:
    with pytest.raises(TypeError, match=r"Point\.__init__\(\) missing 1 required positional argument: 'x'"):
        Point()  # type: ignore[call-arg]


def test_what_only_dataclasses_does_is_refused() -> None:
    with pytest.raises(TypeError, match=r"needs dataclasses\.dataclass"):

        @frozen
        class Checked:
            """Checks itself."""

            value: int

            def __post_init__(self) -> None:
                raise NotImplementedError

    with pytest.raises(TypeError, match=r"needs dataclasses\.dataclass"):

        @frozen
        class ByName:
            """Has a field that is taken by name only."""

            value: int = field(kw_only=True)
