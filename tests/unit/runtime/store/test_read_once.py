from __future__ import annotations

import pickle

import numpy as np

from nbmlops.runtime.store.read_once import private_memory, read_once


def test_what_was_read_is_given_back() -> None:
    content = np.random.default_rng(0).bytes((20 << 20) + 5)
    memory = private_memory(len(content) + 1)
    memory[: len(content)] = content
    file = read_once(memory, len(content))

    first, second = file.read(7), bytearray(16 << 20)
    assert file.readinto(second) == len(second)

    assert first + second == content[: 7 + len(second)]
    assert memory[: 12 << 20] == bytes(12 << 20)  # Linux shows zeros where memory was given back
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
