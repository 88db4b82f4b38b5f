"""Warm steps through the runner: what they find, store, show and depend on is what cold ones do."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from nbmlops.runtime.handover.values import load_value
from nbmlops.runtime.schedule.events import Event, StartedCold
from nbmlops.runtime.schedule.results import StepsResult
from tests.integration.test_runtime import Sketch, run, write_pipeline

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="steps start warm on Linux only")]

SETUP = Sketch("setup", "import os\nfirst = os.getppid()", outputs=("first",))
FACTS = Sketch(
    "facts",
    """
    import os, random, resource, signal, sys, warnings
    def process():
        return {
            "modules": sorted(name for name in sys.modules if not name.startswith("nbmlops")),
            "variables": {n: v for n, v in os.environ.items() if not n.startswith(("JPY_", "NBMLOPS_STEP"))},
            # IPython's threads open and close `catch_warnings` while it starts: whether its own filter or Python's
            # for `__main__` is in front is chance, in cold kernels, too.
            "filters": sorted({" ".join(str(getattr(part, "pattern", part)) for part in f) for f in warnings.filters}),
            "path": sys.path,
            "arguments": sys.argv[:2],
            "folder": os.getcwd(),
            "signals": [str(signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)],
            "limits": [sys.getrecursionlimit(), resource.getrlimit(resource.RLIMIT_NOFILE)],
            "session": os.getsid(0) == os.getpgid(0) == os.getpid(),
            "files": sorted(os.readlink(f"/proc/self/fd/{n}").split(":")[0].split("#")[0] for n in (0,)),
            "random": random.random(),
        }
    before = process()
    import numpy as np
    import pandas as pd
    import matplotlib.pyplot as plt
    from sklearn.decomposition import PCA
    from sklearn.ensemble import RandomForestClassifier
    from threadpoolctl import threadpool_info
    rng = np.random.rand(200, 40)
    forest = RandomForestClassifier(9, n_jobs=2, random_state=1).fit(rng, rng[:, 0] > 0.5)
    learnt = RandomForestClassifier(2, random_state=1).fit(pd.DataFrame(rng).add_prefix("c"), rng[:, 0] > 0.5)
    after = process() | {
        "features": learnt.feature_names_in_.tolist(),
        "pools": sorted((p["internal_api"], p["num_threads"]) for p in threadpool_info()),
        "product": (rng.T @ rng).tobytes(),
        "parts": PCA(5).fit_transform(rng).tobytes(),
        "forest": forest.predict_proba(rng).tobytes(),
        "frame": pd.DataFrame(rng).describe(),
        "shown": str(pd.DataFrame(rng)),
        "order": [text for text in map(str, warnings.filters) if "numpy" in text or "scipy" in text],
        "backend": plt.get_backend(),
        "drawn": len(plt.hist(rng[:, 0])[0]),
    }
    held = {
        f"{name}.{key}": repr(value)
        for name, module in list(sys.modules.items())
        for key, value in list(getattr(module, "__dict__", {}).items())
        if type(value) in (int, float, bool, str, bytes, type(None)) and not name.startswith("nbmlops")
    }
    parent = os.getppid()
    plt.show()
    """,
    inputs={"first": "setup"},
    outputs=("before", "after", "held", "parent"),
)


# Addresses, times, names made from process numbers, and the last element of a loop over a set of functions.
CHANCE = re.compile(
    r"_?ctypes\.|_pydev|debugpy\.|logging\._startTime|joblib\._multiprocessing_helpers\.name"
    r"|numpy\.f2py\.rules\.generationtime|scipy\.sparse\._data\.name"
)


def unequal(left: dict[str, str], right: dict[str, str]) -> dict[str, tuple[str | None, str | None]]:
    names = (name for name in left.keys() | right.keys() if left.get(name) != right.get(name))
    return {name: (left.get(name), right.get(name)) for name in names if not CHANCE.match(name)}


def executed(folder: Path, result: StepsResult) -> list[Any]:
    shown = []
    for step in result.steps:
        cells = json.loads((folder.parents[1] / step.notebook).read_text())["cells"]
        shown.append([(cell["source"], cell["outputs"]) for cell in cells])
    return shown


def records(folder: Path) -> list[Any]:
    """What the runner keeps of the steps, but for what tells runs apart."""
    found = []
    for path in sorted((folder.parents[1] / ".nbmlops" / "state").rglob("*.json")):
        record = json.loads(path.read_text())["records"][0]
        found.append({name: part for name, part in record.items() if name not in {"run", "notebook", "seconds"}})
    return found


def test_a_warm_step_finds_and_leaves_what_a_cold_one_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBMLOPS_RANDOM_SEED", "7")
    folder = write_pipeline(tmp_path, [SETUP, FACTS])
    names = ("before", "after", "held")
    events: list[Event] = []

    cold = run(folder, warm=False)
    cold_values = {name: load_value(folder, cold, name) for name in names}
    kept, shown = records(folder), executed(folder, cold)
    assert load_value(folder, cold, "parent") == os.getpid()

    warm = run(folder, events, force=True)
    assert not [event for event in events if isinstance(event, StartedCold)]
    assert load_value(folder, warm, "parent") not in {os.getpid(), 1}
    assert unequal(load_value(folder, warm, "held"), cold_values["held"]) == {}
    for name in names[:2]:
        values = load_value(folder, warm, name)
        assert values.keys() == cold_values[name].keys()
        for key, value in values.items():
            expected = cold_values[name][key]
            if key == "frame":
                assert value.equals(expected)
            else:
                assert value == expected, (name, key)
    assert executed(folder, warm) == shown
    for before, after in zip(kept, records(folder), strict=True):
        for one in (before, after):
            assert one["outcome"].pop("peak") > 0  # memory, which differs from process to process
            for value in one["outcome"]["values"]:
                if value["name"] in {"parent", "held"}:  # all that a step can tell, and what is chance
                    value.clear()
                # Equal values may be pickled to different bytes: which of their texts are one object is chance.
                value.pop("object", None)
                value.pop("size", None)
        assert after == before


def test_steps_whose_environment_was_changed_before_their_imports_start_cold(tmp_path: Path) -> None:
    change = Sketch("change", "import os\nimport numpy\nos.environ['MINE'] = 'x'\nfirst = 1", outputs=("first",))
    after = Sketch("after", "import os\nparent, mine = os.getppid(), os.environ['MINE']", outputs=("parent", "mine"))
    folder = write_pipeline(tmp_path, [SETUP, change, after])
    result = run(folder)
    assert (load_value(folder, result, "parent"), load_value(folder, result, "mine")) == (os.getpid(), "x")


def test_a_library_that_starts_threads_makes_steps_start_cold_and_is_named(tmp_path: Path) -> None:
    (tmp_path / "joblib.py").write_text(
        "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n"
    )
    use = Sketch("use", "import os\nimport joblib\nparent = os.getppid()", outputs=("parent",))
    folder = write_pipeline(tmp_path, [SETUP, use])
    events: list[Event] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *filter(None, sys.path)]))
        result = run(folder, events)
    assert load_value(folder, result, "parent") == os.getpid()
    told = [event for event in events if isinstance(event, StartedCold)]
    assert told == [StartedCold("its imports have started 1 thread")]
