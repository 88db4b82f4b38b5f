"""Writes `docs/images/panel.png` again: the panel of a run that has a champion to beat, in a real JupyterLab.

To be run in the environment of `make test-ui`, after a change of how the panel looks: `.venv/bin/python docs/panel_picture.py`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.ui.conftest import CHROMIUM, LAB, run_all, served, write_notebook  # noqa: E402 - tests are no package

RULES = """\
[[gate.rules]]
name = "auc floor"
metric = "auc"
min = 0.7

[[gate.rules]]
name = "not worse than the champion"
metric = "auc"
baseline = "champion"
max_drop = 0.01
"""
LOAD = """\
import numpy as np, pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import brier_score_loss, roc_auc_score
flights = pd.read_csv("flights.csv")
%mlops data flights
%mlops check flights"""
TRAIN = """\
features = flights[["hour", "distance"]]
model = HistGradientBoostingClassifier(max_depth=max_depth, learning_rate=learning_rate, max_iter=40, early_stopping=True,
                                       random_state=seed).fit(features[:3000], flights["late"][:3000])
probability = model.predict_proba(features[3000:])[:, 1]
for step, score in enumerate(-model.validation_score_):
    %mlops metric loss = score --step step
%mlops metric auc = roc_auc_score(flights["late"][3000:], probability)
%mlops metric brier = brier_score_loss(flights["late"][3000:], probability)"""
CLOSING = ("%mlops gate", "%mlops register model --data features", "%mlops track --stop")


def cells(depth: int, rate: float) -> tuple[str, ...]:
    """Returns the cells of a run."""
    parameters = f"# tag: parameters\nmax_depth = {depth}\nlearning_rate = {rate}\nseed = 7"
    return "%load_ext nbmlops\n%mlops track", "%mlops panel", parameters, LOAD, TRAIN


def make_data(path: Path) -> None:
    """Writes 4,000 flights, late more often in the evening and on long ways."""
    import numpy as np
    import pandas as pd

    random = np.random.default_rng(7)
    hour, distance = random.integers(5, 24, 4000), random.integers(80, 5000, 4000)
    late = random.random(4000) < 1 / (1 + np.exp(-(0.5 * (hour - 16) + (distance - 2500) / 900)))
    pd.DataFrame({"hour": hour, "distance": distance, "late": late}).to_csv(path, index=False)


def execute(notebook: Path) -> None:
    """Runs a notebook in a kernel of its own."""
    command = [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", "--output", "done", notebook.name]
    options = ["--ExecutePreprocessor.kernel_name=python3", "--log-level=ERROR"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MLFLOW_DISABLE_TELEMETRY": "true"}
    subprocess.run([*command, *options], cwd=notebook.parent, env=environment, check=True)
    (notebook.parent / "done.ipynb").unlink()  # it has the same cells: which of them runs next would be unknown


def main() -> None:
    """Makes the runs and takes the picture of the last one."""
    with tempfile.TemporaryDirectory() as folder:
        project, home = Path(folder, "project"), Path(folder, "home")
        project.mkdir()
        home.mkdir()
        (project / "nbmlops.toml").write_text(RULES)
        make_data(project / "flights.csv")
        notebook = project / "flights.ipynb"
        for depth, rate, closing in ((2, 0.1, CLOSING), (1, 0.1, CLOSING[2:]), (2, 0.05, CLOSING[2:])):
            write_notebook(notebook, (*cells(depth, rate), *closing))
            execute(notebook)
        write_notebook(notebook, cells(4, 0.1))
        with served(LAB, project, home) as address, sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1440, "height": 1500})
            page.set_default_timeout(200_000)
            page.goto(address(notebook.name))
            run_all(page)
            page.get_by_text("dashed line: the champion").wait_for()
            page.locator(".nbmlops-panel").get_by_text("recent runs").first.wait_for()
            page.wait_for_timeout(6000)
            page.locator(".nbmlops-panel:visible").first.screenshot(path=str(ROOT / "docs" / "images" / "panel.png"))
            browser.close()


if __name__ == "__main__":
    main()
