"""A tracking store and a registry that hold the same story: two runs, two versions, a promotion, a rejected run.

`tell` fills any pair of stores, in memory or real ones, so that what is read back can be compared.
"""

from __future__ import annotations

import functools

import pandas as pd
from msgspec.structs import replace

from nbmlops.data.describe import describe
from nbmlops.gate.baseline import Baseline, Champion, NoChampion
from nbmlops.gate.evaluate import evaluate
from nbmlops.gate.policy import Policy, Rule
from nbmlops.gate.verdict import Verdict, verdict_digest, verdict_to_json
from nbmlops.pipeline.run_codec import run_to_json
from nbmlops.pipeline.run_record import (
    DataRecord,
    Lineage,
    MetricValue,
    RunRecord,
    RunStatus,
    StepLog,
    StepRecord,
    StepStatus,
)
from nbmlops.registry.promote import promote
from nbmlops.registry.register import register
from nbmlops.registry.registry import Candidate, ModelRegistry
from nbmlops.registry.transitions import Actor
from nbmlops.tracking.lineage import PIPELINE, lineage_tags, verdict_tags
from nbmlops.tracking.provenance import CodeCell, GitDiff, Provenance, provenance_to_json
from nbmlops.tracking.tracker import RunStart, RunState, Tracker

POLICY = Policy((Rule("floor", "auc", min=0.7), Rule("not worse", "auc", baseline="champion", max_drop=0.01)))
COMMITS = ("1a" * 20, "2b" * 20)
ENVIRONMENT = {"nbmlops.python": "3.11.7", "nbmlops.platform": "linux-x86_64", "nbmlops.environment_digest": "e" * 64}
SOURCES = ("import pandas as pd", "flights = pd.read_csv('flights.csv')", "model = fit(flights, depth=3)\nauc = 0.8")
CHANGED = (*SOURCES[:2], "model = fit(flights, depth=5)\nauc = 0.82", "report(model)")


@functools.cache
def data(version: int) -> DataRecord:
    """The frame that run number `version` read: ten more rows and a column more in the second one."""
    hours = [hour for hour in range(24) for _ in range(1 + (version == 2) * hour // 8)]
    columns = {"hour": hours, **({"wind": [float(hour % 5) for hour in hours]} if version == 2 else {})}
    record = describe(pd.DataFrame(columns), "flights", "training")
    return replace(record, digest="ab"[version - 1] * 32, version={"dvc_data_hash": "d" * 32})


def provenance(version: int) -> Provenance:
    """What run number `version` was made from."""
    sources = SOURCES if version == 1 else CHANGED
    return Provenance(
        "flights.ipynb",
        tuple(
            CodeCell(f"c{place}", place, "load" if place < 3 else "train", text)
            for place, text in enumerate(sources, 1)
        ),
        {"numpy": "2.3.0", "pandas": "3.0.0" if version == 1 else "3.1.0", **({"shap": "0.5"} if version == 2 else {})},
        GitDiff() if version == 1 else GitDiff("9" * 64, "--- a/helpers.py\n+++ b/helpers.py\n"),
    )


def tell(tracker: Tracker, registry: ModelRegistry, model: object = None, features: object = None) -> tuple[str, ...]:
    """Fills the stores, and returns the ids of the runs: the first champion's, the second one's, the rejected one's."""
    ids = []
    for version, auc in ((1, 0.8), (2, 0.82)):
        run_id = _run(tracker, version, auc)
        baseline: Baseline = NoChampion() if version == 1 else Champion("flights", "1", {"auc": 0.8})
        verdict = _judge(tracker, run_id, auc, baseline)
        lineage = Lineage(
            run_id, f"{COMMITS[version - 1]}{'-dirty' if version == 2 else ''}", {"flights": data(version).digest}
        )
        made = Candidate("flights", run_id, model, f"{version}" * 32, features, lineage, {"auc": auc})
        register(verdict, made, registry, actor=Actor("ann", "2026-11-21T10:00:00+00:00"))
        ids.append(run_id)
    promote(registry, "flights", "challenger", Actor("bob", "2026-11-21T11:00:00+00:00", "better <b>AUC</b>"))
    run_id = _run(tracker, 2, 0.5)
    _judge(tracker, run_id, 0.5, Champion("flights", "2", {"auc": 0.82}))
    return (*ids, run_id)


def _run(tracker: Tracker, version: int, auc: float) -> str:
    lineage = Lineage("", f"{COMMITS[version - 1]}{'-dirty' if version == 2 else ''}", {}, "n" * 64, "p" * 64)
    documents = {"nbmlops/provenance.json": provenance_to_json(provenance(version))}
    tags = {PIPELINE: "flights", **lineage_tags(lineage), **ENVIRONMENT, "mlflow.source.name": "pipelines/flights"}
    run_id = tracker.start_run(
        RunStart("demo", f"run {version}", tags, "pipelines/flights", documents=documents)
    ).run_id
    log = StepLog({"depth": 1 + 2 * version}, (MetricValue("auc", auc),), (data(version),))
    tracker.log_step(run_id, log)
    steps = (
        StepRecord("load", StepStatus.EXECUTED, 1.5, log=StepLog(data=(data(version),))),
        StepRecord("train", StepStatus.CACHED),
    )
    record = RunRecord(RunStatus.SUCCEEDED, run_id, "flights", steps, {"depth": 1}, {"auc": auc}, lineage)
    tracker.log_document(run_id, "run.json", run_to_json(record))
    tracker.end_run(run_id, RunState.FINISHED)
    return run_id


def _judge(tracker: Tracker, run_id: str, auc: float, baseline: Baseline) -> Verdict:
    verdict = evaluate({"auc": auc}, baseline, POLICY)
    tracker.log_document(run_id, "verdict.json", verdict_to_json(verdict))
    tags = verdict_tags(passed=verdict.passed, digest=verdict_digest(verdict), summary=verdict.summary())
    tracker.set_tags(run_id, tags)
    return verdict
