"""What compiling and doing nothing cost beside the peers, measured in one run, as ratios.

    python benchmarks/peers.py ENVIRONMENTS [REPETITIONS]

ENVIRONMENTS holds one virtual environment for each peer: `kale` (kubeflow-kale), `dvc`, `ploomber`; one that is not
there is left out, and named. Compiled is a notebook of 50 steps, 12 lines each, that both compilers take; nothing is
what a second run of three small steps has to do.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from measure import Candidate, compare, table

STEPS, LINES = 50, 12
NBMLOPS = [sys.executable, "-m", "nbmlops"]
DVC = "stages:\n" + "".join(
    f"  s{number}:\n    cmd: cp f{number} f{number + 1}\n    deps: [f{number}]\n    outs: [f{number + 1}]\n"
    for number in range(3)
)
PLOOMBER = "tasks:\n" + "".join(
    f"  - source: s{number}.py\n    product: {{nb: out/s{number}.ipynb}}\n" for number in range(3)
)


def main() -> None:
    """Measures each peer that there is beside nbmlops."""
    environments = Path(sys.argv[1]).resolve()
    repetitions = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    measures = {"kale": compiling, "dvc": nothing_to_do_with_dvc, "ploomber": nothing_to_do_with_ploomber}
    for peer, measure in measures.items():
        if not (environments / peer / "bin" / peer).exists():
            print(f"{peer}: left out, there is no {environments / peer}", flush=True)
            continue
        with tempfile.TemporaryDirectory(prefix="nbmlops-peers-") as folder:
            print(measure(Path(folder), environments / peer / "bin", repetitions), end="\n\n", flush=True)


def compiling(folder: Path, binaries: Path, repetitions: int) -> str:
    """Returns what compiling 50 steps costs beside Kale."""
    write_notebook(folder / "kale.ipynb", [kale_cell(number) for number in range(STEPS)])
    write_notebook(folder / "ours.ipynb", [cell(f"step:s{number}", body(number)) for number in range(STEPS)])
    kale = Candidate("kale --nb, 50 steps", [str(binaries / "kale"), "--nb", "kale.ipynb"])
    ours = Candidate("nbmlops compile, 50 steps", [*NBMLOPS, "compile", "ours.ipynb"])
    return table("Compile", compare([kale, ours], repetitions, folder, environment(folder, binaries)), kale.name)


def nothing_to_do_with_dvc(folder: Path, binaries: Path, repetitions: int) -> str:
    """Returns what a run that has nothing to do costs beside `dvc repro`."""
    env = environment(folder, binaries)
    (folder / "dvc.yaml").write_text(DVC)
    (folder / "f0").write_text("1\n")
    dvc = [str(binaries / "dvc")]
    subprocess.run([*dvc, "init", "-q", "--no-scm"], cwd=folder, env=env, check=True)
    return no_op(folder, env, Candidate("dvc repro, 3 stages, nothing changed", [*dvc, "repro"]), repetitions)


def nothing_to_do_with_ploomber(folder: Path, binaries: Path, repetitions: int) -> str:
    """Returns what a run that has nothing to do costs beside `ploomber build`."""
    env = environment(folder, binaries)
    (folder / "pipeline.yaml").write_text(PLOOMBER)
    for number in range(3):
        (folder / f"s{number}.py").write_text(
            "# %% tags=['parameters']\nupstream = None\nproduct = None\n\n# %%\nx = 1\n"
        )
    build = [str(binaries / "ploomber"), "build"]
    return no_op(folder, env, Candidate("ploomber build, 3 notebooks, nothing changed", build), repetitions)


def no_op(folder: Path, env: dict[str, str], peer: Candidate, repetitions: int) -> str:
    """Returns the costs of the second runs, after the first ones have filled the caches."""
    write_notebook(folder / "ours.ipynb", [cell(f"step:s{number}", body(number)) for number in range(3)])
    ours = Candidate("nbmlops run, 3 steps, nothing changed", [*NBMLOPS, "run", "ours"])
    subprocess.run([*NBMLOPS, "compile", "ours.ipynb"], cwd=folder, env=env, check=True, capture_output=True)
    for candidate in (peer, ours):
        subprocess.run(candidate.command, cwd=folder, env=env, check=True, capture_output=True)
    return table("Nothing to do", compare([peer, ours], repetitions, folder, env), peer.name)


def environment(folder: Path, binaries: Path) -> dict[str, str]:
    """Returns the variables of all candidates: the peer's programs first, nothing of the user's settings."""
    (folder / "nbmlops.toml").write_text("")
    return {
        **os.environ,
        "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder),
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}",
        "DVC_NO_ANALYTICS": "1",
        "PLOOMBER_STATS_ENABLED": "false",
    }


def body(number: int) -> str:
    """Returns the code of a step, over a value of the step before."""
    first = f"a{number} = a{number - 1} + 1" if number else "a0 = 0"
    return "\n".join([first, *(f"t{number}_{line} = math.sqrt(a{number} + {line})" for line in range(LINES - 1))])


def kale_cell(number: int) -> dict[str, Any]:
    """Returns a step as Kale tags it."""
    made = cell(f"step:s{number}", body(number))
    made["metadata"]["tags"] += [f"prev:s{number - 1}"] if number else []
    return made


def cell(tag: str, source: str) -> dict[str, Any]:
    """Returns a code cell with a tag."""
    metadata = {"tags": [tag]}
    return {"cell_type": "code", "metadata": metadata, "source": source, "outputs": [], "execution_count": None}


def write_notebook(path: Path, steps: list[dict[str, Any]]) -> None:
    """Writes a notebook that imports and then takes these steps."""
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    kale = {"pipeline_name": "bench", "pipeline_description": "", "experiment": {"id": "new", "name": "b"}}
    cells = [cell("imports", "import math"), *steps]
    for number, made in enumerate(cells):
        made["id"] = f"c{number}"
    metadata = {"kernelspec": kernel, "kubeflow_notebook": {**kale, "experiment_name": "b"}}
    path.write_text(json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}))


if __name__ == "__main__":
    main()
