"""A shared store in a bucket, on a server that speaks S3 (moto), with s3fs in an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.test_runtime import Sketch, write_pipeline

pytestmark = [pytest.mark.targets, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
PYTHON = Path(os.environ["NBMLOPS_TARGETS"]).absolute() / "s3" / "bin" / "python"
STEP = Sketch(
    "only",
    "x = numpy.arange(n * 100_000)\ntext = 'a' * n",
    outputs=("x", "text"),
    parameters=("n",),
    imports="import numpy",
)
STORE = "s3://team/nbmlops"
SERVER = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""
RUN = """
import json, sys
from pathlib import Path
from nbmlops.runtime.schedule.events import SharingFailed
from nbmlops.runtime.schedule.results import RunOptions
from nbmlops.runtime.runner import run_pipeline
events = []
result = run_pipeline(Path(sys.argv[1]), RunOptions(store=sys.argv[2]), events.append)
reasons = [event.reason for event in events if isinstance(event, SharingFailed)]
print(json.dumps([[step.status.value for step in result.steps], reasons]))
"""
DAMAGE = """
import s3fs
files = s3fs.S3FileSystem()
for path in files.find("team/nbmlops/objects"):
    files.pipe_file(path, b"X" + files.cat_file(path)[1:])
"""
CLEAN = """
import json, sys
from datetime import UTC, datetime
from nbmlops.runtime.store import shared_garbage
from nbmlops.runtime.store.shared_garbage import SharedKeep, collect_shared
shared_garbage.YOUNG = float(sys.argv[2])
found = collect_shared(sys.argv[1], SharedKeep(0), datetime.now(UTC), remove=sys.argv[3] == "remove")
print(json.dumps({why.name: number for why, (number, _) in found.counts().items() if number}))
"""


@pytest.fixture(scope="module")
def server() -> Iterator[dict[str, str]]:
    """Yields the variables by which programs find the server."""
    process = subprocess.Popen([PYTHON, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    variables = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{process.stdout.readline().strip()}",
        "AWS_ACCESS_KEY_ID": "a-test-key",
        "AWS_SECRET_ACCESS_KEY": "a-test-secret",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    try:
        python("import s3fs; s3fs.S3FileSystem().mkdir('team')", variables)
        yield variables
    finally:
        process.communicate("", timeout=30)


def python(program: str, variables: dict[str, str]) -> None:
    subprocess.run([PYTHON, "-c", program], env={**os.environ, **variables}, check=True)


def told(variables: dict[str, str], program: str, *arguments: str) -> Any:
    """Runs a program of nbmlops in the environment of s3fs; returns the document that it prints last."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    done = subprocess.run(
        [PYTHON, "-c", program, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    return json.loads(done.stdout.splitlines()[-1])


def run(folder: Path, variables: dict[str, str], store: str = STORE) -> tuple[list[str], list[str]]:
    """Runs the steps; returns what became of them, and what went wrong with the store."""
    statuses, reasons = told(variables, RUN, str(folder), store)
    return statuses, reasons


def test_projects_share_a_bucket(server: dict[str, str], tmp_path: Path) -> None:
    one, two, three, four = (write_pipeline(tmp_path / name, [STEP], {"n": 2}) for name in "abcd")
    assert run(one, server) == (["executed"], [])
    assert run(two, server) == (["cached"], [])
    # What is in the bucket changes: it is not taken for what it was, and mended by the run that notices.
    python(DAMAGE, server)
    statuses, reasons = run(three, server)
    assert (statuses, len(reasons)) == (["executed"], 2)
    assert all(reason.endswith("of step only is damaged there and counts as missing") for reason in reasons)
    assert run(four, server) == (["cached"], [])
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and b"a-test-" in path.read_bytes()]
    assert kept == []  # no credentials


def test_a_server_that_is_not_there_is_told_once(server: dict[str, str], tmp_path: Path) -> None:
    folder = write_pipeline(tmp_path, [STEP], {"n": 2})
    statuses, (reason,) = run(folder, {**server, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"})
    assert statuses == ["executed"]
    assert reason.startswith("the shared store s3://team/nbmlops cannot be used: EndpointConnectionError")
    assert reason.endswith("; this run goes on without it")
    assert "a-test-" not in reason


def test_a_bucket_is_cleaned_of_what_nobody_needs(server: dict[str, str], tmp_path: Path) -> None:
    store = "s3://team/cleaned"
    one, two, three = (write_pipeline(tmp_path / name, [STEP], {"n": n}) for name, n in (("a", 2), ("b", 3), ("c", 3)))
    assert [run(folder, server, store) for folder in (one, two)] == [(["executed"], [])] * 2
    # Everything is young: nothing goes. Then nothing is: the first run's record and values go, not the latest's.
    assert told(server, CLEAN, store, "3600", "remove") == {}
    assert told(server, CLEAN, store, "-3600", "show") == {"RECORD": 1, "OBJECT": 2}
    assert told(server, CLEAN, store, "-3600", "remove") == {"RECORD": 1, "OBJECT": 2}
    assert told(server, CLEAN, store, "-3600", "remove") == {}
    assert run(three, server, store) == (["cached"], [])
    assert run(write_pipeline(tmp_path / "d", [STEP], {"n": 2}), server, store) == (["executed"], [])
