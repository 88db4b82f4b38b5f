"""What a model costs whoever serves it: bytes of its stored form, and time of one answer."""

from __future__ import annotations

import time
from statistics import median
from typing import Any

from nbmlops.registry.model_format import dumped

_TRIES = 30


def model_bytes(model: object) -> int:
    """Returns the size of a model in the format in which it is registered.

    Raises:
        UsageError: it is no scikit-learn estimator, or cannot be written without pickle.
    """
    return len(dumped(model))


def latency_ms(model: Any, rows: Any) -> float:
    """Returns the median time in milliseconds that the model takes for one row alone.

    Args:
        model: The fitted model.
        rows: A sample of its features, of which one row after the other is asked for.
    """
    predict = getattr(model, "predict_proba", None) or model.predict
    times = []
    for number in range(_TRIES):
        place = number % len(rows)
        one = rows[place : place + 1]
        begun = time.perf_counter()
        predict(one)
        times.append(time.perf_counter() - begun)
    return 1000 * median(times)
