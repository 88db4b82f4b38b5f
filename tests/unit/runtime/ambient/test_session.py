"""Parts of the ambient state, each through two processes: what one changes, the other has, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

PROGRAM = """
import json, os, sys
from pathlib import Path
from nbmlops.runtime.ambient.session import AmbientSession, identity_of, read, written

root, given, shared, before, code, ask = json.loads(sys.stdin.read())
os.chdir(Path(root) / "notebooks")
session, names = AmbientSession(), {}
session.open(Path.cwd(), Path(root), "case", {part: read(text.encode()) for part, text in given.items()})
session.prepare(Path.cwd())
exec(before, names)
exec(shared, names)
session.begin()
exec(code, names)
answer = eval(ask, names) if ask else None
changed = session.end()
print(json.dumps({
    "changed": {part: written(items).decode() for part, items in changed.items()},
    "items": {part: {name: item.body for name, item in items.items()} for part, items in changed.items()},
    "identities": {part: identity_of(items) for part, items in changed.items()},
    "forms": sorted({item.form.value for items in changed.values() for item in items.values()}),
    "seen": session.seen(),
    "modules": sorted(set(sys.modules) & {"numpy", "pandas", "matplotlib", "sklearn", "torch"}),
    "answer": answer,
}))
"""


def process(root: Path, code: str = "", ask: str = "", **more: Any) -> dict[str, Any]:
    """Runs a step's code in a process of its own; `given` is what the step before changed."""
    (root / "notebooks").mkdir(exist_ok=True)
    request = [str(root), more.get("given", {}), more.get("shared", ""), more.get("before", ""), dedent(code), ask]
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM], input=json.dumps(request), capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return found


CHANGES = {
    "pandas options": ("pandas", "pandas.options.display.max_rows = 7"),
    "numpy settings": (
        "numpy",
        "numpy.set_printoptions(precision=3)\nnumpy.seterr(all='raise')\nnumpy.setbufsize(16000)",
    ),
    "matplotlib settings": (
        "matplotlib",
        "matplotlib.rcParams.update({'font.size': 4, 'lines.dash_capstyle': 'round'})",
    ),
    "scikit-learn configuration": ("sklearn", "sklearn.set_config(display='text')"),
    "decimal context": ("decimal", "decimal.getcontext().prec = 5"),
    "locale": ("locale", "locale.setlocale(locale.LC_TIME, 'C.UTF-8')"),
    "interpreter settings": ("sys", "sys.setrecursionlimit(3456)"),
    "environment variables": ("os", "os.environ['NB_A'] = 'x'\nos.environ.pop('HOME', None)"),
    "import path": ("sys", "sys.path[:] = [*dict.fromkeys([*sys.path, '../lib'])]"),
    "working directory": ("os", "os.chdir('/')"),
    "warning filters": ("warnings", "warnings.simplefilter('error')"),
    "logging": ("logging", "logging.getLogger('x').setLevel(7)\nlogging.disable(3)"),
}
FOUND = {
    "pandas options": ("pandas.get_option('display.max_rows')", 7),
    "numpy settings": (
        "[numpy.get_printoptions()['precision'], numpy.geterr()['under'], numpy.getbufsize()]",
        [3, "raise", 16000],
    ),
    "matplotlib settings": ("[matplotlib.rcParams[n] for n in ('font.size', 'lines.dash_capstyle')]", [4.0, "round"]),
    "scikit-learn configuration": ("sklearn.get_config()['display']", "text"),
    "decimal context": ("decimal.getcontext().prec", 5),
    "locale": ("locale.setlocale(locale.LC_TIME)", "C.UTF-8"),
    "interpreter settings": ("sys.getrecursionlimit()", 3456),
    "environment variables": ("[os.environ.get('NB_A'), 'HOME' in os.environ]", ["x", False]),
    "import path": ("sys.path[-1]", "../lib"),
    "working directory": ("os.getcwd()", "/"),
    "warning filters": ("warnings.filters[0][0]", "error"),
    "logging": ("[logging.getLogger('x').level, logging.root.manager.disable]", [7, 3]),
}


@pytest.mark.parametrize("part", CHANGES)
def test_a_part_is_changed_in_one_process_and_there_in_the_next(tmp_path: Path, part: str) -> None:
    module, code = CHANGES[part]
    ask, answer = FOUND[part]
    first = process(tmp_path, code, before=f"import {module}")
    assert list(first["changed"]) == [part]
    second = process(tmp_path, "", ask, before=f"import {module}", given=first["changed"])
    assert (second["answer"], second["changed"]) == (answer, {}), "what was put back is no change of the step"
    assert part in second["seen"]
    third = process(tmp_path, code, before=f"import {module}", given=first["changed"])
    assert third["changed"] == {}, "to set it once more changes nothing"


def test_nothing_is_loaded_to_look_and_nothing_is_changed_by_imports(tmp_path: Path) -> None:
    empty = process(tmp_path)
    assert (empty["changed"], empty["modules"]) == ({}, [])
    imports = "import numpy, pandas, matplotlib, sklearn.linear_model, logging.config, decimal"
    assert process(tmp_path, before=imports)["changed"] == {}
    late = process(tmp_path, imports)["changed"]
    assert {"pandas options", "numpy settings", "matplotlib settings", "scikit-learn configuration"}.isdisjoint(late)


def test_settings_wait_for_a_library_that_the_step_imports_itself(tmp_path: Path) -> None:
    first = process(tmp_path, "pd.options.display.max_rows = 7", before="import pandas as pd")
    second = process(tmp_path, "x = 1", given=first["changed"])
    assert (second["modules"], "pandas options" in second["seen"]) == ([], False)
    third = process(
        tmp_path,
        "import importlib.util\nimportlib.util.find_spec('pandas')\nimport pandas\nspec = pandas.__spec__.loader",
        "[pandas.get_option('display.max_rows'), type(spec).__name__]",
        given=first["changed"],
    )
    assert third["answer"] == [7, "SourceFileLoader"]
    assert "pandas options" not in third["changed"]


def test_shared_settings_do_not_win_over_what_a_step_set(tmp_path: Path) -> None:
    shared = "import pandas as pd\npd.set_option('display.max_rows', 4)\npd.set_option('display.width', 50)"
    first = process(tmp_path, "pd.reset_option('display.max_rows')", shared=shared)
    ask = "[pd.get_option('display.max_rows'), pd.get_option('display.width')]"
    second = process(tmp_path, ask=ask, shared=shared, given=first["changed"])
    assert second["answer"] == [60, 50]


def test_filters_of_a_library_that_only_a_later_process_imports_stay(tmp_path: Path) -> None:
    first = process(tmp_path, "import warnings\nwarnings.simplefilter('ignore')")
    library = "import warnings\nwarnings.filterwarnings('always', module='lib')"
    second = process(
        tmp_path,
        "import warnings",
        "[f[0] for f in warnings.filters[:2]]",
        before=library,
        given=first["changed"],
    )
    assert second["answer"] == ["always", "ignore"]
    reset = process(tmp_path, "import warnings\nwarnings.resetwarnings()")
    third = process(tmp_path, "import warnings", "len(warnings.filters)", given=reset["changed"])
    assert third["answer"] == 0


def test_paths_in_the_project_are_seen_from_the_notebook(tmp_path: Path) -> None:
    code = (
        "import os, sys\nsys.path.insert(0, os.path.abspath('../lib'))\nos.chdir('..')\nsys.path.append('/elsewhere')"
    )
    found = []
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        found.append(process(tmp_path / name, code))
    assert found[0]["identities"] == found[1]["identities"]
    moved = process(
        tmp_path / "there", "import os, sys", "[sys.path[0], sys.path[-2], os.getcwd()]", given=found[0]["changed"]
    )
    there = tmp_path / "there"
    assert moved["answer"] == [str(there / "lib"), "/elsewhere", str(there)]


def test_variables_that_libraries_read_once_come_no_earlier_than_they_did(tmp_path: Path) -> None:
    early = process(tmp_path, "import os\nos.environ['OMP_NUM_THREADS'] = '7'")
    late = process(tmp_path, "import os\nos.environ['OMP_NUM_THREADS'] = '7'", before="import numpy")
    look = "import os\nseen = os.environ.get('OMP_NUM_THREADS')"
    for first, seen in ((early, "7"), (late, None)):
        second = process(
            tmp_path, "import os", "[seen, os.environ['OMP_NUM_THREADS']]", before=look, given=first["changed"]
        )
        assert second["answer"] == [seen, "7"]


def test_handlers_are_made_anew(tmp_path: Path) -> None:
    code = """
    import logging, sys
    log = logging.getLogger("x")
    log.addHandler(logging.FileHandler("x.log", "w"))
    log.handlers[0].setFormatter(logging.Formatter("{message}!", style="{"))
    log.addHandler(logging.StreamHandler(sys.stdout))
    log.addHandler(logging.NullHandler())
    log.warning("one")
    """
    first = process(tmp_path, code)
    ask = "[[type(h).__name__ for h in log.handlers], open('x.log').read()]"
    second = process(
        tmp_path, "import logging\nlog = logging.getLogger('x')\nlog.warning('two')", ask, given=first["changed"]
    )
    assert second["answer"] == [["FileHandler", "StreamHandler", "NullHandler"], "one!\ntwo!\n"]
    third = process(tmp_path, "import logging\nlogging.getLogger('x').handlers.clear()", given=first["changed"])
    ask = "__import__('logging').getLogger('x').handlers"
    assert process(tmp_path, ask=ask, given={**first["changed"], **third["changed"]})["answer"] == []
    odd = process(tmp_path, "import io, logging\nlogging.root.addHandler(logging.StreamHandler(io.StringIO()))")
    assert odd["forms"] == ["unstorable"]


TORCH = """
import sys, types

class Tensor(list):
    def tolist(self):
        return list(self)

torch = types.ModuleType("torch")
torch.state, torch.uint8 = Tensor([1, 2]), "uint8"
torch.get_rng_state = lambda: torch.state
torch.tensor = lambda values, dtype: Tensor(values)
torch.set_rng_state = lambda state: setattr(torch, "state", state)
torch.cuda = types.SimpleNamespace(is_initialized=lambda: False)
torch.dtype, torch.float32, torch.float64 = "torch.float32", "torch.float32", "torch.float64"
torch.get_default_dtype = lambda: torch.dtype
torch.set_default_dtype = lambda dtype: setattr(torch, "dtype", dtype)
torch.get_default_device = lambda: "cpu"
torch.set_default_device = lambda device: None
torch.is_grad_enabled = lambda: torch.__dict__.get("grad", True)
torch.set_grad_enabled = lambda on: setattr(torch, "grad", on)
torch.are_deterministic_algorithms_enabled = lambda: torch.__dict__.get("sure", False)
torch.is_deterministic_algorithms_warn_only_enabled = lambda: torch.__dict__.get("warn", False)

def sure(on, warn_only):
    torch.sure, torch.warn = on, warn_only

torch.use_deterministic_algorithms = sure
"""


def test_torch_as_far_as_its_functions_go(tmp_path: Path) -> None:
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "torch.py").write_text(f"{TORCH}\nsys.modules['torch'] = torch\n")
    code = """
    import sys
    import torch
    torch.set_rng_state(torch.tensor([7, 8], torch.uint8))
    torch.set_default_dtype(torch.float64)
    torch.set_grad_enabled(False)
    torch.use_deterministic_algorithms(True, warn_only=True)
    """
    path = "import sys\nsys.path.insert(0, '.')"
    first = process(tmp_path, code, before=path)
    assert sorted(first["changed"]) == ["torch random state", "torch settings"]
    second = process(
        tmp_path,
        "import torch",
        "[torch.state, torch.dtype, torch.is_grad_enabled(), torch.sure, torch.warn]",
        before=path,
        given=first["changed"],
    )
    assert second["answer"] == [[7, 8], "torch.float64", False, True, True]
    assert (second["changed"], "torch random state" in second["seen"]) == ({}, False)
