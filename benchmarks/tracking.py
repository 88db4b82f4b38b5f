"""What tracking costs beside MLflow's own calls: a run of 20 parameters and 20 metrics, and logging a model.

Both sides work in one process, in turn, on one SQLite store that is made before, and with all modules loaded. What
counts is the time of the processor, of this process and those it starts: it holds still on a busy machine.
"""

# ruff: noqa: PLC0415, SLF001 - what is measured is imported in a scratch folder; one step of registering has no name
from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

RUNS = int(os.environ.get("NBMLOPS_RUNS", "60"))
MODELS = int(os.environ.get("NBMLOPS_MODELS", "5"))
EXPERIMENT = "bench"


def used() -> float:
    """Returns the seconds of processor time that this process and those it has waited for took."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def compare(sides: dict[str, Callable[[], object]], times: int) -> dict[str, tuple[float, float]]:
    """Returns the median seconds of each side, of the clock and of the processor; the sides take turns."""
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    for turn in range(times + 1):
        for name, side in sides.items():
            began, busy = time.perf_counter(), used()
            side()
            if turn:  # the first one warms up
                seen[name].append((time.perf_counter() - began, used() - busy))
    return {name: (median(t[0] for t in took), median(t[1] for t in took)) for name, took in seen.items()}


def show(title: str, figures: dict[str, tuple[float, float]], limit: float) -> None:
    """Prints the figures; the first side is what the others are compared with."""
    base = next(iter(figures.values()))
    print(title)
    for name, (wall, cpu) in figures.items():
        ratios = f"x{wall / base[0]:.3f}  CPU x{cpu / base[1]:.3f}"
        print(f"  {name:44} {wall * 1e3:9.1f} ms  CPU {cpu * 1e3:9.1f} ms  {ratios}")
    print(f"  goal: at most x{limit:.3f}", flush=True)


def runs(uri: str, root: Path) -> dict[str, tuple[float, float]]:
    """Returns what one run of 20 parameters and 20 metrics costs."""
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param

    from nbmlops.pipeline.run_record import MetricValue, StepLog
    from nbmlops.tracking.mlflow_tracker import MlflowTracker
    from nbmlops.tracking.tracker import RunStart, RunState

    tracker = MlflowTracker(uri, root)
    tracker.end_run(tracker.start_run(RunStart(EXPERIMENT)).run_id, RunState.FINISHED)  # makes the store
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name(EXPERIMENT).experiment_id
    params, metrics = {f"p{n}": n for n in range(20)}, {f"m{n}": n / 7 for n in range(20)}

    def theirs() -> None:
        run = client.create_run(experiment)
        now = time.time_ns() // 1_000_000
        client.log_batch(
            run.info.run_id,
            [Metric(name, value, now, 0) for name, value in metrics.items()],
            [Param(name, str(value)) for name, value in params.items()],
        )
        client.set_terminated(run.info.run_id)

    def ours() -> None:
        facts = tracker.start_run(RunStart(EXPERIMENT))
        log = StepLog(params, tuple(MetricValue(name, value) for name, value in metrics.items()))
        tracker.log_step(facts.run_id, log)
        tracker.end_run(facts.run_id, RunState.FINISHED)

    def one_by_one() -> None:
        run_id = client.create_run(experiment).info.run_id
        for name, value in params.items():
            client.log_param(run_id, name, value)
        for name, value in metrics.items():
            client.log_metric(run_id, name, value)
        client.set_terminated(run_id)

    found = compare({"MLflow: start, one log_batch, end": theirs, "nbmlops: start, one step, end": ours}, RUNS)
    return found | compare({"MLflow: start, log_param, log_metric, end": one_by_one}, max(1, RUNS // 10))


def models(uri: str, root: Path) -> dict[str, tuple[float, float]]:
    """Returns what logging a fitted pipeline costs."""
    import mlflow
    import numpy as np
    import pandas as pd
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from nbmlops.data.profiles.profile import profile
    from nbmlops.gate.verdict import Verdict
    from nbmlops.pipeline.run_record import Lineage
    from nbmlops.registry.mlflow_registry import MlflowRegistry
    from nbmlops.registry.model_format import trusted_types
    from nbmlops.registry.registry import Candidate

    generator = np.random.default_rng(0)
    frame = pd.DataFrame(generator.normal(size=(1_000, 8)), columns=[f"x{n}" for n in range(8)])
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(frame, frame["x0"] > 0)
    mlflow.set_tracking_uri(uri)
    mlflow.set_experiment(EXPERIMENT)
    registry: Any = MlflowRegistry(uri, root)
    registry.names()
    with mlflow.start_run() as run:
        candidate = Candidate("m", run.info.run_id, model, "d" * 64, frame, Lineage(), profile=profile(frame))
        verdict = Verdict(passed=True, results=())

        def ours() -> None:
            registry._log_model(candidate, verdict, trusted_types(model))

        def theirs() -> None:
            mlflow.sklearn.log_model(model, name="model")

        return compare(
            {"MLflow: log_model as it comes": theirs, "nbmlops: model with schema and signature": ours}, MODELS
        )


def main() -> None:
    """Measures both."""
    warnings.simplefilter("ignore")
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    import logging

    import mlflow  # noqa: F401 - sets its loggers up

    logging.getLogger("mlflow").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="nbmlops-tracking-") as folder:
        root = Path(folder)
        uri = f"sqlite:///{root}/mlflow.db"
        show("One run of 20 parameters and 20 metrics", runs(uri, root), 1.3)
        show("Logging a fitted scikit-learn pipeline", models(uri, root), 1 / 15)


if __name__ == "__main__":
    sys.exit(main())
