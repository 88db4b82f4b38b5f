import pytest

from nbmlops.pipeline.demands import Resources, StepDemands, delay, memory_bytes, pipeline_faults, step_faults


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("512MiB", 512 << 20),
        ("4GB", 4_000_000_000),
        ("2Gi", 2 << 30),
        ("1.5G", 1_500_000_000),
        ("700", 700),
        ("1K", 1000),
    ],
)
def test_memory_is_said_in_binary_or_decimal_units(text: str, size: int) -> None:
    assert memory_bytes(text) == size


@pytest.mark.parametrize("text", ["", "GiB", "-1G", "4 gigabytes", "1e9", "4PiB", "nan"])
def test_other_texts_mean_no_memory(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - its text is the value
        memory_bytes(text)


def test_each_further_try_waits_twice_as_long() -> None:
    assert [delay(5.0, tries) for tries in (1, 2, 3, 4)] == [5.0, 10.0, 20.0, 40.0]


def test_sensible_demands_have_no_faults() -> None:
    asked = StepDemands(2, 5.0, 600.0, Resources(0.5, "4GiB", 1))
    assert list(step_faults(asked)) == list(step_faults(StepDemands())) == []
    assert list(pipeline_faults("*/5 6-8 1,15 * MON", ("DB_PASSWORD",))) == list(pipeline_faults("", ())) == []


def test_every_fault_is_named_by_its_key() -> None:
    asked = StepDemands(-1, float("nan"), 0.0, Resources(float("inf"), "much", -1))
    assert [key for key, _ in step_faults(asked)] == ["retries", "backoff", "timeout", "cpu", "gpu", "memory"]


@pytest.mark.parametrize("schedule", ["daily", "* * * *", "* * * * $(id)", "0 6 * * 1\n", "0  6 * * 1"])
def test_a_schedule_is_five_fields_of_cron(schedule: str) -> None:
    assert [key for key, _ in pipeline_faults(schedule, ())] == ["schedule"]


def test_a_secret_is_named_and_never_shown() -> None:
    [(key, message)] = pipeline_faults("", ("hunter2!",))
    assert key == "secrets"
    assert "hunter2" not in message
