"""A fixed first state of the global random generators, for runs that are to be compared or repeated.

A notebook that seeds nothing begins with fresh entropy, and so does its pipeline. With the variable
`NBMLOPS_RANDOM_SEED` set to a number, both begin with the state that `random.seed` and `numpy.random.seed` make of it.
"""

from __future__ import annotations

import os
import random
import sys

SEED_VARIABLE = "NBMLOPS_RANDOM_SEED"
_NUMPY = "numpy.random"


def seed_generators() -> None:
    """Gives the generators their first state if one is fixed: NumPy's when NumPy is there, which may be later."""
    text = os.environ.get(SEED_VARIABLE, "")
    if not text.isdecimal():
        return
    random.seed(int(text))
    if _NUMPY in sys.modules:
        _seed_numpy(int(text))
        return
    from nbmlops.runtime.kernels.import_watch import ImportWatch  # noqa: PLC0415 - few runs fix a first state

    watch = ImportWatch(lambda _: _seed_numpy(int(text)))
    watch.wait_for({_NUMPY})


def _seed_numpy(seed: int) -> None:
    # Not as an attribute of numpy, which it is only when its import is over.
    sys.modules[_NUMPY].seed(seed % 2**32)
