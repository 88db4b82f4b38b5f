"""The panel in a real JupyterLab, driven by a headless Chromium; skipped where either is missing."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
PATIENCE = 90_000  # milliseconds

pytestmark = [pytest.mark.ui, pytest.mark.slow]

RULES = """\
[[gate.rules]]
name = "auc floor"
metric = "auc"
min = 0.7
reason = "the desk ignores anything below"
"""
HOSTILE_DATA = """\
import pandas as pd
df = pd.DataFrame({'<img src=x onerror="document.title=1">': [1, 2]})
%mlops data df --name flights"""
HOSTILE_TEXT = """\
%mlops param note '<script>document.title = 2</script>'
%mlops metric auc = 0.83"""
CELLS = ("%load_ext nbmlops\n%mlops track", "%mlops panel", HOSTILE_DATA, HOSTILE_TEXT)


@pytest.fixture
def playwright() -> Any:
    """Playwright, where it and a Chromium are installed."""
    if CHROMIUM is None:
        pytest.skip("needs Chromium on the PATH")
    return pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install playwright")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "nbmlops.toml").write_text(RULES)
    import nbformat

    cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, tmp_path / "panel.ipynb")
    return tmp_path


@pytest.fixture
def lab(playwright: Any, project: Path) -> Iterator[str]:
    """The address of a JupyterLab in the project's folder."""
    pytest.importorskip("jupyterlab", reason="needs JupyterLab: pip install 'nbmlops[lab]'")
    pytest.importorskip("anywidget", reason="needs anywidget: pip install 'nbmlops[panel]'")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(16)
    home = project / "home"
    settings = home / "config" / "labconfig"
    settings.mkdir(parents=True)
    quiet = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
    (settings / "page_config.json").write_text(json.dumps(quiet))
    environment = {
        **os.environ,
        "HOME": str(home),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "IPYTHONDIR": str(home / "ipython"),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]),
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--ServerApp.root_dir={project}"]
    command += ["--ip=127.0.0.1", f"--port={port}", f"--IdentityProvider.token={token}"]
    with (project / "lab.log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment, cwd=project)
        try:
            _wait_for(f"http://127.0.0.1:{port}/api?token={token}", server)
            yield f"http://127.0.0.1:{port}/lab/workspaces/panel/tree/panel.ipynb?reset&token={token}"
        finally:
            server.terminate()
            server.wait(30)


def _wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        assert server.poll() is None, "JupyterLab ended"
        try:
            urllib.request.urlopen(address, timeout=1).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise AssertionError("JupyterLab does not answer")


@pytest.fixture
def page(playwright: Any, lab: str) -> Iterator[Any]:
    """The notebook in a browser."""
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1200, "height": 1400})
        page.set_default_timeout(PATIENCE)
        page.goto(lab)
        page.get_by_text("| Idle").wait_for()
        try:
            yield page
        finally:
            if folder := os.environ.get("NBMLOPS_UI_SCREENSHOTS"):
                page.screenshot(path=str(Path(folder) / "panel.png"))
            browser.close()


def test_the_panel_follows_the_run_and_judges_it(page: Any, project: Path):
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.locator(".jp-Notebook:visible .jp-Cell").first.click()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    panel = page.locator(".nbmlops-panel:visible").first
    panel.wait_for()
    panel.get_by_text("auc", exact=True).first.wait_for()
    assert panel.get_by_role("status").inner_text().startswith("RUN panel")
    shown = panel.inner_text()
    assert "<script>document.title = 2</script>" in shown
    assert "not judged yet" in shown
    assert "if it were judged now" in shown

    panel.get_by_role("button", name="Run the gate").click()
    panel.get_by_text("PASS (1 of 1 rule passed)").wait_for()
    assert panel.locator("script, img").count() == 0
    assert page.title() not in {"1", "2"}
    assert [
        url for url in requests if not url.startswith(("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:"))
    ] == []
