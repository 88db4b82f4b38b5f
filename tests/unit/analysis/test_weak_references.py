"""Weak references that a later step reads: the object must go there, too."""

from __future__ import annotations

import pytest

from nbmlops.analysis.analyze import analyze

IMPORTS = ("imports", "import weakref\nfrom weakref import WeakValueDictionary")
THING = ("functions", "class Thing:\n    pass")


def messages(build, *cells):
    return [d.message for d in analyze(build(IMPORTS, THING, *cells)).diagnostics if d.code == "NB222"]


@pytest.mark.parametrize(
    "made",
    [
        "weak = weakref.ref(one)",
        "weak = weakref.proxy(one)",
        "weak = WeakValueDictionary(a=one)",
        "weak = [weakref.ref(thing) for thing in [one]]",
        "weak: object = weakref.finalize(one, print)",
    ],
)
def test_an_object_that_only_a_weak_reference_takes_along(build, made):
    found = messages(build, ("step:a", f"one = Thing()\n{made}"), ("step:b", "x = 1"), ("step:c", "print(weak)"))
    assert found == [
        "a weak reference to 'one' is read by step 'c', but 'one' is not, so that it is gone when step 'a' ends"
    ]


@pytest.mark.parametrize(
    "cells",
    [
        (("step:a", "one = Thing()\nweak = weakref.ref(one)"), ("step:b", "print(weak(), one)")),
        (("step:a", "one = Thing()\nweak = weakref.ref(one)\nprint(weak())"), ("step:b", "print(one)")),
        (("step:a", "one = Thing()\nweak = weakref.ref(one)\nx = weak() is one"), ("step:b", "print(x)")),
    ],
)
def test_references_that_stay_in_their_step_or_take_the_object_along(build, cells):
    assert messages(build, *cells) == []
