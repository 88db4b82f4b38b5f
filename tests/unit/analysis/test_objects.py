"""Which values may be the same, and which names may stand for them."""

from __future__ import annotations

from nbmlops.analysis.objects import NONE, Heap


def test_an_object_has_all_the_names_that_have_referred_to_it() -> None:
    heap = Heap()
    frame, other = heap.make("frame"), heap.make("other")
    heap.name(frame, "df")
    heap.name(frame | other, "data")

    assert (heap.names(frame), heap.names(other), heap.names(NONE)) == ({"df", "data"}, {"data"}, set())


def test_what_holds_an_object_is_found_through_other_holders() -> None:
    heap = Heap()
    inner = heap.make("inner")
    middle = heap.make("middle", contents=inner)
    outer = heap.make("outer", contents=middle)
    heap.make("apart")

    assert heap.holders(inner) == inner | middle | outer
    assert heap.holders(outer) == outer
