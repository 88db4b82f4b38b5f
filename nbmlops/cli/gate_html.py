"""A verdict as one HTML file that needs nothing else: rules, waivers, values against bounds, slices, calibration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from itertools import groupby
from typing import Any

from nbmlops.app.judging.gate import GateOutcome
from nbmlops.app.judging.report import CalibrationCurve, calibration_curves
from nbmlops.cli.gate_plots import MOST_ROWS, PlotRow, calibration_svg, rows_svg
from nbmlops.cli.html_style import PAGE_STYLE, page
from nbmlops.core.records import Expectation
from nbmlops.gate.numerals import show_number
from nbmlops.gate.verdict import HEAD, Outcome, RuleResult, waiver_text

_STYLE = """\
.pass{--tone:var(--good)}.fail{--tone:var(--bad)}.waived{--tone:var(--warn)}.not-applicable{--tone:var(--dim)}
th:nth-child(2),th:nth-child(3){min-width:9rem}
td.outcome{color:var(--tone);font-weight:600;white-space:nowrap}
h2{display:block;margin:1.4rem 0 .2rem}p.dim{margin:.2rem 0 .6rem}td.number{white-space:nowrap}
.gate-plot{display:block;max-width:100%;height:auto}.gate-plot text{fill:var(--ink);font:12px system-ui,sans-serif}
.gate-plot .tick{fill:var(--dim);font-size:11px}.gate-plot .grid{stroke:var(--line)}
.gate-plot .bound{stroke:var(--dim);stroke-dasharray:4 3}.gate-plot .interval{stroke-width:3;stroke:var(--tone)}
.gate-plot .value{fill:var(--tone,var(--good))}.gate-plot .other{fill:var(--ground);stroke:var(--dim);stroke-width:2}
.gate-plot .curve{fill:none;stroke:var(--good);stroke-width:2}.gate-plot .curve.other{stroke:var(--dim)}
.gate-plot .good{--tone:var(--good)}.gate-plot .bad{--tone:var(--bad)}
"""


def gate_html(outcome: GateOutcome) -> str:
    """Returns the document; every text of rules and data is escaped, and no script may run in it.

    Raises:
        EnvironmentFault: the tracking store cannot be used.
    """
    curves: tuple[CalibrationCurve, ...] = ()
    if outcome.stores is not None and outcome.judged is not None:
        curves = calibration_curves(outcome.stores, outcome.judged)
    return page(f"gate: {outcome.pipeline}", PAGE_STYLE + _STYLE, "\n".join(_body(outcome, curves)))


def _body(outcome: GateOutcome, curves: tuple[CalibrationCurve, ...]) -> Iterator[str]:
    verdict = outcome.verdict
    state = "pass" if verdict.passed else "fail"
    yield f'<h1>{escape(outcome.pipeline)} <span class="badge {state}">{state}</span></h1>'
    yield f"<p>{escape(verdict.summary())}. Run <code>{escape(outcome.run_id)}</code>, compared with "
    yield f"{escape(verdict.baseline)}.</p>"
    for waiver in verdict.waivers:
        yield f'<p class="waived"><span class="badge">waived</span> {escape(waiver.rule)}: '
        yield f"{escape(waiver_text(waiver))}</p>"
    yield _table(verdict.results)
    if verdict.hint:
        yield f"<pre>{escape(verdict.hint)}</pre>"
    compared = [result for result in verdict.results if _is_compared(result)]
    if compared:
        yield "<h2>Metrics beside what they are compared with</h2>"
        yield from (_compared(result) for result in compared)
    for result in verdict.results:
        yield from _sampled(result)
        yield from _tested(result)
    for name, group in groupby(curves, key=lambda curve: curve.predictions):
        yield f"<h2>Calibration on {escape(name)}</h2>"
        yield '<p class="dim">Filled: the candidate; hollow: the champion; on the dashed line scores are honest.</p>'
        yield calibration_svg(tuple(group))


def _table(results: tuple[RuleResult, ...]) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in HEAD)
    rows = []
    for result in results:
        outcome, *rest = result.cells()
        kinds = ("number" if name in {"value", "baseline"} else "detail" for name in HEAD[1:])
        cells = "".join(f'<td class="{kind}">{escape(cell)}</td>' for kind, cell in zip(kinds, rest, strict=True))
        kind = result.outcome.value.replace(" ", "-")
        rows.append(f'<tr class="{kind}"><td class="outcome">{escape(outcome)}</td>{cells}</tr>')
    return f'<div class="scroll" tabindex="0"><table><thead><tr>{head}</tr></thead>{"".join(rows)}</table></div>'


def _is_compared(result: RuleResult) -> bool:
    return not result.detail and result.value is not None and result.baseline is not None


def _compared(result: RuleResult) -> str:
    assert result.value is not None
    good = result.outcome is not Outcome.FAIL and result.outcome is not Outcome.WAIVED
    caption = f"{result.metric}: {show_number(result.value)}, compared with {show_number(result.baseline)}"
    row = PlotRow(result.metric, result.value, result.baseline, good=good)
    return f"<p>{escape(result.rule)}</p>{rows_svg(caption, [row], ())}"


def _sampled(result: RuleResult) -> Iterator[str]:
    detail: Mapping[str, Any] = result.detail
    estimates: list[Mapping[str, Any]] = [one for one in detail.get("estimates", []) if "value" in one]
    groups: list[Mapping[str, Any]] = [one for one in detail.get("groups", []) if "value" in one]
    if not estimates:
        return
    test: Mapping[str, Any] = detail.get("test", {})
    yield f'<h2>{escape(result.rule)}</h2><p class="dim">{escape(_told(result, detail, test))}</p>'
    rows, lines = _gains(estimates, test) if test.get("method") == "bootstrap" else _values(groups or estimates, detail)
    worst = sorted(rows, key=lambda row: row.good)[:MOST_ROWS]
    left = len(rows) - len(worst)
    caption = "; ".join(f"{row.label}: {show_number(row.value)}" for row in worst)
    yield rows_svg(caption, worst, lines)
    if left:
        yield f'<p class="dim">{left} more slices are in the verdict.</p>'
    small = detail.get("small", [])
    if small:
        names = ", ".join(f"{name} ({rows})" for name, rows in small)
        yield f'<p class="dim">Too few rows: {escape(names)}</p>'


def _tested(result: RuleResult) -> Iterator[str]:
    """Yields the behaviour tests that a rule is about: outcome, name, what was expected and what was found."""
    detail: Mapping[str, Any] = result.detail
    tests: list[Mapping[str, Any]] = detail.get("tests", [])
    if not tests:
        return
    yield f"<h2>{escape(result.rule)}</h2>"
    rows = []
    for test in tests:
        good = test["outcome"] == "pass"
        said = test["message"] or "; ".join(_stated(one) for one in test["expectations"])
        cells = f'<td>{escape(str(test["name"]))}</td><td class="detail">{escape(said)}</td>'
        rows.append(
            f'<tr class="{"pass" if good else "fail"}"><td class="outcome">{escape(test["outcome"].upper())}</td>'
            f"{cells}</tr>"
        )
    head = "".join(f'<th scope="col">{name}</th>' for name in ("outcome", "behaviour test", "what it found"))
    yield f'<div class="scroll" tabindex="0"><table><thead><tr>{head}</tr></thead>{"".join(rows)}</table></div>'


def _stated(one: Mapping[str, Any]) -> str:
    return str(Expectation(one["kind"], one["asked"], one["rows"], one["broken"], one["allowed"], (*one["examples"],)))


def _told(result: RuleResult, detail: Mapping[str, Any], test: Mapping[str, Any]) -> str:
    parts = [f"{result.metric}, {detail.get('rows', 0):,} rows"]
    if detail.get("where"):
        parts.append(f"where {detail['where']}")
    if test.get("method") == "bootstrap":
        parts.append(f"paired bootstrap, {test['resamples']:,} resamples, seed {test['seed']}")
        parts.append("shown is the gain over what it is compared with; dashed: no gain, and what the rule asks for")
    elif detail.get("groups"):
        parts.append("shown is the share of positive predictions in each group")
    else:
        parts += ["McNemar's test"] if test else []
        beside = any("baseline" in one for one in detail.get("estimates", []))
        parts += ["filled: the candidate; hollow: what it is compared with"] if beside else []
        parts += ["dashed: bounds"] if detail.get("bounds") else []
    return "; ".join(parts)


def _gains(
    estimates: list[Mapping[str, Any]], test: Mapping[str, Any]
) -> tuple[list[PlotRow], list[tuple[float, str]]]:
    better = test["claim"] == "better"
    limit = test["margin"] if better else -test["margin"]
    rows = []
    for one in estimates:
        low = one.get("low")
        good = low is not None and (low > limit if better else low >= limit)
        rows.append(PlotRow(_label(one), one.get("gain", 0.0), None, low, one.get("high"), good))
    lines = [(0.0, "0")] + ([(limit, f"{limit:+.4g}")] if limit else [])
    return rows, lines


def _values(
    estimates: list[Mapping[str, Any]], detail: Mapping[str, Any]
) -> tuple[list[PlotRow], list[tuple[float, str]]]:
    bounds = detail.get("bounds", {}) if not detail.get("groups") else {}
    low, high = bounds.get("min"), bounds.get("max")
    rows = [
        PlotRow(
            _label(one),
            one["value"],
            one.get("baseline"),
            good=(low is None or one["value"] >= low) and (high is None or one["value"] <= high),
        )
        for one in estimates
    ]
    return rows, [(bound, f"{name} {bound:.4g}") for name, bound in bounds.items()]


def _label(one: Mapping[str, Any]) -> str:
    return f"{one['slice'] or 'all rows'} ({one['rows']:,})"
