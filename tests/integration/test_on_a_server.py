"""The whole life of a model over a real tracking server: run, gate, registry, questions, making it again.

The same over SQLite: `test_cli_run`, `test_lineage`, `test_registry_races`, `test_reproduce`.
"""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from nbmlops.cli.main import main
from nbmlops.core.errors import EnvironmentFault
from nbmlops.registry.audit import faults
from nbmlops.registry.lease import intent_of
from nbmlops.registry.mlflow_registry import MlflowRegistry
from nbmlops.registry.promote import promote
from nbmlops.registry.transitions import Actor, change, standing
from nbmlops.tracking.lineage import VERDICT
from nbmlops.tracking.mlflow_tracker import MlflowTracker
from nbmlops.tracking.tracker import RunQuery
from tests.integration.test_cli_run import Project, commit_all, environment, make_project

pytestmark = pytest.mark.slow

IMPORTS = """import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

%load_ext nbmlops
%mlops track"""
LOAD = """points = pd.read_csv('data/points.csv')
X, y = points[['a', 'b']], points['y']
%mlops data points"""
EVALUATE = """score = model.predict_proba(X)[:, 1]
auc = roc_auc_score(y, score)
%mlops metric auc
%mlops predictions score --truth y --features X --threshold 0.5 --model model"""
CELLS = [
    (["imports"], IMPORTS),
    (["parameters"], "strength = 1.0"),
    (["step:train"], f"{LOAD}\nmodel = LogisticRegression(C=strength).fit(X, y)\n{EVALUATE}"),
    ([], "%mlops gate"),
    ([], "%mlops register model --data X"),
]
RULES = """
[tracking]
uri = "{uri}"

[pipelines.points]
model_name = "served"

[pipelines.points.tracking]
experiment = "served"

[[gate.rules]]
name = "usable"
metric = "auc"
min = 0.6

[[gate.rules]]
name = "about as good as what is live"
metric = "auc"
baseline = "champion"
max_drop = 0.01

[[gate.rules]]
name = "not worse on the same rows"
metric = "auc"
baseline = "champion"
claim = "not worse"
margin = 0.02

[[gate.rules]]
name = "the same columns"
fact = "signature_changes"
"""
ADA, BOB = Actor("ada", "2026-11-21T10:00:00Z", "better"), Actor("bob", "2026-11-21T10:05:00Z", "go on")
STAYS = 1_000_000
"""So many changes that the server stays."""
Asked = Callable[..., tuple[int, str]]
RunCells = Callable[[list[str], Path], list[Any]]


@pytest.fixture(scope="module")
def project(mlflow_server: str, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A committed project with two runs on the server: version 1 is the champion, version 2 its challenger."""
    made = make_project(tmp_path_factory.mktemp("served") / "work", CELLS, RULES.format(uri=mlflow_server))
    (made.folder / "data").mkdir()
    rows = [f"{n % 7},{n * n % 5},{int(n % 7 + n % 3 > 4)}" for n in range(120)]
    (made.folder / "data" / "points.csv").write_text("\n".join(["a,b,y", *rows]) + "\n")
    commit_all(made.folder)
    for options in ((), ("-p", "strength=0.5")):
        done = made.command("run", "points", *options)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "View run" not in done.stderr
        assert "Waiting up to" not in done.stderr
    return made


@pytest.fixture
def ask(project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Asked:
    """Runs the command in this process; returns exit code and what it prints, with what it says beside it."""
    monkeypatch.chdir(project.folder)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)

    def run(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        code = main(arguments)
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


@pytest.fixture
def notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunCells:
    """Runs cells in a kernel that works in a folder; returns them with what they show."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("PYTHONPATH", environment()["PYTHONPATH"])

    def run(sources: list[str], folder: Path) -> list[Any]:
        document = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
        where = {"metadata": {"path": str(folder)}}
        NotebookClient(document, timeout=300, kernel_name="python3", resources=where).execute()
        return list(document.cells)

    return run


def test_the_second_run_was_judged_against_the_champion_on_the_server(ask: Asked) -> None:
    code, out = ask("gate", "points", "--format", "json")
    results = {one["rule"]: one for one in json.loads(out)["verdict"]["results"]}
    assert (code, {rule: one["outcome"] for rule, one in results.items()}) == (
        0,
        {
            "usable": "pass",
            "about as good as what is live": "pass",
            "not worse on the same rows": "pass",
            "the same columns": "pass",
        },
    )
    assert results["not worse on the same rows"]["detail"]["rows"] == 120
    code, out = ask("register", "points")
    assert (code, "served version 2" in out) == (0, True)  # as it is there already


def test_all_doors_judge_alike_beside_a_champion(
    ask: Asked,
    project: Project,
    mlflow_server: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    notebook: RunCells,
) -> None:
    tracker = MlflowTracker(mlflow_server, tmp_path)
    (run_id, *_) = [run.run_id for run in tracker.find_runs(RunQuery(("served",)))]
    by_pipeline = tracker.read_artifact(run_id, "verdict.json")
    assert ask("gate", "points")[0] == 0
    assert tracker.read_artifact(run_id, "verdict.json") == by_pipeline
    monkeypatch.setenv("JPY_SESSION_NAME", str(project.folder / "points.ipynb"))
    sources = [source.replace("strength = 1.0", "strength = 0.5") for _, source in CELLS[:-1]]  # without registering
    notebook(sources, project.folder)
    runs = tracker.find_runs(RunQuery(("served",)))
    assert len(runs) == 3
    assert tracker.read_artifact(runs[0].run_id, "verdict.json") == by_pipeline


def test_promoting_and_returning(ask: Asked, mlflow_server: str, tmp_path: Path) -> None:
    registry = MlflowRegistry(mlflow_server, tmp_path)
    assert ask("promote", "served", "--reason", "better on Sundays", "--expect", "2")[0] == 6
    assert ask("promote", "served", "--reason", "better on Sundays", "--expect", "1")[0] == 0
    assert standing(registry, "served").entry.aliases == {"champion": "2"}
    assert ask("rollback", "served", "--reason", "wrong since noon")[0] == 0
    assert ask("promote", "served/2", "--to", "staging", "--reason", "another look")[0] == 0
    assert standing(registry, "served").entry.aliases == {"champion": "1", "challenger": "2"}
    assert registry.entry("nbmlops.lease.served") is None
    code, out = ask("audit", "export", "served")
    lines = [json.loads(line) for line in out.splitlines()]
    assert (code, [(line["action"], line["version"], line["reason"]) for line in lines]) == (
        0,
        [
            ("register", "1", ""),
            ("register", "2", ""),
            ("promote", "2", "better on Sundays"),
            ("rollback", "1", "wrong since noon"),
            ("promote", "2", "another look"),
        ],
    )
    (tmp_path / "audit.jsonl").write_text(out)
    code, out = ask("audit", "verify", "served", "--against", str(tmp_path / "audit.jsonl"))
    assert (code, "served: 5 lines, intact" in out) == (0, True)
    assert "better on Sundays" in ask("audit", "show", "served")[1]


def test_questions(ask: Asked, project: Project, mlflow_server: str) -> None:
    count = len(MlflowTracker(mlflow_server, project.folder).find_runs(RunQuery(("served",))))
    code, out = ask("lineage", "served/2", "--format", "json")
    story = json.loads(out)
    assert (code, story["version"]["version"], story["run"]["parameters"]) == (0, "2", {"strength": "0.5"})
    assert {one["name"] for one in story["run"]["data"]} == {"points", "data/points.csv"}
    for question in (("--data", "data/points.csv"), ("--data", "points"), ("--commit", "HEAD")):
        code, out = ask("lineage", *question)
        assert (code, f"{count} runs and 2 model versions were made from" in out) == (0, True), question
    code, out = ask("diff", "served/1", "served/2", "--format", "json")
    assert json.loads(out)["parameters"] == [{"name": "strength", "before": "1.0", "after": "0.5"}]
    code, out = ask("card", "served/2", "--store")
    assert (code, out.startswith("# served version 2\n"), "| strength | 0.5 |" in out) == (0, True, True)
    code, out = ask("runs", "served", "--format", "json")
    versions = [[one["version"] for one in run["versions"]] for run in json.loads(out)["runs"]]
    assert versions == [[]] * (count - 2) + [["2"], ["1"]]


def test_a_notebook_makes_a_version_again_beside_the_server(
    project: Project, mlflow_server: str, tmp_path: Path, notebook: RunCells
) -> None:
    before = MlflowRegistry(mlflow_server, tmp_path).versions("served")
    cells = notebook(["%load_ext nbmlops", "%mlops reproduce served/2"], project.folder)
    progress, view = [output for output in cells[1].outputs if "data" in output]
    assert progress.data["text/plain"] == "REPRODUCED served/2"
    shown = [line.split() for line in re.sub("[0-9a-f]{12,}", "HEX", view.data["text/plain"]).splitlines()]
    assert " ".join(shown[0]) == "EQUAL served version 2, made again from HEX: equal"
    assert [line[:3] for line in shown[3:]] == [
        ["EQUAL", "metric", "auc"],
        ["EQUAL", "data", "data/points.csv"],
        ["EQUAL", "data", "points"],
        ["EQUAL", "code", "pipeline"],
        ["EQUAL", "code", "notebook"],
        ["EQUAL", "model", "content"],
    ]
    assert "<table" in view.data["text/html"]
    assert MlflowRegistry(mlflow_server, tmp_path).versions("served") == before


class Away:
    """A server in front of the real one that goes away at a change of the registry, before or after it was made."""

    def __init__(self, uri: str) -> None:
        self.left, self.loses_answer = STAYS, False
        away = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.0"

            def _pass_on(self) -> None:
                changes = (self.command != "GET" and "/registered-models/" in self.path) or "set-tag" in self.path
                away.left -= changes
                if away.left < 0 and not (away.left == -1 and away.loses_answer and changes):
                    return  # no answer, and the real one was not asked
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) or None
                kind = {"Content-Type": self.headers.get("Content-Type") or "application/json"}
                request = urllib.request.Request(uri + self.path, body, kind, method=self.command)
                try:
                    with urllib.request.urlopen(request) as answer:
                        status, said = answer.status, answer.read()
                except urllib.error.HTTPError as error:
                    status, said = error.code, error.read()
                if away.left < 0:
                    return
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(said)

            do_GET = do_POST = do_PATCH = do_DELETE = _pass_on  # noqa: N815 - the names that the library asks for

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.uri = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def away(mlflow_server: str) -> Iterator[Away]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        made = Away(mlflow_server)
        thread = Thread(target=made.server.serve_forever)
        thread.start()
        yield made
        made.server.shutdown()
        made.server.server_close()
        thread.join()


@pytest.fixture
def interrupted(mlflow_server: str, tmp_path: Path) -> MlflowRegistry:
    """The registry on the server, with two versions of the model "interrupted", the first of them champion."""
    registry = MlflowRegistry(mlflow_server, tmp_path)
    client = registry._client
    run = client.create_run("0").info
    client.log_text(run.run_id, "flavors: {}", "model/MLmodel")
    registry.make_entry("interrupted", {})
    for number in ("1", "2"):
        client.create_model_version("interrupted", f"{run.artifact_uri}/model", run.run_id)
        registry.set_tags("interrupted", number, {VERDICT: "pass"})
    promote(registry, "interrupted", "1", ADA)
    return registry


def test_a_server_that_goes_away_while_a_version_is_promoted(
    away: Away, interrupted: MlflowRegistry, tmp_path: Path
) -> None:
    outcomes = set[tuple[str, ...]]()
    for lost in range(0, 60, 3):  # all of them take a minute
        before = len(standing(interrupted, "interrupted").log.lines)
        away.left, away.loses_answer = lost // 2, bool(lost % 2)
        error = promoting_error(MlflowRegistry(away.uri, tmp_path))
        away.left = STAYS
        change(interrupted, "interrupted", BOB, lambda _: None, wait=0)
        now = standing(interrupted, "interrupted")
        assert (faults(now.log, now.entry), intent_of(interrupted, "interrupted")) == ((), None)
        told = tuple(line.action.value for line in now.log.lines[before:])
        assert now.entry.aliases == {"champion": "2" if "promote" in told else "1"}
        outcomes.add(told)
        if error is None:
            break
        assert f"the tracking store {away.uri} cannot be used" in error.message
        promote(interrupted, "interrupted", "1", BOB)
    else:
        pytest.fail("it is cut off for ever")
    assert outcomes == {(), ("abandon",), ("promote", "complete"), ("promote",)}


def promoting_error(registry: MlflowRegistry) -> EnvironmentFault | None:
    try:
        promote(registry, "interrupted", "2", ADA)
    except EnvironmentFault as error:
        return error
    return None
