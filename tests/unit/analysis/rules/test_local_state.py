"""State that modules beside the notebook keep: refused when a later step would see it, left alone when none does."""

from __future__ import annotations

import pytest

from nbmlops.analysis.analyze import analyze

TOOL = """
RATE = 2
_cache = {}
_seen = []
_count = 0

def slow(x):
    if x not in _cache:
        _cache[x] = x * RATE
    return _cache[x]

def see(x):
    _seen.append(x)

def seen():
    return list(_seen)

def see_twice(x):
    see(x)
    see(x)

def bump():
    global _count
    _count += 1

def local_list(x):
    _seen = []
    _seen.append(x)
    return _seen
"""


def found(build, *cells, tool=TOOL):
    diagnostics = analyze(build(*cells), local_modules={"tool": tool}).diagnostics
    return [f"{d.code} {d.span.cell}:{d.span.line} {d.message}" for d in diagnostics]


def test_what_a_step_changes_and_a_later_one_sees(build):
    cells = (("imports", "import tool as t"), ("step:a", "x = 1\nt.see_twice(x)"), ("step:b", "print(t.seen())"))
    message = (
        "'tool.see_twice' changes 'tool._seen', a variable of a module, which is lost between the steps 'a' and 'b'"
    )
    assert found(build, *cells) == [f"NB219 2:2 {message}"]


@pytest.mark.parametrize(
    ("imports", "first", "second"),
    [
        ("import tool", "tool.bump()", "tool.bump()"),
        ("from tool import see, seen", "see(1)", "print(seen())"),
        ("from tool import _seen", "_seen.append(1)", "print(_seen)"),
        ("import tool", "next(tool._seen)", "print(tool._seen)"),
        ("import tool\ndef go():\n    tool.bump()", "go()", "go()"),
    ],
)
def test_ways_to_the_state(build, imports, first, second):
    codes = [line.split()[0] for line in found(build, ("imports", imports), ("step:a", first), ("step:b", second))]
    assert codes == ["NB219"]


@pytest.mark.parametrize(
    ("imports", "first", "second"),
    [
        ("import tool", "tool.slow(1)", "tool.slow(2)"),
        ("import tool", "tool.see(1)\ntool.see(2)", "print(tool.RATE)"),
        ("import tool", "print(tool.seen())", "tool.see(1)"),
        ("import tool", "tool.local_list(1)", "tool.local_list(1)"),
        ("import other", "other.see(1)", "other.seen()"),
    ],
)
def test_what_makes_no_difference(build, imports, first, second):
    assert found(build, ("imports", imports), ("step:a", first), ("step:b", second)) == []


def test_a_module_that_is_not_python_is_left_to_python(build):
    cells = (("imports", "import tool"), ("step:a", "tool.see(1)"), ("step:b", "tool.see(1)"))
    assert found(build, *cells, tool="x = = 1") == []
