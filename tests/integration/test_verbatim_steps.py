"""Steps that stand in their notebooks as they are, and coroutines, through real kernels: outputs, errors, papermill."""

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
    ([], "# Odd names"),
    (["imports"], "%load_ext nbmlops\nimport asyncio\n\nimport matplotlib.pyplot as plt\nimport pandas as pd"),
    (["parameters"], 'columns = ["a", "b"]\nfail = False'),
    (
        ["functions"],
        """\
async def fetch(n):
    await asyncio.sleep(0.01)
    return pd.DataFrame({"a": range(n), "b": range(n)})


class Shown:
    def __init__(self, name):
        self.name = name

    def _repr_html_(self):
        return eval(self.name).to_html()

    def __repr__(self):
        return repr(eval(self.name))""",
    ),
    (["step:load"], "df = await fetch(5)\ndf.head(2)"),
    (["step:sum"], "for column in columns:\n    exec(f'total_{column} = df[column].sum()')"),
    (["step:sum"], "plt.figure(figsize=(1, 1))\nplt.plot(df['a']);"),
    (
        ["step:sum"],
        """\
def ratio(x):
    if fail:
        raise ValueError("asked for")
    return x / total_b


fig, ax = plt.subplots(figsize=(1, 1))
ax.plot(df["b"])
ratio(total_a)""",
    ),
    (["step:report"], 'print(total_a)\nShown("df")'),
    (["step:end"], "class Total:\n    fig = fig\n\n\nfig"),
)


def _outputs(notebook: Path) -> list[str]:
    """Returns what the cells show, as text, standard error left out."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", ()) if output.get("name") != "stderr"]
    return [
        "".join(output.get("text") or f"{sorted(output['data'])} {output['data']['text/plain']}") for output in outputs
    ]


def _latest(folder: Path) -> Path:
    return max((folder / "runs" / "odd").iterdir(), key=lambda path: path.stat().st_mtime)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")
def test_cells_that_need_the_namespace_of_a_notebook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, notebook: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    notebook(tmp_path / "odd.ipynb", *CELLS)
    plain = [sys.executable, "-m", "papermill", "odd.ipynb", "linear.ipynb", "-k", "python3"]
    subprocess.run(plain, cwd=tmp_path, check=True, capture_output=True)

    assert main(["compile", "odd.ipynb", "--format", "json"]) == 0
    steps = json.loads(capsys.readouterr().out)["steps"]
    assert {step["name"]: (step["mode"], step["reason"]) for step in steps} == {
        "load": ("function", ""),
        "sum": ("verbatim", "cell 6: `exec` runs code that is not known before"),
        "report": ("verbatim", "cell 4: `eval` runs code that is not known before"),
        "end": ("verbatim", "cell 10: the class body reads and binds 'fig'"),
    }

    assert main(["run", "odd"]) == 0
    executed = [text for path in sorted(_latest(tmp_path).glob("*.ipynb")) for text in _outputs(path)]
    assert executed == _outputs(tmp_path / "linear.ipynb")
    capsys.readouterr()

    assert main(["run", "odd", "--format", "json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert [step["status"] for step in again["steps"]] == ["cached"] * 4

    assert main(["run", "odd", "-p", "fail=true", "--format", "json"]) == 1
    failed = json.loads(capsys.readouterr().out)["steps"][1]
    assert failed["error"] == {
        "name": "ValueError",
        "message": "asked for",
        "cell": 8,
        "line": 3,
        "hint": "",
        "traceback": "Traceback (most recent call last):\n"
        "  odd.ipynb cell 8 line 9, in <module>\n    ratio(total_a)\n"
        '  odd.ipynb cell 8 line 3, in ratio\n    raise ValueError("asked for")\n'
        "ValueError: asked for",
    }

    alone = tmp_path / "alone.ipynb"
    command = [sys.executable, "-m", "papermill", "notebooks/02_sum_step.ipynb", str(alone), "-y", "columns: [b, a]"]
    subprocess.run(command, cwd=tmp_path / "pipelines" / "odd", check=True, capture_output=True)
    assert "1.0" in _outputs(alone)[-2]


@pytest.mark.slow
def test_steps_go_on_after_the_error_of_a_cell_that_is_meant_to_raise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, notebook: Write
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    notebook(
        tmp_path / "odd.ipynb",
        (["step:a", "raises-exception"], "x = 1\nprint(x)\nx.missing\nx = 2"),
        (["step:a"], "x += 10\nx"),
        (["step:b"], "print(x)"),
        (["step:c", "raises-exception"], "missing"),
        (["step:c"], "class Odd:\n    def __repr__(self):\n        raise ValueError('no picture')\nOdd()"),
        (["step:c"], "display(Odd())\nx"),
        (["step:d"], "1 / (x - 11)"),
    )

    assert main(["compile", "odd.ipynb"]) == 0
    assert main(["run", "odd"]) == 1

    shown = {}
    for path in sorted(_latest(tmp_path).glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        outputs = [output for cell in cells for output in cell.get("outputs", ()) if output.get("name") != "stderr"]
        shown[path.stem] = [
            output.get("ename")
            or output.get("metadata", {}).get("nbmlops", {}).get("error")
            or "".join(output.get("text", "") or output["data"]["text/plain"])
            for output in outputs
        ]
    assert shown == {
        "01_a": ["1\n", "AttributeError", "11"],
        "02_b": ["11\n"],
        "03_c": ["NameError", "ValueError: no picture", "ValueError: no picture", "11"],
        "04_d": ["ZeroDivisionError"],
    }
