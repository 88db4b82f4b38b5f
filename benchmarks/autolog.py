"""What autologging adds to training, beside training without it in the same process."""

# ruff: noqa: PLC0415 - what is measured is imported in a scratch folder
from __future__ import annotations

import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

TIMES = int(os.environ.get("NBMLOPS_FITS", "5"))
Trainings = dict[str, Callable[[], Any]]


def used(train: Callable[[], Any], times: int) -> tuple[float, float]:
    """Returns the median seconds of a training, of the clock and of the processor; a first one warms up."""
    took = []
    for turn in range(times + 1):
        began, busy = time.perf_counter(), time.process_time()
        train()
        if turn:
            took.append((time.perf_counter() - began, time.process_time() - busy))
    return median(wall for wall, _ in took), median(cpu for _, cpu in took)


def trainings() -> Trainings:
    """Returns what is trained: small and large, with pictures (classifiers) and without."""
    import numpy as np
    import pandas as pd
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LinearRegression, LogisticRegression

    generator = np.random.default_rng(0)

    def frame(rows: int) -> pd.DataFrame:
        return pd.DataFrame(generator.normal(size=(rows, 20)), columns=[f"x{n}" for n in range(20)])

    small, large = frame(1_000), frame(50_000)
    return {
        "logistic regression, 1,000 rows": lambda: LogisticRegression().fit(small, small["x0"] > 0),
        "linear regression, 50,000 rows": lambda: LinearRegression().fit(large, large["x0"]),
        "20 trees, 50,000 rows": lambda: RandomForestClassifier(20, max_depth=8, random_state=0).fit(
            large, large["x0"] + large["x1"] ** 2 > 1
        ),
    }


def main() -> None:
    """Measures all of them."""
    warnings.simplefilter("ignore")
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    work = trainings()
    plain = {name: used(train, TIMES) for name, train in work.items()}
    with tempfile.TemporaryDirectory(prefix="nbmlops-autolog-") as folder:
        from nbmlops.runtime.steps.autolog import Autolog

        autolog = Autolog(Path(folder), lambda _fit: None)
        autolog.start()
        ours = {name: used(train, TIMES) for name, train in work.items()}
        autolog.stop()
    print(f"Importing MLflow and patching scikit-learn: {autolog.seconds:.1f} s")
    for name, (wall, cpu) in plain.items():
        print(f"{name}: {wall * 1e3:.0f} ms, CPU {cpu * 1e3:.0f} ms")
        side = ours[name]
        added = f"CPU +{(side[1] - cpu) * 1e3:.0f} ms"
        print(f"  with --autolog: {side[0] * 1e3:.0f} ms, x{side[0] / wall:.2f}; CPU x{side[1] / cpu:.2f}, {added}")


if __name__ == "__main__":
    sys.exit(main())
