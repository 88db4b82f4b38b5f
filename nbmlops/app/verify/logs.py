"""What a step logs in the notebook against what it logs in the pipeline: parameters, metrics, data, checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nbmlops.data.compare.shown import NOTEBOOK, PIPELINE, sides
from nbmlops.pipeline.run_record import StepLog
from nbmlops.runtime.witness.verdicts import DIFFERENT, EQUAL

Entries = Mapping[tuple[str, str], str]


def compare_logs(notebook: StepLog, pipeline: StepLog) -> tuple[tuple[str, str, str, str], ...]:
    """Returns kind, name, status and detail of everything that either side logs, in the order of the notebook."""
    ours, theirs = _entries(notebook), _entries(pipeline)
    return tuple((*key, *_verdict(ours.get(key), theirs.get(key))) for key in dict.fromkeys([*ours, *theirs]))


def _entries(log: StepLog) -> Entries:
    """Returns (kind, name) -> what is logged, as text; a metric that is logged as a series is one text."""
    entries: dict[tuple[str, str], str] = {}
    for key, text in _each(log):
        entries[key] = f"{entries[key]}, {text}" if key in entries else text
    return entries


def _each(log: StepLog) -> Iterator[tuple[tuple[str, str], str]]:
    for name, value in log.params.items():
        yield ("param", name), repr(value)
    for metric in log.metrics:
        yield ("metric", metric.name), repr(metric.value) + (f" at {metric.step}" if metric.step else "")
    for data in log.data:
        yield ("data", data.name), data.digest
    for fit in log.fits:
        told = [(metric.name, metric.value, metric.step) for metric in fit.metrics]
        yield ("autolog", fit.name), repr((dict(fit.params), told, [artifact.name for artifact in fit.artifacts]))
    for artifact in log.artifacts:  # the same figure may have other bytes
        yield ("figure", artifact.name), artifact.name
    for check in log.checks:
        failures = "; ".join(check.failures)
        yield ("check", f"{check.data} {check.schema}".strip()), "passed" if check.passed else f"failed: {failures}"
    for test in log.tests:
        yield ("behaviour test", test.name), f"{test.outcome.value}: {test.message}".removesuffix(": ")


def _verdict(notebook: str | None, pipeline: str | None) -> tuple[str, str]:
    if notebook == pipeline:
        return EQUAL, ""
    if notebook is None or pipeline is None:
        return DIFFERENT, f"logged only {NOTEBOOK if pipeline is None else PIPELINE}: {notebook or pipeline}"
    return DIFFERENT, sides(notebook, pipeline)
