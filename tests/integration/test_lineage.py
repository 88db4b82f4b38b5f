"""Lineage, the reverse questions and their errors over real MLflow: one SQLite file, and the shared server."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from msgspec.structs import replace
from sklearn.linear_model import LogisticRegression

from nbmlops.cli.main import main
from nbmlops.core.digest import digest_bytes
from nbmlops.data.describe import describe
from nbmlops.pipeline.run_record import StepLog
from nbmlops.registry.mlflow_registry import MlflowRegistry
from nbmlops.registry.read_story import read_story
from nbmlops.registry.story import Story
from nbmlops.registry.story_codec import story_to_json
from nbmlops.tracking.mlflow_tracker import MlflowTracker
from nbmlops.tracking.tracker import RunQuery, RunStart
from tests.fakes.in_memory import InMemoryRegistry, InMemoryTracker
from tests.fakes.told import COMMITS, data, tell

URI = "sqlite:///mlflow.db"


@pytest.fixture(scope="module")
def fitted() -> tuple[object, pd.DataFrame]:
    features = pd.DataFrame({"hour": np.arange(40.0)})
    return LogisticRegression().fit(features, np.arange(40) % 2), features


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, fitted: tuple[object, pd.DataFrame]) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("lineage")
    (root / "nbmlops.toml").write_text("")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        tell(MlflowTracker(URI, root), MlflowRegistry(URI, root), *fitted)
        yield root


def plain(story: Story) -> dict[str, Any]:
    """Returns the document without what differs from store to store."""
    document: Any = story_to_json(story)
    document["version"]["registered"] = ""
    document["run"] |= {"run_id": "", "started": "", "ended": ""}
    document["run"]["data"][0].pop("columns")
    return dict(document)


def in_memory(version: int) -> dict[str, Any]:
    tracker, registry = InMemoryTracker(), InMemoryRegistry()
    tell(tracker, registry)
    return plain(read_story(registry, tracker, registry.versions("flights")[2 - version]))


def test_the_whole_story_comes_back(project: Path):
    tracker, registry = MlflowTracker(URI, project), MlflowRegistry(URI, project)
    second, first = registry.versions("flights")
    assert plain(read_story(registry, tracker, second)) == in_memory(2)
    assert plain(read_story(registry, tracker, first)) == in_memory(1)
    assert second.created > 0


@pytest.mark.slow
def test_the_same_from_a_server(mlflow_server: str, tmp_path: Path, fitted: tuple[object, pd.DataFrame]):
    tracker, registry = MlflowTracker(mlflow_server, tmp_path), MlflowRegistry(mlflow_server, tmp_path)
    ids = tell(tracker, registry, *fitted)
    second, first = registry.versions("flights")
    assert plain(read_story(registry, tracker, second)) == in_memory(2)
    assert [facts.run_id for facts in tracker.find_runs(RunQuery(data="b" * 8))] == [ids[2], ids[1]]
    assert [facts.run_id for facts in tracker.find_runs(RunQuery(commit=COMMITS[0][:7]))] == [ids[0]]
    assert [facts.run_id for facts in tracker.find_runs(RunQuery(beginning=ids[0][:12]))] == [ids[0]]
    assert registry.of_runs(ids) == (second, first)


def test_queries(project: Path):
    tracker, registry = MlflowTracker(URI, project), MlflowRegistry(URI, project)

    def names(query: RunQuery) -> list[str]:
        return [facts.name for facts in tracker.find_runs(query)]

    assert names(RunQuery()) == ["run 2", "run 2", "run 1"]
    assert names(RunQuery(most=1)) == ["run 2"]
    assert names(RunQuery(("demo",), {"nbmlops.pipeline": "flights"}, commit=COMMITS[0])) == ["run 1"]
    assert names(RunQuery(("another",))) == []
    assert names(RunQuery(data="f" * 32)) == []
    assert registry.of_runs(()) == ()
    (newest, *_) = tracker.find_runs(RunQuery())
    assert tracker.read_document(newest.run_id, "nbmlops/other.json") is None
    assert tracker.read_document(newest.run_id, "verdict.json")["passed"] is False
    assert newest == tracker.run_facts(newest.run_id)


def test_a_version_whose_artifacts_are_gone_is_still_told(tmp_path: Path):
    tracker, registry = MlflowTracker(URI, tmp_path), InMemoryRegistry()
    ids = tell(tracker, registry)
    shutil.rmtree(tmp_path / "mlartifacts")
    story = read_story(registry, tracker, registry.versions("flights")[0])
    assert story.run.facts.run_id == ids[1]
    assert (story.run.traces, story.run.provenance, story.run.gate.verdict) == ((), None, None)


def asked(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main(["lineage", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_the_command(project: Path, monkeypatch, capsys, tmp_path: Path):
    monkeypatch.chdir(project)
    code, out, _ = asked(capsys, "--format", "json")
    assert code == 0
    assert json.loads(out)["subject"] == "flights version 2"
    for selector in (
        "flights/1",
        "models:/flights/1",
        json.loads(asked(capsys, "flights/1", "--format=json")[1])["run"]["run_id"][:20],
    ):
        assert "run 1" in asked(capsys, selector)[1]
    code, out, _ = asked(capsys, "flights@champion", "--svg", "-", "--html", str(tmp_path / "page.html"))
    assert out.startswith("<svg ")
    page = (tmp_path / "page.html").read_text("utf-8")
    assert "default-src 'none'" in page
    assert "better &lt;b&gt;AUC&lt;/b&gt;" in page
    assert "<b>AUC" not in page + out


def test_what_was_made_from_this(project: Path, monkeypatch, capsys):
    monkeypatch.chdir(project)
    frame = pd.DataFrame({"hour": [1, 2, 3]})
    frame.to_parquet("hours.parquet")
    tracker = MlflowTracker(URI, project)
    run_id = tracker.start_run(RunStart("other", "by hand")).run_id
    tracker.log_step(run_id, StepLog(data=(describe(frame, "hours"), replace(data(1), name="more", digest="c" * 32))))

    def made(*arguments: str) -> list[str]:
        code, out, _ = asked(capsys, *arguments, "--format", "json")
        assert code == 0
        return [run["name"] for run in json.loads(out)["runs"]]

    assert made("--data", "hours.parquet") == ["by hand"]
    assert made("--data", "c" * 8) == ["by hand"]
    assert made("--data", "flights~1") == ["run 1"]
    assert made("--commit", COMMITS[1][:10]) == ["run 2", "run 2"]
    versions = json.loads(asked(capsys, "--data", "a" * 32, "--format", "json")[1])["runs"][0]["versions"]
    assert versions == [{"name": "flights", "version": "1", "aliases": []}]


@pytest.mark.parametrize(
    ("arguments", "said", "hint"),
    [
        (("fligths",), "no model 'fligths' is registered; registered: flights", "did you mean 'flights'?"),
        (("flights/9",), "flights has no version or alias '9'; versions: 2, 1", ""),
        (("flights@champ",), "flights has no version or alias 'champ'", "did you mean 'champion'?"),
        (("abcd",), "there is no run 'abcd'; the newest:", "nbmlops runs"),
        (("--data", "aaab"), "no run was made from data 'aaab'; logged data:", "did you mean"),
        (("--data", "flihgts"), "no run was made from data 'flihgts'", "did you mean 'flights'?"),
        (("--data", "nbmlops.toml"), "no run has read nbmlops.toml as it is now (fingerprint ", "logged data: flights"),
        (("--commit", "1a1b"), "git knows no commit '1a1b', and no run names it", "did you mean '1a1a'?"),
        (("flights", "--commit", "1a1a"), "MODEL, --data and --commit exclude each other", "one of them"),
        (("--svg", "-", "--commit", "1a1a"), "--svg draws the lineage of a version or a run", "name one"),
    ],
)
def test_errors_name_what_is_near(project: Path, monkeypatch, capsys, arguments, said, hint):
    monkeypatch.chdir(project)
    code, out, err = asked(capsys, *arguments)
    assert (code, out) == (2, "")
    assert said in err
    assert hint in err


def test_a_project_without_a_store_or_a_model(tmp_path: Path, monkeypatch, capsys):
    (tmp_path / "nbmlops.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert "nothing has been tracked here" in asked(capsys)[2]
    MlflowTracker(URI, tmp_path).start_run(RunStart("demo"))
    assert "no model is registered yet" in asked(capsys)[2]


def test_git_names_of_commits(project: Path, monkeypatch, capsys, tmp_path: Path):
    git = ("git", "-c", "user.name=ann", "-c", "user.email=a@example.org", "-C", str(tmp_path))
    for arguments in (("init",), ("commit", "--allow-empty", "-m", "first")):
        subprocess.run([*git, *arguments], check=True, capture_output=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    (tmp_path / "nbmlops.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{project}/mlflow.db")
    assert f"no run was made from commit {head[:10]}" in asked(capsys, "--commit", "HEAD")[2]
    tags = {"nbmlops.git_commit": head}
    MlflowTracker(f"sqlite:///{project}/mlflow.db", project).start_run(RunStart("git", "from head", tags))
    assert "from head" in asked(capsys, "--commit", "HEAD")[1]


def test_runs_beside_each_other(project: Path, monkeypatch, capsys, tmp_path: Path):
    monkeypatch.chdir(project)

    def ran(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(["runs", *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    code, out, _ = ran("demo", "--sort", "auc", "--format", "json", "--html", str(tmp_path / "runs.html"))
    assert code == 0
    document = json.loads(out)
    assert [(one["metrics"]["auc"], one["verdict"], one["champion"]) for one in document["runs"]] == [
        (0.82, "pass", True),
        (0.8, "pass", False),
        (0.5, "fail", False),
    ]
    assert document["runs"][0]["versions"] == [{"name": "flights", "version": "2", "aliases": ["champion"]}]
    page = (tmp_path / "runs.html").read_text("utf-8")
    assert "default-src 'none'" in page
    assert "<script" not in page
    assert "◆ run 2" in ran("demo", "--most", "2")[1]
    code, out, err = ran("demmo")
    assert (code, out) == (2, "")
    assert "called 'demmo'" in err
    assert "did you mean 'demo'?" in err
    assert "did you mean 'auc'?" in ran("demo", "--sort", "auk")[2]


CELLS = (
    "%load_ext nbmlops\n%mlops track --notebook cells.ipynb",
    "import pandas as pd\nhours = pd.DataFrame({'hour': [7, 8, 9]})",
    "%mlops data hours",
    "%mlops param depth 7\n%mlops metric auc 0.9",
    "%mlops lineage",
    "%mlops lineage --data hours",
    "%mlops lineage flights/1",
    "%mlops runs demo --sort auc",
    "%mlops diff flights@champion",
    "import sys\nprint('mlflow' in sys.modules)",
)


@pytest.mark.slow
def test_a_notebook_asks(project: Path, monkeypatch, tmp_path: Path):
    import nbformat
    from nbclient import NotebookClient

    for name in ("JPY_SESSION_NAME", "IPYNB_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbformat.write(notebook, project / "cells.ipynb")
    where = {"metadata": {"path": str(project)}}
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources=where).execute()

    def shown(place: int, form: str) -> str:
        return "".join(output["data"].get(form, "") for output in notebook.cells[place].outputs if "data" in output)

    own = shown(4, "text/plain")
    assert own.startswith("LINEAGE run ")
    assert "depth  7" in own
    assert "hours  frame  3" in own
    assert re.search(r"\[2\] .* hours$", own, re.MULTILINE)
    assert "<svg " in shown(4, "text/html")
    assert shown(5, "text/plain").startswith("MADE 1 run and 0 model versions were made from data ")
    assert shown(6, "text/plain").startswith("LINEAGE flights version 1")
    assert shown(7, "text/plain").startswith("RUNS 3 runs of experiment demo, sorted by auc")
    assert "<script" not in shown(7, "text/html")
    diff = shown(8, "text/plain")
    assert "depth      5       7" in diff
    assert "auc     0.82    0.9    +0.08   better" in diff
    assert "hours                   only after" in diff
    assert notebook.cells[9].outputs[0]["text"] == "False\n"


def test_the_difference_as_page_and_document(project: Path, monkeypatch, capsys, tmp_path: Path):
    monkeypatch.chdir(project)
    capsys.readouterr()
    assert main(["diff", "flights/1", "flights", "--format", "json", "--html", str(tmp_path / "diff.html")]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["parameters"] == [{"name": "depth", "before": "3", "after": "5"}]
    assert document["metrics"] == [{"name": "auc", "before": 0.8, "after": 0.82, "better": True}]
    assert [cell["what"] for cell in document["code"]["cells"]] == ["changed", "added"]
    page = (tmp_path / "diff.html").read_text("utf-8")
    assert "default-src 'none'" in page
    assert "+model = fit(flights, depth=5)" in page
    assert main(["diff", "flights/1", "flights/7"]) == 2
    assert "flights has no version or alias '7'" in capsys.readouterr().err


def test_a_card_is_written_and_kept(project: Path, monkeypatch, capsys, tmp_path: Path):
    monkeypatch.chdir(project)
    words = '[card]\nlimits = "New York"\n[pipelines.flights.card]\nintended_use = "calls"\n'
    (project / "nbmlops.toml").write_text(words)
    capsys.readouterr()
    assert main(["card", "flights", "--store", "--html", str(tmp_path / "card.html")]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("# flights version 2\n")
    assert "## Intended use\n\ncalls\n\n## Limits\n\nNew York\n" in captured.out
    assert "missing: Slices and fairness\n" in captured.err
    assert "default-src 'none'" in (tmp_path / "card.html").read_text("utf-8")
    tracker, registry = MlflowTracker(URI, project), MlflowRegistry(URI, project)
    version = registry.versions("flights")[0]
    document = tracker.read_document(version.run_id, "nbmlops/cards/2.json")
    assert document is not None
    assert document["markdown"] == captured.out
    assert version.tags["nbmlops.card"] == digest_bytes(captured.out.encode())
    assert main(["card", version.run_id]) == 2
    assert "is a run, and cards are made of model versions" in capsys.readouterr().err
