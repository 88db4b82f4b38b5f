"""Real front ends with a real browser: JupyterLab 4 and Notebook 7 as servers, headless Chromium in front of them.

Run by `make test-ui`; `NBMLOPS_UI_SCREENSHOTS=FOLDER` keeps a picture of every step.
"""

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
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
PATIENCE = 100_000  # milliseconds
LAB, NOTEBOOK = "jupyterlab", "notebook"
KERNEL = "nbmlops-ui"
_HARMLESS = ("WebSocket", "favicon", "ResizeObserver", "404 (Not Found)", "Directory not found")
_OWN = ("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:", "file:")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves these tests to `make test-ui`: whoever runs the suite needs no browser."""
    if "ui" not in config.getoption("markexpr", ""):
        for item in items:
            if item.get_closest_marker("ui"):
                item.add_marker(pytest.mark.skip(reason="drives a browser: make test-ui"))


@dataclass
class Sight:
    """What a page asked for, and what it complained of."""

    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    def watch(self, page: Any) -> None:
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)
        page.on("dialog", self._refuse)

    def _refuse(self, dialog: Any) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def check(self) -> None:
        """Nothing was asked of other machines, nothing failed, nothing popped up."""
        assert [url for url in self.requests if not url.startswith(_OWN)] == []
        assert [error for error in self.errors if not any(word in error for word in _HARMLESS)] == []
        assert self.dialogs == []


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A headless Chromium."""
    if CHROMIUM is None:
        pytest.exit("make test-ui needs Chromium on the PATH; on Debian: apt-get install chromium", returncode=4)
    driver = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    with driver.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


Opener = Callable[..., Any]


@pytest.fixture
def sight() -> Sight:
    return Sight()


@pytest.fixture
def open_page(browser: Any, sight: Sight) -> Iterator[Opener]:
    """Opens an address in a new page that is watched; asserts in the end that nothing bad was seen."""
    pages: list[Any] = []

    def opened(address: str, width: int = 1300, height: int = 1500, **context: Any) -> Any:
        page = browser.new_context(viewport={"width": width, "height": height}, **context).new_page()
        pages.append(page)
        page.set_default_timeout(PATIENCE)
        sight.watch(page)
        page.goto(address)
        return page

    yield opened
    sight.check()
    for page in pages:
        page.context.close()


@pytest.fixture
def look(request: pytest.FixtureRequest) -> Callable[[Any, str], None]:
    """Keeps a picture for a person to look at, where `NBMLOPS_UI_SCREENSHOTS` says so."""
    folder = os.environ.get("NBMLOPS_UI_SCREENSHOTS")

    def keep(place: Any, name: str) -> None:
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            place.screenshot(path=str(Path(folder) / f"{request.node.name}-{name}.png"))

    return keep


@pytest.fixture
def accessible() -> Callable[..., None]:
    """Asserts that axe-core finds no fault in a page, or in the part of it that a selector names."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-core").Axe()

    def check(page: Any, part: str | None = None) -> None:
        found = axe.run(page, part).response["violations"]
        assert [(one["id"], one["help"], [node["html"] for node in one["nodes"]]) for one in found] == []

    return check


@contextmanager
def served(app: str, project: Path, home: Path, theme: str = "JupyterLab Light") -> Iterator[Callable[[str], str]]:
    """Runs a front end in a project's folder; gives what makes the address of a notebook.

    Args:
        app: `LAB` or `NOTEBOOK`.
        project: The folder.
        home: Where it keeps its settings.
        theme: The theme it starts with.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(16)
    labconfig = home / "config" / "labconfig"
    settings = home / "config" / "lab" / "user-settings" / "@jupyterlab" / "apputils-extension"
    for folder in (labconfig, settings):
        folder.mkdir(parents=True, exist_ok=True)
    quiet = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
    (labconfig / "page_config.json").write_text(json.dumps(quiet))
    (settings / "themes.jupyterlab-settings").write_text(json.dumps({"theme": theme}))
    # The kernel finds nbmlops and nothing else that the test brought along.
    kernel = home / "data" / "kernels" / KERNEL
    kernel.mkdir(parents=True, exist_ok=True)
    spec = {"argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"], "language": "python"}
    spec |= {"display_name": "Python 3", "env": {"PYTHONPATH": str(ROOT)}}
    (kernel / "kernel.json").write_text(json.dumps(spec))
    environment = {
        **os.environ,
        "HOME": str(home),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "IPYTHONDIR": str(home / "ipython"),
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    command = [sys.executable, "-m", app, "--no-browser", "--allow-root", f"--ServerApp.root_dir={project}"]
    command += ["--ip=127.0.0.1", f"--port={port}", f"--IdentityProvider.token={token}"]
    with (home / f"{app}.log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment, cwd=project)
        try:
            _wait_for(f"http://127.0.0.1:{port}/api?token={token}", server)
            numbers = count()  # a workspace for each page: what one page has open is no business of another

            def address(name: str) -> str:
                tree = f"lab/workspaces/ui{next(numbers)}/tree" if app == LAB else "notebooks"
                return f"http://127.0.0.1:{port}/{tree}/{name}?reset&token={token}"

            yield address
        finally:
            server.terminate()
            server.wait(60)


def _wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert server.poll() is None, "the server ended"
        try:
            urllib.request.urlopen(address, timeout=1).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise AssertionError("the server does not answer")


def write_notebook(path: Path, cells: tuple[str, ...]) -> None:
    """Writes a notebook of code cells; a cell that begins with `# tag: NAME` has that tag."""
    import nbformat

    made = []
    for source in cells:
        cell = nbformat.v4.new_code_cell(source)
        if source.startswith("# tag: "):
            cell.metadata["tags"] = [source.partition("\n")[0].removeprefix("# tag: ")]
        made.append(cell)
    kernel = {"name": KERNEL, "display_name": "Python 3", "language": "python"}
    nbformat.write(nbformat.v4.new_notebook(cells=made, metadata={"kernelspec": kernel}), path)


def run_all(page: Any) -> None:
    """Runs all cells of the notebook that is open, when its kernel is there."""
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]:visible").first.wait_for()
    page.locator(".jp-Notebook:visible .jp-Cell").first.click()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()


def save(page: Any, path: Path) -> None:
    """Saves the notebook that is open, and waits for the whole file."""
    before = path.stat().st_mtime_ns
    page.keyboard.press("Control+s")
    for _ in range(300):
        with suppress(json.JSONDecodeError):  # the server is writing it
            if path.stat().st_mtime_ns != before and json.loads(path.read_bytes()):
                return
        time.sleep(0.1)
    raise AssertionError("the notebook was not saved")
