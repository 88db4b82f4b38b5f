"""Imports below a change of what importing depends on: code of their step, whose names are data."""

from __future__ import annotations

import pytest

from nbmlops.analysis.analyze import analyze

PATH = "import sys\nsys.path.append('lib')\n"


@pytest.mark.parametrize(
    ("source", "in_place"),
    [
        (PATH + "import own", True),
        (PATH + "from own.deep import x as own", True),
        ("import sys\nsys.path += ['lib']\nimport own", True),
        ("import sys as s\ns.path[:0] = ['lib']\nimport own", True),
        ("from os import chdir\nchdir('..')\nimport own", True),
        ("import os\nif True:\n    os.environ.update(A='1')\nimport own", True),
        ("import os\nos.environ['OMP_NUM_THREADS'] = '1'\nimport numpy as own", True),
        ("import os\nos.environ['OTHER'] = '1'\nimport numpy as own", False),
        (PATH + "import numpy as own", False),
        (PATH + "import json as own", False),
        ("import own\n" + PATH, False),
        ("import sys\nsys.path.count('lib')\nimport own", False),
        ("import os\nos.environ.get('A')\nimport own", False),
        ("import own\n" + PATH + "import own", False),
    ],
)
def test_which_imports_run_in_place(build, source, in_place):
    found = analyze(build(("step:a", source), ("step:b", "print(own)")))
    assert found.diagnostics == ()
    assert ("own" in found.steps[0].outputs, "own" in {i.name for i in found.imports}) == (in_place, not in_place)


def test_shared_cells(build):
    literal = analyze(build(("imports", PATH + "import own"), ("step:a", "print(own)")))
    assert ([step.name for step in literal.steps], len(literal.environment)) == (["a"], 1)
    made = analyze(
        build(("imports", "import sys\nlib = ['lib']\nsys.path += lib\nimport own"), ("step:a", "print(own)"))
    )
    assert [(step.name, step.outputs) for step in made.steps] == [("setup", ("own",)), ("a", ())]
    function = "import sys\ndef find():\n    sys.path.append('lib')"
    called = analyze(build(("functions", function), ("step:a", "find()\nimport own"), ("step:b", "print(own)")))
    assert called.steps[0].outputs == ("own",)
