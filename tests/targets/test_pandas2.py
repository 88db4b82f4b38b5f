"""The fingerprints of frames in pandas 2, in an environment of its own, beside those that are published."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.targets

ROOT = Path(__file__).parents[2]
PYTHON = Path(os.environ["NBMLOPS_TARGETS"]).absolute() / "pandas2" / "bin" / "python"
VECTORS = ROOT / "tests" / "golden" / "fingerprints" / "parts.json"
SCRIPT = """
import json, sys
import numpy as np, pandas as pd, pyarrow as pa
from nbmlops.data.fingerprints.fingerprint import fingerprint_frame
assert pd.__version__.startswith("2."), pd.__version__
found = {}
for recipe in json.load(open(sys.argv[1])):
    one = fingerprint_frame(eval(recipe))
    found[recipe] = {"digest": one.digest, **one.parts.to_json()}
print(json.dumps(found))
"""


def test_pandas_2_gives_the_published_fingerprints() -> None:
    done = subprocess.run(
        [PYTHON, "-c", SCRIPT, VECTORS],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == json.loads(VECTORS.read_text())
