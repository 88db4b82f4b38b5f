"""Are the gate's claims as sure as they say? Models are made on the border of a claim, judged, and the passes counted.

    python benchmarks/gate_simulation.py            # 2,000 pairs of models for each metric, about 5 minutes
    python benchmarks/gate_simulation.py 400 500    # 400 pairs, on 500 rows each
    python benchmarks/gate_simulation.py time       # one rule on 100,000 rows and 20 slices

Two models are drawn whose true metrics differ by exactly the margin, so that the claim is false, if only just: at a
confidence of 95 % one pair in twenty may pass. The true metrics are known from how the pairs are drawn.
"""

# ruff: noqa: TID253 - a script that computes from its first line on
from __future__ import annotations

import math
import sys
import time

import numpy as np
from scipy.stats import binomtest, norm

from nbmlops.core.estimates import MEASURES
from nbmlops.data.held_out.mcnemar import mcnemar
from nbmlops.data.held_out.resampling import Plan, Sides, estimate

RESAMPLES = 1000
POSITIVE = 0.3
MARGIN = 0.02


def labels(generator: np.random.Generator, rows: int, margin: float) -> Sides:
    """Returns two related classifiers: the baseline is right with 0.8, the candidate with 0.8 minus the margin."""
    truth = (generator.random(rows) < POSITIVE).astype("int8")
    shared = generator.random(rows) < 0.5  # half of the rows are decided by the same draw
    luck, other = generator.random(rows), generator.random(rows)
    baseline = np.where(luck < 0.8, truth, 1 - truth)
    candidate = np.where(np.where(shared, luck, other) < 0.8 - margin, truth, 1 - truth)
    return Sides(truth, candidate, baseline)


def ranks(generator: np.random.Generator, rows: int, margin: float) -> Sides:
    """Returns two scores whose AUC is 0.75 and 0.75 minus the margin: normal, with correlated noise."""
    truth = (generator.random(rows) < POSITIVE).astype("int8")
    noise, own = generator.normal(size=rows), generator.normal(size=rows)
    distances = [math.sqrt(2) * float(norm.ppf(auc)) for auc in (0.75, 0.75 - margin)]
    baseline = distances[0] * truth + noise
    candidate = distances[1] * truth + 0.8 * noise + 0.6 * own
    return Sides(truth, candidate, baseline)


def means(generator: np.random.Generator, rows: int, margin: float) -> Sides:
    """Returns two predictions whose mean absolute error is 1 and 1 plus the margin, with heavy tails."""
    truth = generator.normal(size=rows)
    shared = generator.standard_t(5, size=rows)
    own = generator.standard_t(5, size=rows)
    unit = 8 * math.sqrt(5) / (4 * math.sqrt(math.pi) * math.gamma(2.5)) / 2  # the mean of |t| with 5 degrees
    mixed = np.where(generator.random(rows) < 0.5, shared, own)
    return Sides(truth, truth + mixed / unit * (1 + margin), truth + shared / unit)


def passes(measure: str, sides: Sides, margin: float, seed: int) -> bool:
    """Returns whether "not worse by more than the margin" is shown."""
    higher = measure != "mae"
    found = estimate(MEASURES[measure], sides, "", Plan(RESAMPLES, seed), higher=higher)
    return found.low is not None and found.low >= -margin


def simulate(pairs: int, rows: int) -> None:
    """Prints for each metric how many of the pairs on the border pass."""
    print(f"{pairs:,} pairs of models on {rows:,} rows, {RESAMPLES:,} resamples, margin {MARGIN}; nominal 5.0 %")
    for measure, draw in (("accuracy", labels), ("auc", ranks), ("mae", means)):
        count = sum(
            passes(measure, draw(np.random.default_rng([7, number]), rows, MARGIN), MARGIN, number)
            for number in range(pairs)
        )
        report(f"{measure}, not worse, bootstrap", count, pairs)
    count = 0
    for number in range(pairs):
        sides = labels(np.random.default_rng([8, number]), rows, 0.0)
        right, other = sides.truth == sides.candidate, sides.truth == sides.baseline
        count += mcnemar(int((right & ~other).sum()), int((~right & other).sum())) <= 0.05
    report("accuracy, better, McNemar", count, pairs)


def report(name: str, count: int, pairs: int) -> None:
    """Prints a share with its interval."""
    interval = binomtest(count, pairs).proportion_ci(0.95)
    print(f"  {name:32} {count / pairs:6.1%}   (95 % interval {interval.low:.1%} to {interval.high:.1%})")


def measure_time() -> None:
    """Prints what a claim costs on 100,000 rows: all together, and in 20 slices."""
    generator = np.random.default_rng(0)
    rows, slices = 100_000, 20
    truth = (generator.random(rows) < 0.2).astype("int8")
    scores = [1 / (1 + np.exp(1.4 - generator.normal(0.8 * truth, 1.0))) for _ in range(2)]
    sides = Sides(truth, scores[0], scores[1], (0.3, 0.3))
    group = generator.integers(0, slices, rows)
    print(f"{rows:,} rows, {RESAMPLES:,} resamples; CPU seconds")
    for measure in ("auc", "brier", "f1"):
        begun = time.process_time()
        for one in range(slices):
            estimate(MEASURES[measure], sides.on(np.flatnonzero(group == one)), "", Plan(RESAMPLES))
        sliced = time.process_time() - begun
        begun = time.process_time()
        estimate(MEASURES[measure], sides, "", Plan(RESAMPLES))
        print(f"  {measure:6} {slices} slices {sliced:5.2f}   all rows {time.process_time() - begun:5.2f}")


if __name__ == "__main__":
    if sys.argv[1:] == ["time"]:
        measure_time()
    else:
        numbers = [int(text) for text in sys.argv[1:]]
        simulate(*(numbers + [2000, 1000][len(numbers) :]))
