"""Generated programs, the same ones each time: equal, or refused when compiling, and not often."""

from __future__ import annotations

from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.promise.fuzz.outcome import Outcome, Verdict, judge
from tests.promise.fuzz.program import Block, Cell, Program
from tests.promise.fuzz.programs import program_of, programs
from tests.promise.fuzz.report import Report, run
from tests.promise.fuzz.shrink import shrink
from tests.promise.harness import Processes

PROGRAMS, PARTS = 200, 4
MOST_REFUSED, MOST_INVALID = 0.05, 0.2


@pytest.mark.parametrize("part", range(PARTS))
def test_generated_programs_are_equal_or_refused(part: int) -> None:
    report = run(PROGRAMS // PARTS, part)

    broken = [f"{outcome.detail}\n{program.text(str(program.number))}" for program, outcome in report.failures]
    assert not broken, "\n\n".join(broken)
    counts = report.counts()
    assert len(report.outcomes) == PROGRAMS // PARTS
    assert counts[Verdict.REFUSED] <= 2 * MOST_REFUSED * report.judged(), report.text()
    assert counts[Verdict.INVALID] + counts[Verdict.UNSTEADY] <= MOST_INVALID * PROGRAMS / PARTS, report.text()


@settings(max_examples=200, deadline=None, database=None, derandomize=True)
@given(st.integers(0, 2**32 - 1))
def test_a_number_stands_for_one_program(number: int) -> None:
    program = program_of(number)

    assert program == program_of(number)
    assert program.number == number
    assert program.steps >= 1
    for cell in program.cells:
        compile(cell.source, "cell", "exec")


def test_programs_differ_and_cover_what_notebooks_do() -> None:
    drawn = [program_of(number) for number in range(400)]

    areas = {construct.partition(":")[0] for program in drawn for construct in program.constructs}
    assert len({program.cells for program in drawn}) == len(drawn)
    assert areas >= {
        "sharing", "mutation", "function", "flow", "random", "class", "frame", "array", "scope", "parameters", "live",
        "state", "names",
    }  # fmt: skip


def test_what_breaks_the_promise_is_made_small() -> None:
    program = Program((
        Cell("step:a", (Block("x = 1"), Block("for i in range(2):\n    y = 3\n    if i:\n        z = [i, x, 5]"))),
        Cell("step:b", (Block("print(x)"), Block("w = 2"))),
    ))  # fmt: skip

    small = shrink(program, lambda candidate: "z = [" in candidate.text("t") and "step:" in candidate.text("t"))

    assert small.text("small") == "=== small\nstep:a\nz = [5]\n"


def test_a_difference_is_told_as_such() -> None:
    different = Program((
        Cell("step:a", (Block("import os, sys"), Block("told = 'case' in sys.modules"))),
        Cell("step:b", (Block("print('case' in sys.modules, told)"),)),
    ))  # fmt: skip
    failing = Program((Cell("step:a", (Block("1 / 0"),)),))

    with closing(Processes()) as processes:
        found = judge(different, processes)
        assert found.verdict is Verdict.DIFFERENT
        assert found.detail == "line 1\n  notebook: False False\n  pipeline: True True"
        assert judge(failing, processes).verdict is Verdict.INVALID


def test_a_report_counts() -> None:
    report = Report()
    program = Program((Cell("step:a", (Block("x = 1", frozenset({"literal: int"})),)),))
    report.add(program, Outcome(Verdict.EQUAL, seconds=0.5))
    report.add(program, Outcome(Verdict.REFUSED, "NB203", 0.5))
    report.add(program, Outcome(Verdict.INVALID, seconds=1.0))

    assert report.text().splitlines()[:1] == ["3 programs, 2 of them valid"]
    assert report.refused_share() == 0.5
    assert dict(report.constructs) == {"literal: int": 2}
    assert programs().example is not None
