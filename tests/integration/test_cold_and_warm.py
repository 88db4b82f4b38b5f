"""What runs leave is the same to the byte whether their steps start cold or warm, each over an empty store.

Put aside are the fields that tell runs apart: the name of the run (`run`, and the folder in `notebook`), how long a
step took (`seconds`), its memory (`peak`), and when a file that it read was last changed (the last field of `files`).
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import nbformat
import pytest

from nbmlops.app.compiling.compile import CompileRequest, CompileStatus, compile_project
from nbmlops.pipeline.run_record import RunStatus
from nbmlops.runtime.runner import run_pipeline
from nbmlops.runtime.schedule.events import Event, StartedCold
from nbmlops.runtime.schedule.results import RunOptions

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "example_notebooks"
IMPORTS = "import random\n\nimport matplotlib.pyplot as plt\nimport numpy as np\nimport pandas as pd"
MAKE = """rng = np.random.default_rng(3)
np.random.seed(5)
random.seed(7)
grid = rng.normal(size=(300, 4)) + np.random.rand(300, 4)
table = pd.DataFrame(grid, columns=list("abcd")).assign(kind=pd.Categorical(["x", "y", "z"] * 100), name="n" * 3)
table.loc[5, "a"] = np.nan
pd.set_option("display.precision", 3)
plt.rcParams["axes.grid"] = True
view = grid[:, 1]
table.describe()"""
DRAW = """fig, axes = plt.subplots()
axes.plot(np.cumsum(rng.normal(size=50)), label="walk")
axes.legend()
drawn = [random.random(), float(np.random.rand())]
by_kind = table.groupby("kind", observed=True)[["a", "b"]].mean()
plt.show()
by_kind"""
END = """names = {"b", "a", 3, (1, 2)}
view += rng.normal(size=300)
product = grid.T @ grid
print(drawn, table.attrs, sorted(map(str, names)))
table.sample(3)"""


def compiled(root: Path, notebook: Path) -> Path:
    """Returns the folder of the pipeline of a copy of the notebook, in a project of its own."""
    root.mkdir()
    shutil.copy(notebook, root / notebook.name)
    shutil.copytree(ROOT / "schemas", root / "schemas")
    (root / "nbmlops.toml").write_text("")
    outcome = compile_project(CompileRequest(notebook.name, root, targets=("none",)))
    assert outcome.status is CompileStatus.WRITTEN, outcome.compiled.diagnostics
    return root / outcome.out


def left_by(folder: Path, root: Path, *, warm: bool) -> dict[str, Any]:
    """Runs the pipeline and returns all that it left, path by path."""
    events: list[Event] = []
    result = run_pipeline(folder, RunOptions(base=root, warm=warm), events.append)
    assert result.status is RunStatus.SUCCEEDED
    assert [event.reason for event in events if isinstance(event, StartedCold)] == []
    found: dict[str, Any] = {"values": {name: value.ref for name, value in result.values.items()}}
    for path in sorted((root / ".nbmlops").rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.suffix == ".json":
            found[name] = [normal(record) for record in json.loads(path.read_bytes())["records"]]
        elif path.is_file() and path.name != "run.lock":
            found[name] = path.read_bytes()
    for path in result.folder.glob("*.ipynb"):
        cells = json.loads(path.read_bytes())["cells"]
        found[path.name] = [(cell["source"], cell.get("outputs"), cell.get("execution_count")) for cell in cells]
    return found


def normal(record: dict[str, Any]) -> dict[str, Any]:
    kept = {name: part for name, part in record.items() if name not in {"run", "notebook", "seconds"}}
    outcome = record["outcome"]
    return kept | {"outcome": outcome | {"files": [file[:3] for file in outcome["files"]], "peak": 0}}


def test_cold_and_warm_steps_leave_the_same_bytes(tmp_path: Path) -> None:
    notebook = nbformat.v4.new_notebook()
    for tag, source in (("imports", IMPORTS), ("step:make", MAKE), ("step:draw", DRAW), ("step:end", END)):
        notebook.cells.append(nbformat.v4.new_code_cell(source, metadata={"tags": [tag]}, id=tag.replace(":", "")))
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    (tmp_path / "drawn.ipynb").write_text(nbformat.writes(notebook))
    check(tmp_path, tmp_path / "drawn.ipynb")


@pytest.mark.skipif("NBMLOPS_SOAK" not in os.environ, reason="takes minutes: make soak")
@pytest.mark.parametrize("name", sorted(path.stem for path in EXAMPLES.glob("*.ipynb")))
def test_the_examples_leave_the_same_bytes(tmp_path: Path, name: str) -> None:
    check(tmp_path, EXAMPLES / f"{name}.ipynb")


def check(folder: Path, notebook: Path) -> None:
    left = {}
    for kind in ("cold", "warm"):
        pipeline = compiled(folder / kind, notebook)
        left[kind] = left_by(pipeline, folder / kind, warm=kind == "warm")
    assert left["cold"].keys() == left["warm"].keys()
    assert {name for name, content in left["cold"].items() if left["warm"][name] != content} == set()
