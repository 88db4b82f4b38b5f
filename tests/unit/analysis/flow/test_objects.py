"""Which values may be the same, and which names may stand for them."""

from __future__ import annotations

from itertools import pairwise

from nbmlops.analysis.flow.objects import NONE, Heap


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


def test_what_comes_to_hold_an_object_later_is_found_as_well() -> None:
    heap = Heap()
    frame, part = heap.make("frame"), heap.make("part")
    box = heap.make("box")
    heap.put(box, part)

    assert heap.holders(frame) == frame
    heap.put(part, frame)
    assert heap.holders(frame) == frame | part | box
    heap.put(frame, box)
    assert heap.holders(frame) == heap.holders(box) == heap.holders(part) == frame | part | box


def test_many_answers_do_not_stay_in_memory() -> None:
    heap = Heap()
    made = [heap.make(place) for place in range(100)]
    for inner, outer in pairwise(made):
        heap.put(outer, inner)

    assert [len(heap.holders(one)) for one in made] == list(range(100, 0, -1))
    assert len(heap._above) < 20
