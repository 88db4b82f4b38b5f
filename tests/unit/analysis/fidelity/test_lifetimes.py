"""From which step on names stay where they are, since it matters when objects go."""

from __future__ import annotations

import pytest

from nbmlops.analysis.analyze import analyze

RES = "class Res:\n    def __del__(self):\n        print('gone')"


def reasons(build, *cells, modules=None):
    return [step.reason for step in analyze(build(*cells), local_modules=modules or {}).steps]


def test_from_the_first_object_that_does_something_when_it_goes(build):
    cells = (("functions", RES), ("step:a", "x = 1"), ("step:b", "r = Res()"), ("step:c", "print(x)"))
    assert reasons(build, *cells) == [
        "",
        "cell 1: objects of class 'Res' do something when they go",
        "objects of step 'b' may go here",
    ]


@pytest.mark.parametrize(
    ("imported", "made"),
    [
        ("import weakref", "weak = weakref.ref(one)"),
        ("import weakref as w", "weak = [w.proxy(thing) for thing in [one]]"),
        ("from weakref import WeakValueDictionary", "weak = WeakValueDictionary(a=one)"),
        ("from weakref import finalize", "finalize(one, print)"),
    ],
)
def test_from_the_first_weak_reference_on(build, imported, made):
    cells = (("imports", imported), ("step:a", "one = {1}"), ("step:b", made), ("step:c", "print(1)"))
    assert reasons(build, *cells) == [
        "",
        "cell 3: a weak reference ends with the object",
        "objects of step 'b' may go here",
    ]


def test_a_function_that_makes_weak_references_counts_where_it_is_used(build):
    function = "import weakref\ndef tracked(x):\n    return weakref.ref(x)"
    cells = (("functions", function), ("step:a", "x = 1"), ("step:b", "print(tracked(print))"))
    assert reasons(build, *cells) == ["", "cell 1: a weak reference ends with the object"]


def test_a_class_of_a_local_module(build):
    cells = (("imports", "import kit, json"), ("step:a", "json.dumps(1)"), ("step:b", "r = kit.Res()"))
    assert reasons(build, *cells, modules={"kit": RES, "broken": "def __del__(:"}) == [
        "",
        "cell 3: objects of 'kit' do something when they go",
    ]


def test_other_notebooks_keep_their_functions(build):
    assert reasons(build, ("step:a", "class A:\n    x = 1"), ("step:b", "print(A().x)")) == ["", ""]


@pytest.mark.parametrize(
    ("source", "asks"),
    [
        ("a.resize(9)", True),
        ("a.resize((3, 3))\nprint(a)", True),
        ("a.resize(3, 3)", True),
        ("a.resize((3, 3))", False),
        ("a.resize(9, refcheck=False)", False),
        ("b = a.resize((9, 9))", False),
    ],
)
def test_from_the_first_array_that_is_resized_in_place(build, source, asks):
    told = "cell 2: an array that is resized in place must not be held elsewhere" if asks else ""
    assert reasons(build, ("step:a", "a = [1]"), ("step:b", source)) == ["", told]
