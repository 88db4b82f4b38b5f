"""Cutting what a step logged into calls that stay under MLflow's limits. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest
from typing import TypeVar

from msgspec import Struct

from nbmlops.pipeline.run_record import MetricValue

Pair = tuple[str, str]
_Entity = TypeVar("_Entity")

# MLflow takes 100 parameters, 100 tags, 1,000 metrics, 1,000 of all and 1,000,000 bytes in one request.
MAX_PAIRS = 100
MAX_METRICS = 800
MAX_BYTES = 300_000  # of each of the three kinds
_OVERHEAD = 80


class Batch(Struct, frozen=True):
    """What one `log_batch` call carries."""

    params: tuple[Pair, ...] = ()
    metrics: tuple[MetricValue, ...] = ()
    tags: tuple[Pair, ...] = ()


def cut_batches(params: Sequence[Pair], metrics: Sequence[MetricValue], tags: Sequence[Pair]) -> Iterator[Batch]:
    """Yields batches that hold everything once and in order: one when it fits, none when there is nothing."""
    kinds = (
        _chunks(params, MAX_PAIRS, _pair_bytes),
        _chunks(metrics, MAX_METRICS, _metric_bytes),
        _chunks(tags, MAX_PAIRS, _pair_bytes),
    )
    for some_params, some_metrics, some_tags in zip_longest(*kinds, fillvalue=()):
        yield Batch(some_params, some_metrics, some_tags)


def _chunks(entities: Sequence[_Entity], most: int, weigh: Callable[[_Entity], int]) -> Iterator[tuple[_Entity, ...]]:
    chunk: list[_Entity] = []
    size = 0
    for entity in entities:
        weight = weigh(entity)
        if chunk and (len(chunk) == most or size + weight > MAX_BYTES):
            yield tuple(chunk)
            chunk, size = [], 0
        chunk.append(entity)
        size += weight
    if chunk:
        yield tuple(chunk)


def _pair_bytes(pair: Pair) -> int:
    return sum(len(text.encode("utf-8", "backslashreplace")) for text in pair) + _OVERHEAD


def _metric_bytes(metric: MetricValue) -> int:
    return len(metric.name.encode("utf-8", "backslashreplace")) + _OVERHEAD
