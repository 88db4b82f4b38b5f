"""Inclusive bounds, absolute or relative to a baseline, compared as the decimals that people write."""

from __future__ import annotations

from fractions import Fraction

from msgspec import Struct

from nbmlops.gate.numerals import exact, show_apart, show_in_full, show_number
from nbmlops.gate.policy import ClaimKind, Direction, Rule, direction_of


class Bound(Struct, frozen=True):
    """One inclusive bound: the limit, whether values must be at least or at most it, and how it is told."""

    limit: Fraction
    at_least: bool
    text: str

    def holds(self, value: Fraction) -> bool:
        """Returns whether a value keeps it."""
        return value >= self.limit if self.at_least else value <= self.limit


def absolute_bounds(rule: Rule) -> tuple[Bound, ...]:
    """Returns the bounds that a rule states itself."""
    bounds = []
    if rule.min is not None:
        bounds.append(Bound(exact(rule.min), at_least=True, text=f">= {show_in_full(rule.min)}"))
    if rule.max is not None:
        bounds.append(Bound(exact(rule.max), at_least=False, text=f"<= {show_in_full(rule.max)}"))
    return tuple(bounds)


def relative_bound(rule: Rule, baseline: float) -> Bound:
    """Returns the bound that a rule states relative to a baseline's value."""
    base = exact(baseline)
    drop = exact(rule.max_drop or 0.0) - exact(rule.min_gain or 0.0)
    percent = exact(rule.max_drop_percent or 0.0) - exact(rule.min_gain_percent or 0.0)
    margin = drop + abs(base) * percent / 100
    at_least = direction_of(rule) is Direction.HIGHER
    limit = base - margin if at_least else base + margin
    return Bound(limit, at_least, f"{asked(rule)}: {'>=' if at_least else '<='} {show_number(limit)}")


def asked(rule: Rule) -> str:
    """Returns what a rule asks for in its own words, before anything is known of a baseline."""
    said = _relative(rule) if rule.baseline else [bound.text for bound in absolute_bounds(rule)]
    if rule.sample is not None and rule.sample.max_gap is not None:
        said.append(f"slices at most {show_in_full(rule.sample.max_gap)} apart")
    return " and ".join(said)


def _relative(rule: Rule) -> list[str]:
    if rule.claim is not None:
        margin = show_in_full(rule.claim.margin) if rule.claim.margin else ""
        better = rule.claim.kind is ClaimKind.BETTER
        by = f" by {'more than ' if better else ''}{margin}" if margin else ""
        text = f"better than {rule.baseline}{by}" if better else f"not worse than {rule.baseline}{by}"
        return [f"{text}, {show_number(100 * rule.claim.confidence)} % sure"]
    lower = direction_of(rule) is Direction.LOWER
    margin = show_in_full(rule.max_drop) if rule.max_drop else show_in_full(rule.min_gain) if rule.min_gain else ""
    percent = rule.max_drop_percent or rule.min_gain_percent
    if percent:
        margin = f"{show_in_full(percent)} %"
    gains = bool(rule.min_gain or rule.min_gain_percent)
    tail = f" {'+' if lower is not gains else '-'} {margin}" if margin else ""
    return [f"{'<=' if lower else '>='} {rule.baseline}{tail}"]


def broken_text(value: Fraction, bounds: tuple[Bound, ...]) -> str:
    """Returns which bound a value breaks, as a sentence; "" where it keeps all."""
    broken = [bound for bound in bounds if not bound.holds(value)]
    if not broken:
        return ""
    shown = show_apart(value, broken[0].limit)
    return f"{shown[0]} is {'below' if broken[0].at_least else 'above'} {shown[1]}"
