"""Each test in a process of its own: what is imported and hidden there is nobody else's business."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

MODULES = {
    "loud/__init__.py": "import os, warnings\nos.environ.setdefault('LOUD', 'yes')\n"
    "warnings.filterwarnings('error', module='loud')\nfrom loud.inner import value\n",
    "loud/inner.py": "import helper\nvalue = helper.make()\n",
    "loud/later.py": "import warnings\nwarnings.filterwarnings('always', module='later')\nfrom . import inner\n",
    "drawing.py": "import random\nfirst, second = random.random(), random.getrandbits(8)\n",
    "sowing.py": "import random\nrandom.seed(1)\n",
    "helper.py": "def make():\n    import colorsys\n    return [1]\n",
    "rude.py": "import os\nos.environ['HOME'] = '/nowhere'\n",
}
START = """
import os, sys, warnings
from nbmlops.runtime.kernels.hidden_modules import HiddenModules, ImportRecorder, UnrepeatableImport
from nbmlops.runtime.kernels.import_watch import ImportWatch
import importlib, importlib.util
visible, recorder = set(sys.modules), ImportRecorder()
before = (dict(os.environ), list(warnings.filters))
"""
HIDE = """
with recorder.recording():
    import loud.later
first = loud
del loud
hidden = HiddenModules(recorder, visible)
assert (dict(os.environ), list(warnings.filters)) == before
assert not {"loud", "loud.inner", "loud.later", "helper", "colorsys"} & set(sys.modules)
sys.meta_path.insert(0, hidden)
"""


@pytest.fixture
def check(tmp_path: Path) -> object:
    for name, text in MODULES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)

    def run(program: str) -> None:
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr

    return run


def test_an_import_gives_back_the_module_with_what_it_brings_along_and_changes(check) -> None:
    check(
        START
        + HIDE
        + """
import loud
assert loud is first and loud.value == [1]
assert {"loud", "loud.inner", "helper", "colorsys"} <= set(sys.modules) and "loud.later" not in sys.modules
assert os.environ["LOUD"] == "yes"
assert [entry[0] for entry in warnings.filters[: -len(before[1])]] == ["error"]
assert loud.__spec__.name == "loud" and loud.__spec__.loader is loud.__loader__ is not hidden
assert importlib.util.find_spec("loud") is loud.__spec__
import loud.later
assert [entry[0] for entry in warnings.filters[: -len(before[1])]] == ["always", "error"]
"""
    )


def test_what_was_given_back_is_not_looked_through_again(check) -> None:
    check(
        START
        + HIDE
        + """
all_, known = recorder.needs("loud.later"), recorder.needs("loud")
assert {"loud", "loud.inner", "helper"} <= known < all_
assert recorder.needs("loud.later", known) == all_ - known
"""
    )


def test_what_only_another_module_needs_stays_hidden(check) -> None:
    check(
        START
        + HIDE
        + """
import helper
assert not {"loud", "loud.inner"} & set(sys.modules)
assert "LOUD" not in os.environ
assert list(warnings.filters) == before[1]
"""
    )


def test_who_waits_for_a_module_is_told_also_when_another_one_brings_it(check) -> None:
    check(
        START
        + HIDE
        + """
came = []
watch = ImportWatch(came.append)
watch.wait_for({"helper", "loud.inner", "loud.later"})
import loud
assert sorted(came) == ["helper", "loud.inner"]
assert sys.modules["helper"].__spec__.loader is sys.modules["helper"].__loader__
import loud.later
assert came[-1] == "loud.later"
"""
    )


def test_an_import_takes_as_much_from_the_random_generator_as_it_did(check) -> None:
    check(
        START
        + """
import random
with recorder.recording():
    import drawing
sys.meta_path.insert(0, HiddenModules(recorder, visible))
random.seed(5)
import drawing
state = random.getstate()
random.seed(5)
random.random(), random.getrandbits(8)
assert state == random.getstate()
"""
    )


@pytest.mark.parametrize(
    ("module", "message"),
    [
        ("rude", "importing rude changes environment variables or warning filters"),
        ("sowing", "importing sowing sets the random generator"),
    ],
)
def test_changes_that_cannot_be_repeated_are_refused(check, module: str, message: str) -> None:
    check(
        START
        + f"""
try:
    with recorder.recording():
        import {module}
except UnrepeatableImport as reason:
    assert str(reason) == {message!r}
else:
    raise AssertionError("not refused")
assert dict(os.environ) == before[0]
"""
    )


def test_real_libraries_come_back_as_they_are_loaded_by_themselves(check) -> None:
    use = """
import numpy, pandas, sklearn.ensemble
import pickle
model = sklearn.ensemble.RandomForestClassifier(5, random_state=0).fit([[0], [1]] * 9, [0, 1] * 9)
again = pickle.loads(pickle.dumps(model))
print(sorted(n for n in sys.modules if n.partition(".")[0] in {"numpy", "pandas", "sklearn", "scipy", "joblib"}))
print(again.predict_proba([[0.4]]), list(warnings.filters), sorted(os.environ))
"""
    hide = """
with recorder.recording():
    import numpy, scipy.stats, sklearn.linear_model, sklearn.ensemble, pandas, matplotlib.figure
sys.meta_path.insert(0, HiddenModules(recorder, visible))
"""
    check(
        f"""
import subprocess, sys
from difflib import unified_diff
def told(program):
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
cold, warm = told({START + use!r}), told({START + hide + use!r})
assert len(cold) > 10000 and cold == warm, "".join(unified_diff(cold.split(), warm.split(), lineterm=" "))
"""
    )
