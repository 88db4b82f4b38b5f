from __future__ import annotations

import pytest

from nbmlops.core.errors import EnvironmentFault
from nbmlops.pipeline.demands import Resources
from nbmlops.runtime.executors.placing import asked_for, has, wanted

BIG, PLAIN = {"CPU": 8.0, "MEMORY": 64e9, "GPU": 1.0}, {"CPU": 2.0, "MEMORY": 8e9}


def test_what_a_step_needs_in_the_words_of_workers() -> None:
    assert wanted(Resources(1.5, "4GB", 2)) == {"CPU": 1.5, "MEMORY": 4e9, "GPU": 2.0}
    assert wanted(Resources()) == {}
    assert [has(one, {"MEMORY": 32e9}) for one in (BIG, PLAIN, {})] == [True, False, False]


@pytest.mark.parametrize(
    ("needs", "declared", "asked"),
    [
        (Resources(2, "8GB"), [PLAIN], {"CPU": 2.0, "MEMORY": 8e9}),
        (Resources(2, "8GB"), [{}, {}], {}),  # no worker says what it has: the step goes anywhere
        (Resources(4, "8GB"), [{"CPU": 4.0}, {}], {"CPU": 4.0}),
        (Resources(gpu=1), [PLAIN, BIG], {"GPU": 1.0}),
        (Resources(), [{}], {}),
    ],
)
def test_a_cluster_is_asked_for_what_its_workers_declare(
    needs: Resources, declared: list[dict[str, float]], asked: dict[str, float]
) -> None:
    assert asked_for("train", needs, declared) == asked


@pytest.mark.parametrize(
    ("needs", "message"),
    [
        (Resources(gpu=1), "step 'train' needs a graphics card, and no worker of the cluster declares one"),
        (Resources(4, "8GB"), "step 'train' needs CPU=4, MEMORY=8e+09, and no worker of the cluster declares so much"),
    ],
)
def test_what_no_worker_has_is_refused_instead_of_waiting_for_ever(needs: Resources, message: str) -> None:
    with pytest.raises(EnvironmentFault) as told:
        asked_for("train", needs, [PLAIN, {"CPU": 16.0, "MEMORY": 4e9}])
    assert told.value.message == message
