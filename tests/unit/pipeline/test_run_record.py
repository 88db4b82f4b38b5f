from __future__ import annotations

from nbmlops.pipeline.run_record import MetricValue, counting_values


def test_the_last_value_of_the_greatest_step_counts() -> None:
    logged = [MetricValue("loss", 0.9, 0), MetricValue("loss", 0.5, 2), MetricValue("loss", 0.7, 1)]
    again = [MetricValue("loss", 0.4, 2), MetricValue("auc", 0.8), MetricValue("auc", 0.7)]
    assert counting_values(logged) == {"loss": 0.5}
    assert counting_values(logged + again) == {"loss": 0.4, "auc": 0.7}
    assert counting_values([]) == {}
