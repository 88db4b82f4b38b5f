from __future__ import annotations

import platform
from importlib.metadata import version
from pathlib import Path

import pytest
from msgspec.structs import replace

from nbmlops.core.digest import digest_bytes
from nbmlops.core.errors import EnvironmentFault
from nbmlops.pipeline.codec import read_pipeline
from nbmlops.runtime.executors.orders import Done, Order, execute, orders_of
from nbmlops.runtime.layout import layout_of
from nbmlops.runtime.reuse.plan import select
from nbmlops.runtime.schedule.results import RunOptions
from tests.integration.test_runtime import Sketch, write_pipeline

SKETCHES = [
    Sketch("first", "x = [n]", outputs=("x",), parameters=("n",)),
    Sketch("last", "y = x", inputs={"x": "first"}, outputs=("y",)),
]


def test_an_order_is_the_command_for_one_step_with_what_decides_its_result(tmp_path: Path) -> None:
    folder = write_pipeline(tmp_path, SKETCHES, {"n": 1, "names": ["a"], "text": "b"})
    pipeline = read_pipeline(folder / "pipeline.yaml")
    options = RunOptions(
        parameters={"n": 2, "names": ["c, d"], "text": "1, é"},
        first="last",
        timeout=5.0,
        strict=True,
        warm=False,
        store="s3://bucket/a",
        environment=lambda: {"OMP_NUM_THREADS": "2", "HOME": "/nowhere"},
    )
    common = Order(
        name="first",
        step="first",
        needs=(),
        root=str(tmp_path),
        below="pipelines/tiny",
        document=digest_bytes((folder / "pipeline.yaml").read_bytes()),
        arguments=(
            "--only=first",
            "--parameter=n=2",
            '--parameter=names=["c, d"]',
            "--parameter=text=1, é",
            "--strict",
            "--cold",
            "--timeout=5.0",
            "--store=s3://bucket/a",
            "--format=json",
        ),
        environment={"PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "2"},
        versions={"python": platform.python_version(), "click": version("click")},
    )
    forced = ("--only=last", *common.arguments[1:4], "--force", *common.arguments[4:])
    (folder / "requirements.lock").write_text("# a lock\nclick==0.0.1 \\\n    --hash=sha256:00\nnot-installed==1.0\n")
    selection = select(pipeline, "last", "", force=False)
    assert orders_of(pipeline, layout_of(folder, pipeline), selection, options, {}) == (
        common,
        replace(common, name="last", step="last", needs=("first",), arguments=forced),
    )


def order(root: Path, document: str, *arguments: str) -> Order:
    return Order("first", "first", (), str(root), "pipelines/tiny", document, arguments, {"PYTHONHASHSEED": "7"})


def test_a_worker_with_no_project_or_another_one_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_pipeline(tmp_path / "here", SKETCHES, {"n": 1})
    with pytest.raises(EnvironmentFault, match=r"the worker has no pipeline at .*/nowhere/pipelines/tiny"):
        execute(order(tmp_path / "nowhere", "0" * 64), [])
    with pytest.raises(EnvironmentFault, match="the worker has another state of the pipeline"):
        execute(order(tmp_path / "here", "0" * 64), [])
    monkeypatch.setenv("NBMLOPS_PROJECT", str(tmp_path / "here"))
    document = digest_bytes((folder / "pipeline.yaml").read_bytes())
    done = execute(order(tmp_path / "nowhere", document, "--only=nothing", "--format=json"), [])
    assert (done.code, "'nothing' is not a step of the pipeline" in done.told) == (2, True)


def test_a_worker_with_other_libraries_is_refused_by_name(tmp_path: Path) -> None:
    folder = write_pipeline(tmp_path, SKETCHES, {"n": 1})
    document = digest_bytes((folder / "pipeline.yaml").read_bytes())
    here = {"python": platform.python_version(), "click": version("click")}
    other = here | {"click": "0.0.1", "nowhere": "1.0", "python": "3.99.0", "zzz": "2.0"}
    with pytest.raises(EnvironmentFault) as told:
        execute(replace(order(tmp_path, document), versions=other), [])
    assert told.value.message.partition(" has another environment: ")[2] == (
        f"python {here['python']} instead of 3.99.0, click {here['click']} instead of 0.0.1, "
        "nowhere absent instead of 1.0 and 1 more"
    )
    assert told.value.hint.endswith("pip install -r pipelines/tiny/requirements.lock")


def test_a_step_behind_one_that_failed_is_not_begun() -> None:
    failed, skipped = Done("first", 1, 2.0), Done("middle", -1, 0.0, after="first")
    later = order(Path("/nowhere"), "")
    assert execute(later, [Done("zeroth", 0, 1.0), failed]) == Done("first", -1, 0.0, after="first")
    assert execute(later, [skipped]) == Done("first", -1, 0.0, after="first")
