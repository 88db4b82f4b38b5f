from __future__ import annotations

import ctypes
import logging
import tempfile
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nbmlops.runtime.handover.bound import bound_to_process
from nbmlops.runtime.handover.sharing import CannotStore, Walk


class Thing:
    pass


class Pair(ctypes.Structure):
    _fields_ = (("a", ctypes.c_int), ("b", ctypes.c_int))


THING, WATCHED = Thing(), Thing()


def logger() -> logging.Logger:
    made = logging.getLogger("of the notebook")
    made.addHandler(logging.NullHandler())
    return made


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: weakref.proxy(WATCHED), "it is a weak reference, which pickle takes for the object itself"),
        (lambda: weakref.finalize(WATCHED, int), "it does something when another object goes or its process ends"),
        (logger, "its handlers, filters and level are those of its process"),
        (lambda: iter({1: 2}), "it goes over an object that may change meanwhile"),
        (lambda: iter({1, 2}), "it goes over an object that may change meanwhile"),
        (lambda: Pair.from_buffer(bytearray(8)), "it is over the memory of another object"),
    ],
)
def test_what_lives_in_its_process_only(make: Callable[[], Any], reason: str) -> None:
    value = make()
    assert bound_to_process(value) == reason
    with pytest.raises(CannotStore, match=reason):
        Walk([value])


@pytest.mark.parametrize(
    "value", [THING, object(), 1, Pair(1, 2), ctypes.c_int(3), logging.getLogger(), logging.getLogger("pytest"), Thing]
)
def test_what_pickle_says_rightly(value: Any) -> None:
    assert bound_to_process(value) == ""


def test_errors_that_were_raised() -> None:
    with pytest.raises(ValueError, match="x") as raised:
        int("x")
    assert bound_to_process(raised.value) == "its traceback shows frames of its process"
    assert bound_to_process(ValueError("x")) == ""


def test_arrays_over_a_file_that_they_write(tmp_path: Path) -> None:
    made = np.memmap(tmp_path / "m.dat", dtype="f4", mode="w+", shape=(3,))
    read = np.memmap(tmp_path / "m.dat", dtype="f4", mode="r")
    arrays = [made, made[1:], np.asarray(made)[::2], np.array(made), read, made + 1]
    assert [bool(bound_to_process(array)) for array in arrays] == [True, True, True, False, False, False]


def test_a_temporary_folder_goes_with_its_process() -> None:
    with tempfile.TemporaryDirectory() as path:
        assert bound_to_process(path) == ""
    made = tempfile.TemporaryDirectory()
    assert bound_to_process(made) == "its folder is removed when its process ends"
    made.cleanup()
