"""`[[gate.rules]]` of the settings, as the records that the gate judges by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec.structs import fields

from nbmlops.app.config.document import RuleTable
from nbmlops.app.config.faults import Fault, dotted
from nbmlops.app.config.toml_lines import KeyPath
from nbmlops.gate.policy import DATASET, Claim, ClaimKind, Direction, Method, Rule, Sample, is_fairness
from nbmlops.gate.rule_faults import rule_faults

_OF_CLAIM = ("margin", "method", "confidence", "resamples", "seed")
_OF_SAMPLE = tuple(one.name for one in fields(Sample))


def faults_of_rules(rules: Sequence[RuleTable], path: KeyPath) -> Iterator[Fault]:
    """Yields what is wrong with rules, each with its key.

    Args:
        rules: The tables.
        path: The key of their array.
    """
    names: dict[str, int] = {}
    for index, table in enumerate(rules):
        place = (*path, index)
        rule = rule_of(table)
        if rule.name in names:
            other = dotted((*path, names[rule.name]))
            yield Fault((*place, "name"), f"{rule.name!r} is the name of {other} too", "give each rule its own name")
        names.setdefault(rule.name, index)
        for key in _OF_CLAIM if table.claim is None else ():
            if getattr(table, key) is not None:
                hint = 'add claim = "better" or claim = "not worse"'
                yield Fault((*place, key), "has a meaning only beside a claim", hint)
        if table.of and not table.fact:
            yield Fault((*place, "of"), "has a meaning only beside a fact", "add fact = NAME, or remove it")
        for fault in rule_faults(rule):
            yield Fault((*place, fault.key) if fault.key else place, fault.message, fault.hint)


def rule_of(table: RuleTable) -> Rule:
    """Returns the rule that a table means."""
    return Rule(
        name=_default_name(table) if table.name is None else table.name,
        metric=table.metric,
        min=table.min,
        max=table.max,
        baseline=table.baseline,
        max_drop=table.max_drop,
        max_drop_percent=table.max_drop_percent,
        direction=Direction(table.direction) if table.direction else None,
        reason=table.reason,
        min_gain=table.min_gain,
        min_gain_percent=table.min_gain_percent,
        claim=_claim(table),
        sample=Sample(**_given(table, _OF_SAMPLE)) if _is_sampled(table) else None,
        fact=table.fact,
        of=table.of,
    )


def _is_sampled(table: RuleTable) -> bool:
    """Returns whether a rule is about recorded rows, not about a number that was logged."""
    asked = bool(_given(table, _OF_SAMPLE)) or table.claim is not None or table.baseline == DATASET
    return asked or is_fairness(Rule("", table.metric, sample=Sample()))


def _claim(table: RuleTable) -> Claim | None:
    if table.claim is None:
        return None
    given = _given(table, _OF_CLAIM)
    method = Method(given.pop("method", Method.BOOTSTRAP))
    return Claim(ClaimKind(table.claim), method=method, **given)


def _given(table: RuleTable, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(table, name) for name in names if getattr(table, name) is not None}


def _default_name(table: RuleTable) -> str:
    """Returns a name made from what the rule says."""
    what = table.metric or (f"{table.fact} of {table.of}" if table.of else table.fact)
    where = f" by {table.slice_by}" if table.slice_by else f" where {table.where}" if table.where else ""
    if table.claim:
        return f"{what} {table.claim} than {table.baseline}{where}"
    if table.baseline:
        return f"{what} against {table.baseline}{where}"
    bounds = (("at least", table.min), ("at most", table.max), ("apart at most", table.max_gap))
    said = [f"{what} {word} {bound:g}" for word, bound in bounds if bound is not None]
    return (" and ".join(said) or what) + where
