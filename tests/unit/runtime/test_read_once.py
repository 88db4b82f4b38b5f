from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np

from nbmlops.runtime.read_once import private_memory, read_once


def resident(address: int) -> int:
    """Returns how many KiB of the mapping at an address are in memory."""
    lines = iter(Path("/proc/self/smaps").read_text().splitlines())
    for line in lines:
        first, _, rest = line.partition(" ")
        low, _, high = first.partition("-")
        if high and int(low, 16) <= address < int(high, 16):
            found = next(other for other in lines if other.startswith("Rss:"))
            return int(found.split()[1])
    raise AssertionError(rest)


def test_what_was_read_is_given_back() -> None:
    content = np.random.default_rng(0).bytes((20 << 20) + 5)
    memory = private_memory(len(content) + 1)
    memory[: len(content)] = content
    address = int(np.frombuffer(memory, np.uint8).__array_interface__["data"][0])
    before = resident(address)
    file = read_once(memory, len(content))

    first, second = file.read(7), bytearray(16 << 20)
    assert file.readinto(second) == len(second)  # type: ignore[attr-defined]

    assert first + second == content[: 7 + len(second)]
    assert resident(address) < before - (12 << 10)
    assert file.read() == content[7 + len(second) :]
    assert file.read() == b""


def test_a_pickle_is_loaded_from_it() -> None:
    value = {"a": np.arange(3_000_000), "text": "é" * 5_000_000, "parts": [str(number) for number in range(50_000)]}
    content = pickle.dumps(value, protocol=5)
    memory = private_memory(len(content))
    memory[:] = content

    again = pickle.load(read_once(memory, len(content)))

    np.testing.assert_array_equal(again.pop("a"), value.pop("a"))
    assert again == value
