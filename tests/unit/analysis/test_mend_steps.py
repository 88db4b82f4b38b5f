from __future__ import annotations

from collections.abc import Iterable

from nbmlops.analysis.mend_steps import Cut, mend
from nbmlops.analysis.proposing.borders import Border
from nbmlops.analysis.proposing.cell_facts import CellFacts, Content
from nbmlops.analysis.proposing.work import CellWork
from nbmlops.core.diagnostics import Diagnostic, Severity, SourceSpan
from nbmlops.notebook.model import Cell, CellKind


def border(number: int) -> Border:
    nothing: frozenset[str] = frozenset()
    cell = Cell(f"c{number}", number, CellKind.CODE, "")
    return Border(CellFacts(cell, Content.CODE, CellWork(), nothing, nothing, nothing, False), 0.0, name=f"s{number}")


def error(cell: int, name: str = "x") -> Diagnostic:
    return Diagnostic("NB203", Severity.ERROR, f"'{name}' is wrong", SourceSpan("nb.ipynb", cell))


def numbers(cut: Cut) -> list[int]:
    return [border.fact.cell.number for border in cut.borders]


CUT = Cut(tuple(border(number) for number in (1, 3, 5, 7, 9)), {2: "imports"})


class Checker:
    """Finds an error while steps that must be one are cut apart; counts how often it is asked."""

    def __init__(self, *together: tuple[int, int], always: tuple[Diagnostic, ...] = (), tags: bool = False) -> None:
        self.together, self.always, self.tags, self.asked = together, always, tags, 0

    def __call__(self, cut: Cut | None) -> Iterable[Diagnostic]:
        self.asked += 1
        yield from self.always
        yield Diagnostic("NB401", Severity.WARNING, "'w' may be wrong", SourceSpan("nb.ipynb", 5))
        if cut is None:
            return
        if self.tags and cut.roles:
            yield error(2, "t")
        for first, last in self.together:
            if any(first < number <= last for number in numbers(cut)):
                yield error(last, f"x{last}")


def test_a_cut_without_errors_stays_and_is_checked_once() -> None:
    check = Checker()
    assert (mend(CUT, check).cut, check.asked) == (CUT, 1)


def test_the_border_that_leads_to_an_error_goes() -> None:
    mended = mend(CUT, Checker((4, 5)))
    assert numbers(mended.cut) == [1, 3, 7, 9]
    assert [(b.name, e.span.cell) for b, e in mended.dropped] == [("s5", 5)]
    assert (mended.left, mended.cut.roles) == ((), {2: "imports"})


def test_errors_far_apart_cost_no_other_border() -> None:
    mended = mend(CUT, Checker((2, 3), (8, 9)))
    assert numbers(mended.cut) == [1, 5, 7]


def test_a_value_that_crosses_several_borders_joins_them_all() -> None:
    assert numbers(mend(CUT, Checker((4, 9))).cut) == [1, 3]


def test_tags_that_lead_to_errors_go_before_borders() -> None:
    mended = mend(CUT, Checker(tags=True))
    assert (numbers(mended.cut), mended.cut.roles) == ([1, 3, 5, 7, 9], {})


def test_errors_of_the_uncut_notebook_move_nothing() -> None:
    check = Checker(always=(error(5), error(9, "y")))
    assert mend(CUT, check).cut == CUT


def test_errors_that_no_border_explains_are_told() -> None:
    def check(cut: Cut | None) -> Iterable[Diagnostic]:
        return [] if cut is None else [error(5)]

    mended = mend(CUT, check)
    assert (numbers(mended.cut), mended.left) == ([1, 3, 5, 7, 9], (error(5),))
