from __future__ import annotations

from nbmlops.runtime.facts import kernel_environment


def test_the_hash_seed_is_fixed_and_thread_numbers_are_left_as_they_are() -> None:
    assert kernel_environment({"PATH": "/bin"}) == {"PYTHONHASHSEED": "0"}
    assert kernel_environment({"PYTHONHASHSEED": "random"}) == {"PYTHONHASHSEED": "0"}
    assert kernel_environment({"PYTHONHASHSEED": "7", "OMP_NUM_THREADS": "2"}) == {
        "PYTHONHASHSEED": "7",
        "OMP_NUM_THREADS": "2",
    }
