"""Leaves out borders with which a notebook would be refused, as long as it is not refused without them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct, field

from nbmlops.analysis.proposing.borders import Border
from nbmlops.core.diagnostics import Diagnostic, Severity

# Each round costs a few analyses; a notebook of which more is left then stays as it is, and is refused with reasons.
_ROUNDS = 8
_RESTORED = 16
_QUOTED = re.compile(r"'[^']*'|`[^`]*`")
_Key = tuple[str, int, int, int]


class Cut(Struct, frozen=True):
    """Borders in order, and tags of cells that belong to no step."""

    borders: tuple[Border, ...]
    roles: Mapping[int, str] = field(default_factory=dict)

    def without(self, borders: Iterable[Border]) -> Cut:
        """Returns the cut without some borders; the first one stays."""
        dropped = {border.fact.cell.number for border in borders}
        first, *others = self.borders
        return Cut((first, *(border for border in others if border.fact.cell.number not in dropped)), self.roles)

    def without_roles(self, cells: Iterable[int]) -> Cut:
        """Returns the cut without the tags of some cells."""
        dropped = set(cells)
        return Cut(self.borders, {number: tag for number, tag in self.roles.items() if number not in dropped})


class Mended(Struct, frozen=True):
    """A cut that is refused for nothing but what the uncut notebook is, as far as one was found.

    Attributes:
        cut: It.
        dropped: Borders that were left out, each with the error that it led to.
        left: Errors of the cut that the uncut notebook does not have.
    """

    cut: Cut
    dropped: tuple[tuple[Border, Diagnostic], ...] = ()
    left: tuple[Diagnostic, ...] = ()


def mend(cut: Cut, check: Callable[[Cut | None], Iterable[Diagnostic]]) -> Mended:
    """Returns the cut without those borders and tags that lead to refusals.

    Args:
        cut: With all borders.
        check: Returns what is wrong with a cut; with None, of the notebook in one piece.
    """
    if not _errors(check(cut)):
        return Mended(cut)
    known = {_about(error) for error in _errors(check(None)).values()}

    def new_errors(candidate: Cut) -> dict[_Key, Diagnostic]:
        return {key: error for key, error in _errors(check(candidate)).items() if _about(error) not in known}

    errors = first_errors = new_errors(cut)
    if not errors:
        return Mended(cut)
    joined = cut
    for _ in range(_ROUNDS):
        if not errors:
            break
        errors, coarser = _best(joined, _coarser(joined, errors.values()), new_errors)
        if coarser == joined:
            break
        joined = coarser
    if errors:
        errors, joined = _best(cut, _much_coarser(cut, first_errors.values()), new_errors)
    if len(errors) >= len(first_errors):
        return Mended(cut, (), tuple(first_errors.values()))  # no border is to blame
    if not errors:
        joined = _restored(joined, _difference(cut, joined), new_errors)
    dropped = tuple((border, _nearest(first_errors.values(), border)) for border in _difference(cut, joined))
    return Mended(joined, dropped, tuple(errors.values()))


def _best(
    cut: Cut, candidates: Iterable[Cut], new_errors: Callable[[Cut], dict[_Key, Diagnostic]]
) -> tuple[dict[_Key, Diagnostic], Cut]:
    """Returns the candidate with the fewest errors, of these the one that keeps most; the cut itself without any."""
    found = [(new_errors(candidate), candidate) for candidate in candidates if candidate != cut]
    found = found or [(new_errors(cut), cut)]
    return min(found, key=lambda pair: (len(pair[0]), -len(pair[1].borders), -len(pair[1].roles)))


def _errors(diagnostics: Iterable[Diagnostic]) -> dict[_Key, Diagnostic]:
    return {(d.code, d.span.cell, d.span.line, d.span.col): d for d in diagnostics if d.severity is Severity.ERROR}


def _about(error: Diagnostic) -> tuple[str, str]:
    """Returns what an error is about, wherever it is found: its code, and the first name that it quotes."""
    quoted = _QUOTED.search(error.message)
    return error.code, quoted[0] if quoted else f"{error.span.cell}:{error.span.line}:{error.span.col}"


def _coarser(cut: Cut, errors: Iterable[Diagnostic]) -> Iterable[Cut]:
    """Yields cuts that may do without the errors: other tags, steps joined with those above, with those below, both."""
    cells = [error.span.cell for error in errors]
    if any(number in cut.roles for number in cells):
        yield cut.without_roles(cells)
    elif cut.roles:
        yield cut.without_roles(cut.roles)
    above = [border for number in cells if (border := _around(cut.borders, number)[0])]
    below = [border for number in cells if (border := _around(cut.borders, number)[1])]
    yield cut.without(above)
    yield cut.without(below)
    yield cut.without([*above, *below])


def _much_coarser(cut: Cut, errors: Iterable[Diagnostic]) -> Iterable[Cut]:
    """Yields cuts that join everything above the last error, everything below the first one, and all steps."""
    cells = sorted(error.span.cell for error in errors)
    yield cut.without(border for border in cut.borders if border.fact.cell.number <= cells[-1])
    yield cut.without(border for border in cut.borders if border.fact.cell.number > cells[0])
    yield cut.without(cut.borders).without_roles(cut.roles)


def _around(borders: Sequence[Border], number: int) -> tuple[Border | None, Border | None]:
    """Returns the borders above and below a cell."""
    above = [border for border in borders if border.fact.cell.number <= number]
    below = [border for border in borders if border.fact.cell.number > number]
    return (above[-1] if above else None), (below[0] if below else None)


def _difference(fine: Cut, coarse: Cut) -> list[Border]:
    kept = {border.fact.cell.number for border in coarse.borders}
    return [border for border in fine.borders if border.fact.cell.number not in kept]


def _nearest(errors: Iterable[Diagnostic], border: Border) -> Diagnostic:
    return min(errors, key=lambda error: abs(error.span.cell - border.fact.cell.number))


def _restored(cut: Cut, dropped: Sequence[Border], new_errors: Callable[[Cut], Mapping[_Key, Diagnostic]]) -> Cut:
    """Returns the cut with those borders put back that lead to no error by themselves."""
    for border in dropped[:_RESTORED] if len(dropped) > 1 else ():
        borders = sorted((*cut.borders, border), key=lambda b: b.fact.cell.number)
        finer = Cut(tuple(borders), cut.roles)
        if not new_errors(finer):
            cut = finer
    return cut
