"""The panel in JupyterLab and Notebook 7: driven by clicks and keys, in both themes, reopened, exported, attacked."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.payloads import PAYLOADS
from tests.ui.conftest import LAB, NOTEBOOK, Opener, Sight, run_all, save, served, write_notebook

pytestmark = [pytest.mark.ui, pytest.mark.slow]

RULES = """\
[[gate.rules]]
name = "auc floor"
metric = "auc"
min = 0.7
reason = "the desk ignores anything below"

[[gate.rules]]
name = "no drop"
metric = "auc"
baseline = "champion"
max_drop = 0.01
"""
TRAINING = """\
# tag: step:train
import pandas as pd
from sklearn.tree import DecisionTreeClassifier
X = pd.DataFrame({'hour': [1, 2, 3, 4] * 5, 'distance': range(20)})
model = DecisionTreeClassifier(max_depth=depth, random_state=0).fit(X, X['hour'] > 2)"""
CELLS = (
    "%load_ext nbmlops\n%mlops track",
    "%mlops panel",
    "# tag: parameters\ndepth = 5",
    TRAINING,
    "%mlops data X --name flights\nfor epoch in range(9):\n    %mlops metric loss = 1 / (epoch + 1) --step epoch",
    "%mlops metric auc = 0.83",
)
CLOSING = ("%mlops gate", "%mlops register model --data X")
# Relative luminance as WCAG 2 defines it, for each piece of text against the nearest ground that is painted.
CONTRASTS = """() => {
  const parse = (text) => {
    const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    probe.clearRect(0, 0, 1, 1); probe.fillStyle = text; probe.fillRect(0, 0, 1, 1);
    return [...probe.getImageData(0, 0, 1, 1).data];
  };
  const light = (colour) => colour.slice(0, 3).map((v) => v / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const over = (top, below) => [0, 1, 2].map((i) => (top[i] * top[3] + below[i] * (255 - top[3])) / 255).concat(255);
  const ground = (node) => {
    const paint = parse(getComputedStyle(node).backgroundColor);
    if (paint[3] === 255) return paint;
    return over(paint, node.parentElement ? ground(node.parentElement) : [255, 255, 255, 255]);
  };
  const found = [];
  for (const node of document.querySelectorAll(".nbmlops-panel *")) {
    const text = [...node.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data).join("").trim();
    if (!text || !node.getClientRects().length) continue;
    const below = ground(node);
    const ink = over(parse(getComputedStyle(node).color), below);
    const [a, b] = [light(ink), light(below)].sort((x, y) => y - x);
    found.push([Math.round(((a + 0.05) / (b + 0.05)) * 100) / 100, text.slice(0, 40)]);
  }
  return found.sort((x, y) => x[0] - y[0]);
}"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "nbmlops.toml").write_text(RULES)
    write_notebook(folder / "flights.ipynb", CELLS)
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def lab(project: Path, home: Path) -> Iterator[Callable[[str], str]]:
    for module in ("jupyterlab", "anywidget"):
        pytest.importorskip(module)
    with served(LAB, project, home) as address:
        yield address


def panel_of(page: Any) -> Any:
    return page.locator(".nbmlops-panel:visible").first


def metric(panel: Any, name: str) -> Any:
    return panel.locator("details[data-key=metrics]").get_by_role("rowheader", name=name, exact=True)


def choose_theme(page: Any, name: str) -> None:
    page.get_by_role("menuitem", name="Settings", exact=True).click()
    page.get_by_text("Theme", exact=True).hover()
    page.get_by_role("menuitem", name=name, exact=True).click()
    page.locator(f"body[data-jp-theme-name='{name}']").wait_for(state="attached")


def test_driven_by_clicks_in_both_themes(
    open_page: Opener, lab: Any, project: Path, look: Any, accessible: Callable[..., None]
):
    write_notebook(project / "flights.ipynb", (*CELLS, "# `%mlops register` is pressed in the panel"))
    page = open_page(lab("flights.ipynb"))
    page.get_by_text("| Idle").wait_for()
    run_all(page)
    panel = panel_of(page)
    metric(panel, "auc").wait_for()
    panel.get_by_text("would PASS").wait_for()
    assert panel.locator("svg[role=img]").count() >= 1
    look(panel, "preview")
    # Registering cannot be asked for before a verdict, and says so.
    register = panel.get_by_role("button", name="Register")
    assert register.get_attribute("aria-disabled") == "true"
    register.click(force=True)
    panel.get_by_text("the gate has not judged the metrics as they are now").wait_for()
    panel.get_by_role("button", name="Run the gate").dblclick()
    panel.get_by_text("PASS gate (1 of 2 rules passed, 1 not applicable)").wait_for()
    # The notebook does not say yet what to register.
    register.click()
    panel.get_by_text("put `%mlops register MODEL --data FRAME` into a cell and save the notebook").wait_for()
    look(panel, "no-register-line")
    page.locator(".jp-Notebook:visible .jp-Cell").last.locator(".cm-content").fill("%mlops register model --data X")
    save(page, project / "flights.ipynb")
    register.dblclick()
    panel.get_by_text("REGISTERED flights version 1 as champion").wait_for()
    assert panel.get_by_text("flights version 1 (champion)").count() == 1
    panel.get_by_role("button", name="Compile").click()
    panel.get_by_text("COMPILED flights in pipelines/flights").wait_for()
    assert (project / "pipelines" / "flights" / "pipeline.yaml").is_file()
    look(panel, "light")
    accessible(page, ".nbmlops-panel")
    contrasts = {"light": page.evaluate(CONTRASTS)}
    choose_theme(page, "JupyterLab Dark")
    contrasts["dark"] = page.evaluate(CONTRASTS)
    accessible(page, ".nbmlops-panel")
    look(panel, "dark")
    page.set_viewport_size({"width": 520, "height": 1500})
    page.keyboard.press("Control+b")  # the side bar goes
    page.wait_for_timeout(800)
    look(panel, "narrow")
    assert panel.evaluate("node => node.scrollWidth <= node.clientWidth")
    for theme, found in contrasts.items():
        assert [pair for pair in found if pair[0] < 4.5] == [], theme
    assert len(_versions(project)) == 1


def _versions(project: Path) -> list[str]:
    script = (
        "import mlflow; c = mlflow.MlflowClient('sqlite:///mlflow.db'); "
        "print(*[v.version for v in c.search_model_versions()])"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=project, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_driven_by_keys(open_page: Opener, lab: Any, project: Path, look: Any):
    page = open_page(lab("flights.ipynb"))
    page.get_by_text("| Idle").wait_for()
    run_all(page)
    panel = panel_of(page)
    panel.get_by_text("would PASS").wait_for()
    page.get_by_text("| Idle").wait_for()
    gate = panel.get_by_role("button", name="Run the gate")
    gate.focus()
    page.keyboard.press("Tab")
    assert focused(page) == "Register"
    page.keyboard.press("Shift+Tab")
    assert focused(page) == "Run the gate"
    look(panel, "focus")
    outline = gate.evaluate("node => getComputedStyle(node).outlineStyle")
    assert outline == "solid"
    cells = page.locator(".jp-Notebook:visible .jp-Cell").count()
    page.keyboard.press("Enter")
    panel.get_by_text("PASS gate").wait_for()
    assert focused(page) == "Run the gate"  # the keyboard stays where it was
    page.wait_for_timeout(3000)  # the picture in the file is brought up to date, which draws the panel anew
    assert focused(page) == "Run the gate"
    assert panel.get_by_role("status").first.inner_text().split() == ["RUNNING", "flights"]
    for _ in range(3):
        page.keyboard.press("Tab")
    assert focused(page).startswith("Gate")
    page.keyboard.press("Enter")  # closes the part
    assert panel.locator("details[data-key=gate]").get_attribute("open") is None
    page.keyboard.press("Space")
    assert panel.locator("details[data-key=gate]").get_attribute("open") is not None
    # No key was taken for a command of the notebook: no cell ran, appeared or was opened for editing.
    assert page.locator(".jp-Notebook:visible .jp-Cell").count() == cells
    assert page.locator(".jp-Notebook.jp-mod-editMode").count() == 0


def focused(page: Any) -> str:
    return str(page.evaluate("document.activeElement.innerText"))


def test_reopened_without_a_kernel_and_exported(
    open_page: Opener, lab: Any, project: Path, home: Path, tmp_path: Path, look: Any
):
    path = project / "flights.ipynb"
    page = open_page(lab("flights.ipynb"))
    page.get_by_text("| Idle").wait_for()
    run_all(page)
    panel_of(page).get_by_text("would PASS").wait_for()
    page.get_by_text("| Idle").wait_for()
    page.wait_for_timeout(4000)
    save(page, path)
    document = json.loads(path.read_text())
    (output,) = document["cells"][1]["outputs"]
    assert set(output["data"]) == {"application/vnd.jupyter.widget-view+json", "text/html", "text/plain"}
    still = "".join(output["data"]["text/html"])
    for word in ("would PASS", "auc", "0.83", "loss", "flights", "reproducible"):
        assert word in still, word
    # Elsewhere: no such kernel (JupyterLab asks for another one above the page), and nobody who trusts the notebook.
    document["metadata"]["kernelspec"]["name"] = "gone"
    (project / "elsewhere.ipynb").write_text(json.dumps(document))
    other = open_page(lab("elsewhere.ipynb"))
    other.locator(".jp-OutputArea-output", has_text="would PASS").first.wait_for()
    look(other, "reopened")
    html = tmp_path / "flights.html"
    command = [sys.executable, "-m", "nbconvert", "--to", "html", str(path), "--output", str(html)]
    subprocess.run(command, check=True, capture_output=True, cwd=home)
    # What nbconvert puts into its pages asks for scripts of others; none of that is ours.
    exported = open_page(html.as_uri(), java_script_enabled=False, offline=True)
    shown = exported.get_by_label("nbmlops panel")
    shown.get_by_text("would PASS").first.wait_for()
    look(exported, "nbconvert")


def test_in_notebook_7(open_page: Opener, sight: Sight, project: Path, home: Path, look: Any):
    pytest.importorskip("notebook")
    write_notebook(project / "flights.ipynb", (*CELLS, *CLOSING))
    with served(NOTEBOOK, project, home) as address:
        page = open_page(address("flights.ipynb"))
        page.locator(".jp-Notebook .jp-Cell").first.wait_for()
        run_all(page)
        panel = panel_of(page)
        panel.get_by_text("flights version 1 (champion)").wait_for()
        look(panel, "light")
        panel.get_by_role("button", name="Compile").click()
        panel.get_by_text("COMPILED flights in pipelines/flights").wait_for()
        page.set_viewport_size({"width": 420, "height": 1500})
        page.wait_for_timeout(500)
        look(panel, "narrow")
        assert panel.evaluate("node => node.scrollWidth <= node.clientWidth")
        page.context.close()  # before its server goes
    # Where Notebook 7 is not installed beside its kernel it misses settings of its own, and says so.
    sight.errors[:] = [error for error in sight.errors if "nbmlops" in error]


def test_nothing_of_the_users_is_taken_for_more_than_text(open_page: Opener, lab: Any, project: Path, look: Any):
    (project / "payloads.json").write_text(json.dumps(PAYLOADS))
    write_notebook(project / "hostile.ipynb", HOSTILE_CELLS)
    page = open_page(lab("hostile.ipynb"))
    page.get_by_text("| Idle").wait_for()
    run_all(page)
    panel = panel_of(page)
    page.locator(".jp-OutputArea-output", has_text="all payloads are in").last.wait_for()
    panel.get_by_text("hidden state of the hostile: Z\u0351").wait_for()
    page.get_by_text("| Idle").wait_for()
    page.wait_for_timeout(3000)
    look(panel, "hostile")
    _nothing_ran(page, panel)
    save(page, project / "hostile.ipynb")
    document = json.loads((project / "hostile.ipynb").read_text())
    document["metadata"]["kernelspec"]["name"] = "gone"
    (project / "elsewhere.ipynb").write_text(json.dumps(document))
    other = open_page(lab("elsewhere.ipynb"))
    still = other.locator(".jp-OutputArea-output", has_text="hidden state of the hostile").first
    still.wait_for()
    look(still, "hostile-still")
    _nothing_ran(other, still)


def _nothing_ran(page: Any, place: Any) -> None:
    assert page.evaluate("window.hacked") is None
    names = place.evaluate("node => [...new Set([...node.querySelectorAll('*')].map((one) => one.tagName))]")
    assert set(names) <= TAGS
    handlers = place.evaluate(
        "node => [...node.querySelectorAll('*')].flatMap((one) => [...one.attributes])"
        ".filter((one) => /^on|^href$|^src$|^srcdoc$|^action$/.test(one.name)).map((one) => one.name)"
    )
    assert handlers == []


TAGS = {"SECTION", "HEADER", "DIV", "P", "SPAN", "STRONG", "SMALL", "BDI", "UL", "LI", "BUTTON", "DETAILS", "SUMMARY"}
TAGS |= {"TABLE", "CAPTION", "THEAD", "TBODY", "TR", "TH", "TD", "svg", "line", "polyline", "circle"}
# What the run refuses (names that no store takes) is shown all the same by a panel that is made for it.
HOSTILE_CELLS = (
    "%load_ext nbmlops\n%mlops track --name '<img src=x onerror=window.hacked=70>'",
    """\
import json
import nbmlops, pandas as pd
from nbmlops.core.errors import NbmlopsError
payloads = json.load(open("payloads.json"))
refused = taken = 0
for number, text in enumerate(payloads):
    short = text[:100]
    for call in (
        lambda: nbmlops.param(f"p{number}", text),
        lambda: nbmlops.param(f"{number} {short}", short),
        lambda: nbmlops.metric(f"{number} {short}", number),
        lambda: nbmlops.data(pd.DataFrame({text: [number]}), f"d{number}"),
    ):
        try:
            call()
            taken += 1
        except (NbmlopsError, UnicodeError):
            refused += 1
assert taken > 120, (taken, refused)""",
    "%mlops panel",
    """\
from nbmlops.app.panel.model import Notice, Progress, Tone
from nbmlops.app.panel.view import Moment, panel_view
from nbmlops.app.session.surroundings import Surroundings
from nbmlops.app.show.views import SessionStatus, StatusView
from nbmlops.core.records import CheckRecord, DataRecord
from nbmlops.gate.verdict import Outcome, RuleResult, Verdict
from nbmlops.pipeline.run_record import ModelVersionRef
from nbmlops.ipython import panel as panels
from nbmlops.tracking.cells import ValueMade, ValueSeen
some = payloads[:60]
def moment(text):
    return Moment(StatusView(
        SessionStatus.RUNNING, text, text, text, text, text, text, f"no, because hidden state of the hostile: {text}",
        parameters={one: one for one in some},
        metrics={one: 1.0 for one in some},
        data=tuple(DataRecord(one, one, one, profile={"evidence": one}) for one in some),
        checks=tuple(CheckRecord(one, one, False, (one,)) for one in some),
        verdict=Verdict(
            False, tuple(RuleResult(one, one, 1.0, one, 1.0, Outcome.FAIL, one) for one in some), text, "", text
        ),
        model_version=ModelVersionRef(text, text, (text,)),
        notes=tuple(some),
    ), {one: (1.0, 2.0) for one in some}, Surroundings(), progress=Progress("", 1, Notice(Tone.BAD, text, tuple(some))),
        made={one: ValueMade(1, ValueSeen(one, one, (1,), one, one)) for one in some})
(live,) = panels._open
import time
live.feed.close()
time.sleep(1)
for text in payloads:
    view = panel_view(moment(text))
    live.feed.view = view
    live._show(view)
    time.sleep(0.05)
live._keep(view)
print("all payloads are in")""",
)
