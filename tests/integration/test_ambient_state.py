"""Settings that steps change, through real kernels: the notebook's outputs, what runs again, plain papermill."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from nbmlops.cli.main import main

Write = Callable[..., None]

CELLS = (
    (["imports"], "import os\nimport sys\nimport warnings\n\nimport numpy as np\nimport pandas as pd"),
    (
        ["step:set"],
        """\
import decimal
pd.set_option("display.max_rows", 4)
pd.options.display.float_format = lambda x: f"{x:.2f}"
np.set_printoptions(precision=2)
np.seterr(divide="ignore")
decimal.getcontext().prec = 5
warnings.simplefilter("error", UserWarning)
os.environ["NB_PLACE"] = "south-harbour"
os.makedirs("made", exist_ok=True)
os.chdir("made")
sys.path.insert(0, os.path.abspath("../lib"))
numbers = [x / 7 for x in range(9)]""",
    ),
    (["step:plain"], "total = sum(numbers)\nprint(round(total, 3))"),
    (
        ["step:tell"],
        """\
import found
print(found.NAME, os.environ["NB_PLACE"], os.path.basename(os.getcwd()), decimal.Decimal(1) / 3)
print(np.array(numbers), np.array([1.0]) / 0)
try:
    warnings.warn("told")
except UserWarning as error:
    print("raised", error)
pd.Series(numbers)""",
    ),
    (
        ["step:plot"],
        """\
import matplotlib.pyplot as plt
plt.rcParams["lines.linewidth"] = 4.5
print(plt.plot(numbers)[0].get_linewidth())""",
    ),
    (["step:end"], "import matplotlib.pyplot as plt\nprint(plt.rcParams['lines.linewidth'], total > 5)"),
    (["step:draw"], "fig, ax = plt.subplots(figsize=(2, 1))\nax.plot([1, 2]);"),
    (["step:again"], "%config InlineBackend.figure_format = 'svg'\nfig"),
    (["step:once-more"], "fig"),
)


def _outputs(notebook: Path) -> list[str]:
    """Returns what the cells show, as text, standard error left out."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", ()) if output.get("name") != "stderr"]
    return [
        "".join(output.get("text") or f"{sorted(output['data'])} {output['data']['text/plain']}") for output in outputs
    ]


def _run(folder: Path) -> dict[str, str]:
    """Runs the pipeline; returns step -> why it ran, "" for those that were reused."""
    assert main(["run", "noted", "--format", "json"]) == 0
    latest = max((folder / "runs" / "noted").iterdir(), key=lambda path: path.stat().st_mtime)
    steps = json.loads((latest / "run.json").read_text(encoding="utf-8"))["steps"]
    return {step["name"]: step["reason"] if step["status"] == "executed" else "" for step in steps}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")
def test_settings_reach_the_steps_that_can_see_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, notebook: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "found.py").write_text('NAME = "found"\n')
    notebook(tmp_path / "noted.ipynb", *CELLS)
    plain = [sys.executable, "-m", "papermill", "noted.ipynb", "linear.ipynb", "-k", "python3"]
    subprocess.run(plain, cwd=tmp_path, check=True, capture_output=True)
    assert main(["compile", "noted.ipynb"]) == 0

    first = _run(tmp_path)

    assert set(first.values()) == {"new"}
    latest = next((tmp_path / "runs" / "noted").iterdir())
    executed = [text for path in sorted(latest.glob("*.ipynb")) for text in _outputs(path)]
    assert executed == _outputs(tmp_path / "linear.ipynb")
    documents = [*(tmp_path / "runs").rglob("*.json"), *(tmp_path / ".nbmlops").rglob("*.json")]
    assert len(documents) > len(CELLS)
    assert not [path for path in documents if "south-harbour" in path.read_text(encoding="utf-8")]

    changed = [(tags, source.replace("max_rows", "min_rows")) for tags, source in CELLS]
    notebook(tmp_path / "noted.ipynb", *changed)
    assert main(["compile", "noted.ipynb"]) == 0
    assert _run(tmp_path) == {
        "set": "code changed",
        "plain": "",
        "tell": "pandas options changed",
        "plot": "",
        "end": "",
        "draw": "",
        "again": "",
        "once-more": "",
    }

    record = json.loads((tmp_path / ".nbmlops" / "state" / "noted" / "set.json").read_text(encoding="utf-8"))
    address = record["records"][0]["outcome"]["settings"]["numpy settings"]["object"]
    (stored,) = (tmp_path / ".nbmlops").rglob(address[2:])
    stored.write_bytes(b"{}".ljust(stored.stat().st_size))
    changed[3] = (changed[3][0], changed[3][1].replace("np.array(numbers)", "np.array(numbers[:2])"))
    notebook(tmp_path / "noted.ipynb", *changed)
    assert main(["compile", "noted.ipynb"]) == 0
    assert _run(tmp_path)["set"] == "stored value of numpy settings is gone"

    capsys.readouterr()
    out = tmp_path / "alone.ipynb"
    command = [sys.executable, "-m", "papermill", "notebooks/03_tell.ipynb", str(out)]
    subprocess.run(command, cwd=tmp_path / "pipelines" / "noted", check=True, capture_output=True)
    assert _outputs(out)[0] == "found south-harbour made 0.33333\n[0.   0.14] [inf]\nraised told\n"
