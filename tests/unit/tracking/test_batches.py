from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nbmlops.pipeline.run_record import MetricValue
from nbmlops.tracking.batches import Batch, cut_batches

pairs = st.lists(st.tuples(st.text(min_size=1, max_size=5), st.text(max_size=5)), max_size=250)


def test_what_fits_is_one_batch_and_nothing_is_none() -> None:
    metric = MetricValue("auc", 0.8)
    assert list(cut_batches([("a", "1")], [metric], [("t", "x")])) == [Batch((("a", "1"),), (metric,), (("t", "x"),))]
    assert list(cut_batches([], [], [])) == []


def test_long_values_are_cut_by_their_bytes() -> None:
    params = [(f"p{index}", "é" * 6000) for index in range(60)]
    batches = list(cut_batches(params, [], []))
    assert [len(batch.params) for batch in batches] == [24, 24, 12]
    assert [pair for batch in batches for pair in batch.params] == params


@given(pairs, st.lists(st.text(min_size=1, max_size=5), max_size=2000), pairs)
def test_batches_hold_everything_once_in_order_and_keep_the_limits(
    params: list[tuple[str, str]], names: list[str], tags: list[tuple[str, str]]
) -> None:
    metrics = [MetricValue(name, 1.0, step) for step, name in enumerate(names)]
    batches = list(cut_batches(params, metrics, tags))
    assert [pair for batch in batches for pair in batch.params] == params
    assert [metric for batch in batches for metric in batch.metrics] == metrics
    assert [pair for batch in batches for pair in batch.tags] == tags
    for batch in batches:
        assert len(batch.params) <= 100
        assert len(batch.tags) <= 100
        assert 0 < len(batch.params) + len(batch.tags) + len(batch.metrics) <= 1000
