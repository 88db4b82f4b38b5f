"""The gate's answer as records, as canonical JSON and as text.

Comes in: results of `nbmlops.gate.evaluate`. Goes out: what the run document, the tracking store and the registry keep,
and what people read. The canonical body holds no run id and no time: the magic, the command and the pipeline give the
same bytes on equal inputs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from enum import StrEnum
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from nbmlops.core.diagnostics import Json
from nbmlops.core.digest import Digest, canonical_json, digest_bytes
from nbmlops.core.errors import UsageError
from nbmlops.gate.numerals import show_number

SCHEMA = "nbmlops/verdict/1"
HEAD = ("outcome", "rule", "metric", "value", "threshold", "baseline", "reason")
_WORDS = {"pass": "PASS", "fail": "FAIL", "not applicable": "N/A", "waived": "WAIVED"}


class Outcome(StrEnum):
    """How one rule ended; one that is not applicable neither passes nor fails the verdict, nor does a waived one."""

    PASS = "pass"  # noqa: S105 — an outcome, no password
    FAIL = "fail"
    NOT_APPLICABLE = "not applicable"
    WAIVED = "waived"


class Waiver(Struct, frozen=True):
    """Somebody lets a model pass although it breaks a rule: which rule, why, and who answers for it."""

    rule: str
    reason: str
    by: str


class RuleResult(Struct, frozen=True):
    """One rule with what it saw.

    Attributes:
        rule: The rule's name.
        metric: The metric it judges.
        value: The run's value; NaN and infinities as they are, None where there is no number.
        threshold: What was asked for, as text: ">= 0.7", ">= 0.79 (champion 0.8 - 0.01)".
        baseline: What it is compared with, None where the rule has none or it cannot be had.
        outcome: How it ended.
        reason: Why, as a sentence; "" when the rule passed.
        detail: What was computed for it, plain JSON: rows, intervals, slices; {} for a metric as it was logged.
        waiver: Who lets it pass although it failed; None if nobody does.
        against: Whose value the baseline is, where that is not the champion: "version 3", "@challenger", "dataset".
    """

    rule: str
    metric: str
    value: float | None
    threshold: str
    baseline: float | None
    outcome: Outcome
    reason: str = ""
    detail: Mapping[str, Json] = field(default_factory=dict)
    waiver: Waiver | None = None
    against: str = ""

    @property
    def beside(self) -> str:
        """The baseline as text, with its name where it is not the champion; "-" where there is none."""
        told = f" ({self.against})" if self.against and self.baseline is not None else ""
        return f"{show_number(self.baseline)}{told}"

    def cells(self) -> tuple[str, ...]:
        """Returns the row of a table under `HEAD`; "-" where there is nothing to say."""
        return (
            _WORDS[self.outcome],
            self.rule,
            self.metric,
            show_number(self.value),
            self.threshold or "-",
            self.beside,
            self.reason if self.waiver is None else f"{self.reason}; {waiver_text(self.waiver)}",
        )


class Verdict(Struct, frozen=True):
    """The gate's answer, rule by rule.

    Attributes:
        passed: Whether the model may be registered.
        results: One for each rule, in the policy's order.
        baseline: What relative rules compared with: "no champion", "flights version 3", ….
        refusal: Why nothing could be judged, or "".
        hint: What to do about a refusal: a rule to paste, or "".
    """

    passed: bool
    results: tuple[RuleResult, ...]
    baseline: str = "no champion"
    refusal: str = ""
    hint: str = ""

    @property
    def failures(self) -> tuple[RuleResult, ...]:
        """The rules that failed."""
        return tuple(result for result in self.results if result.outcome is Outcome.FAIL)

    @property
    def waivers(self) -> tuple[Waiver, ...]:
        """The waivers that were needed."""
        return tuple(result.waiver for result in self.results if result.waiver is not None)

    def summary(self) -> str:
        """Returns the answer in one line: "PASS (2 of 3 rules passed, 1 not applicable)"."""
        if self.refusal:
            return f"FAIL ({self.refusal})"
        count = len(self.results)
        good = sum(result.outcome is Outcome.PASS for result in self.results)
        waived = len(self.waivers)
        skipped = count - good - waived - len(self.failures)
        text = f"{good} of {count} rule{'s' if count != 1 else ''} passed"
        if skipped:
            text += f", {skipped} not applicable"
        if waived:
            text += f", {waived} waived"
        return f"{'PASS' if self.passed else 'FAIL'} ({text})"


def waiver_text(waiver: Waiver) -> str:
    """Returns a waiver as a sentence."""
    return f"waived by {waiver.by}: {waiver.reason}"


def waive(verdict: Verdict, waivers: Sequence[Waiver]) -> Verdict:
    """Returns the verdict with these rules waived where they failed; a waiver of a rule that passed changes nothing.

    Raises:
        UsageError: there is no such rule, or a waiver says neither why nor who.
    """
    names = [result.rule for result in verdict.results]
    for waiver in waivers:
        if waiver.rule not in names:
            near = get_close_matches(waiver.rule, names, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"the rules are: {', '.join(names) or 'none'}"
            raise UsageError(f"no rule {waiver.rule!r} was judged, so it cannot be waived", hint)
        if not waiver.reason.strip() or not waiver.by.strip():
            raise UsageError(f"waiving {waiver.rule!r} needs a reason and a name", "give --reason TEXT and --by NAME")
    asked = {waiver.rule: waiver for waiver in waivers}
    results = tuple(
        replace(result, outcome=Outcome.WAIVED, waiver=asked[result.rule])
        if result.rule in asked and result.outcome is Outcome.FAIL
        else result
        for result in verdict.results
    )
    return replace(verdict, results=results, passed=decide(results, verdict.refusal))


def verdict_to_json(verdict: Verdict) -> dict[str, Json]:
    """Returns the canonical body as plain data; NaN and infinities are the texts "NaN", "Infinity", "-Infinity"."""
    return {
        "schema": SCHEMA,
        "passed": verdict.passed,
        "baseline": verdict.baseline,
        "refusal": verdict.refusal,
        "results": [_result_to_json(result) for result in verdict.results],
    }


def _result_to_json(result: RuleResult) -> dict[str, Json]:
    # What a rule has not is left out, so that documents of plain rules are what they were.
    waiver = result.waiver
    return {
        "rule": result.rule,
        "metric": result.metric,
        "value": _number_to_json(result.value),
        "threshold": result.threshold,
        "baseline": _number_to_json(result.baseline),
        "outcome": result.outcome.value,
        "reason": result.reason,
        **({"against": result.against} if result.against else {}),
        **({"detail": dict(result.detail)} if result.detail else {}),
        **({"waiver": {"reason": waiver.reason, "by": waiver.by}} if waiver is not None else {}),
    }


def verdict_from_json(document: object) -> Verdict:
    """Returns the verdict that a canonical body describes.

    Raises:
        UsageError: it is not such a body, or its decision contradicts its results.
    """
    try:
        body = _mapping(document)
        if body["schema"] != SCHEMA:
            raise UsageError(f"the verdict has schema {body['schema']!r}, but this version of nbmlops reads {SCHEMA!r}")
        results = tuple(_result(_mapping(one)) for one in _sequence(body["results"]))
        verdict = Verdict(body["passed"] is True, results, str(body["baseline"]), str(body["refusal"]))
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"this is not a verdict: {error!r}", "judge the run again: nbmlops gate") from error
    if any((result.outcome is Outcome.WAIVED) != (result.waiver is not None) for result in results):
        raise UsageError("the verdict waives a rule without saying who and why", "judge the run again: nbmlops gate")
    if verdict.passed != decide(results, verdict.refusal):
        raise UsageError("the verdict's decision contradicts its results", "judge the run again: nbmlops gate")
    return verdict


def decide(results: Sequence[RuleResult], refusal: str) -> bool:
    """Returns whether these results let a model pass: something was judged, and nothing failed but what is waived."""
    return not refusal and bool(results) and all(result.outcome is not Outcome.FAIL for result in results)


def verdict_bytes(verdict: Verdict) -> bytes:
    """Returns the canonical body as bytes: byte-equal for equal verdicts."""
    return canonical_json(verdict_to_json(verdict))


def waived_text(verdict: Verdict) -> str:
    """Returns the waivers as JSON, as runs and versions carry them in a tag; "" where nothing is waived."""
    waived: list[Json] = [{"rule": one.rule, "reason": one.reason, "by": one.by} for one in verdict.waivers]
    return canonical_json(waived).decode() if waived else ""


def verdict_digest(verdict: Verdict) -> Digest:
    """Returns the SHA-256 of the canonical body."""
    return digest_bytes(verdict_bytes(verdict))


def render_verdict(verdict: Verdict) -> str:
    """Returns the plain-text form: a summary, then a table with one line for each rule, its outcome first."""
    lines = [f"gate: {one_line(verdict.summary())}"]
    if verdict.results:
        rows = [HEAD, *(tuple(map(one_line, result.cells())) for result in verdict.results)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
        lines += [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
        ]
    if verdict.hint:
        lines.append(verdict.hint)
    return "\n".join(lines)


def one_line(text: str) -> str:
    """Returns the text without line ends and control characters, which would forge lines or colours in a log."""
    return "".join(character if character.isprintable() else " " for character in text)


def _number_to_json(value: float | None) -> float | str | None:
    if value is None or math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _number(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError(f"{value!r} is no number")
    return float(value)


def _result(body: Mapping[str, object]) -> RuleResult:
    return RuleResult(
        rule=str(body["rule"]),
        metric=str(body["metric"]),
        value=_number(body["value"]),
        threshold=str(body["threshold"]),
        baseline=_number(body["baseline"]),
        outcome=Outcome(str(body["outcome"])),
        reason=str(body["reason"]),
        detail=_plain(body.get("detail", {})),
        waiver=_waiver(str(body["rule"]), body.get("waiver")),
        against=str(body.get("against", "")),
    )


def _plain(value: object) -> Mapping[str, Json]:
    found: Any = _mapping(value)
    return dict(found)


def _waiver(rule: str, value: object) -> Waiver | None:
    if value is None:
        return None
    body = _mapping(value)
    return Waiver(rule, str(body["reason"]), str(body["by"]))


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise TypeError(f"{value!r} is no object")
    return value


def _sequence(value: object) -> Sequence[object]:
    if not isinstance(value, list | tuple):
        raise TypeError(f"{value!r} is no array")
    return value
