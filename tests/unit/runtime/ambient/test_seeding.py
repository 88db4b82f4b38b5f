"""The fixed first state of the global generators, each time in a process of its own."""

from __future__ import annotations

import os
import random
import subprocess
import sys

import numpy as np
import pytest

from nbmlops.runtime.ambient.seeding import SEED_VARIABLE

DRAW = "import random, numpy\nprint(random.random(), numpy.random.rand())"


def printed(code: str, seed: str | None) -> str:
    environment = {name: value for name, value in os.environ.items() if name != SEED_VARIABLE}
    environment |= {SEED_VARIABLE: seed} if seed is not None else {}
    command = [sys.executable, "-c", f"from nbmlops.runtime.ambient.seeding import seed_generators\n{code}"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    "code",
    [
        f"seed_generators()\n{DRAW}",
        f"import numpy.random\nseed_generators()\n{DRAW}",
        f"seed_generators()\nimport pandas\n{DRAW}",
    ],
    ids=["numpy comes later", "numpy is there", "numpy comes with another library"],
)
def test_both_generators_begin_with_the_state_that_the_seed_makes(code: str) -> None:
    expected = f"{random.Random(7).random()} {np.random.RandomState(7).rand()}\n"
    assert printed(code, "7") == expected


@pytest.mark.parametrize("seed", [None, "", "random"])
def test_without_a_seed_they_begin_with_entropy(seed: str | None) -> None:
    code = f"seed_generators()\n{DRAW}"
    assert printed(code, seed) != printed(code, seed)
