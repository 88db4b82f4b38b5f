"""One shared store for several projects: what one has computed, another takes over, whatever happens to the store."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nbmlops.core.errors import EnvironmentFault
from nbmlops.runtime.handover.values import load_value
from nbmlops.runtime.reuse.foresee import foresee
from nbmlops.runtime.reuse.records import refs_of
from nbmlops.runtime.runner import run_pipeline
from nbmlops.runtime.schedule.events import Event, SharingFailed
from nbmlops.runtime.schedule.results import RunOptions, StepsResult
from nbmlops.runtime.store.shared_store import SharedStore
from nbmlops.runtime.store.store import Store
from tests.integration.test_runtime import Sketch, write_pipeline
from tests.unit.runtime.store.test_shared_store import record_of as shared_record

pytestmark = pytest.mark.slow

FIRST = Sketch(
    "first", "random.seed(n)\nx = [random.random() for _ in range(n)]\ntext = open('data.txt').read()",
    outputs=("x", "text"), parameters=("n",),
)  # fmt: skip
SECOND = Sketch("second", "y = sorted(x)", inputs={"x": "first"}, outputs=("y",))
SKETCHES = [FIRST, SECOND]


def clone(root: Path, sketches: list[Sketch] = SKETCHES) -> Path:
    root.mkdir(parents=True)
    (root / "data.txt").write_text("some data")
    return write_pipeline(root, sketches, {"n": 3})


def run(folder: Path, store: str, **options: object) -> tuple[StepsResult, list[str]]:
    events: list[Event] = []
    base = folder.parent.parent
    result = run_pipeline(folder, RunOptions(base=base, store=store, **options), events.append)  # type: ignore[arg-type]  # a test's shorthand
    return result, [event.reason for event in events if isinstance(event, SharingFailed)]


def told(result: StepsResult) -> list[str]:
    return [step.status.value for step in result.steps]


def files_of(store: Path, kind: str) -> list[Path]:
    return sorted(path for path in (store / kind).rglob("*") if path.is_file())


def test_a_second_project_runs_nothing_and_a_damaged_store_costs_time_only(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    one, two, three = (clone(tmp_path / name / "project") for name in ("one", "other/two", "three"))
    first, trouble = run(one, shared.as_uri())
    assert (told(first), trouble) == (["executed", "executed"], [])
    assert [foreseen.prospect.value for foreseen in foresee(two, RunOptions(store=shared.as_uri()))] == ["reuse"] * 2
    assert not (tmp_path / "other/two/project/.nbmlops/store").exists()  # nothing was pulled to say so
    second, trouble = run(two, shared.as_uri())
    assert (told(second), trouble) == (["cached", "cached"], [])
    assert [step.log for step in second.steps] == [step.log for step in first.steps]
    assert load_value(two, second, "y") == load_value(one, first, "y")
    assert [step.notebook for step in second.steps] == ["", ""]
    # Now the results are this project's own: the shared store may go.
    aside = shared.rename(tmp_path / "aside")
    assert told(run(two, shared.as_uri())[0]) == ["cached", "cached"]
    shutil.rmtree(shared, ignore_errors=True)
    aside.rename(shared)
    # A file that the step has read differs: its record does not count, whoever made it.
    (tmp_path / "three/project/data.txt").write_text("other data")
    assert told(run(three, shared.as_uri())[0]) == ["executed", "cached"]


def test_hostile_and_truncated_objects_are_never_loaded(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    one, two = clone(tmp_path / "one"), clone(tmp_path / "two")
    first, _ = run(one, shared.as_uri())
    hostile = b"cos\nsystem\n(S'touch " + str(tmp_path / "was_here").encode() + b"'\ntR."
    for path in files_of(shared, "objects"):
        size = path.stat().st_size
        path.write_bytes(hostile.ljust(size, b" ")[:size] if size > len(hostile) else path.read_bytes()[:-1])
    second, trouble = run(two, shared.as_uri())
    assert (told(second), not trouble) == (["executed", "executed"], False)
    assert all("is damaged there and counts as missing" in reason for reason in trouble)
    assert load_value(two, second, "y") == load_value(one, first, "y")
    assert not (tmp_path / "was_here").exists()
    # The run has mended the store.
    assert told(run(clone(tmp_path / "three"), shared.as_uri())[0]) == ["cached", "cached"]


def test_without_the_store_a_run_goes_on_unless_it_needs_it(tmp_path: Path) -> None:
    (tmp_path / "shared").write_text("a file, where a folder should be")
    store = (tmp_path / "shared").as_uri() + "/team"
    folder = clone(tmp_path / "one")
    result, trouble = run(folder, store)
    assert (told(result), len(trouble)) == (["executed", "executed"], 1)
    assert trouble[0].startswith(f"the shared store {store} cannot be used: NotADirectoryError")
    assert trouble[0].endswith("; this run goes on without it")
    for needing in ({"strict": True}, {"only": ("first",)}):
        with pytest.raises(EnvironmentFault, match="cannot be used: NotADirectoryError"):
            run(folder, store, force=True, **needing)
    (tmp_path / "shared").unlink()
    # What could not be shared then is shared by the next run.
    assert told(run(folder, store)[0]) == ["cached", "cached"]
    assert told(run(clone(tmp_path / "two"), store)[0]) == ["cached", "cached"]


def test_runs_at_once_share_a_store(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    folders = [clone(tmp_path / name) for name in ("one", "two")]
    command = [sys.executable, "-m", "nbmlops", "run", "--no-register", "--strict", "--store", str(shared)]
    started = [subprocess.Popen([*command, str(folder)], stdout=subprocess.DEVNULL) for folder in folders]
    assert [process.wait() for process in started] == [0, 0]
    assert told(run(clone(tmp_path / "three"), shared.as_uri())[0]) == ["cached", "cached"]


PUSHING = """
import sys
from pathlib import Path
from nbmlops.runtime.store.shared_store import SharedStore
from tests.unit.runtime.store.test_shared_store import record_of
from nbmlops.runtime.store.store import Store
store = Store(Path(sys.argv[1]))
record = record_of(store.put([bytes(range(256)) * (1 << 16)]))
print("ready", flush=True)
shared = SharedStore(sys.argv[2])
shared.push("tea", record, {value.ref for value in record.outcome.values}, store)
print("pushed", flush=True)
"""


def test_a_writer_that_is_killed_leaves_nothing_that_counts(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    for number in range(4):
        arguments = [sys.executable, "-c", PUSHING, str(tmp_path / "here"), shared.as_uri()]
        writer = subprocess.Popen(arguments, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(0.01 * number)
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
        sizes = {path.stat().st_size for path in files_of(shared, "objects") if not path.name.startswith(".new-")}
        assert sizes <= {1 << 24}
        assert len(files_of(shared, "records")) <= len(sizes)
        shutil.rmtree(shared, ignore_errors=True)


CLEANING = """
import sys, time
from datetime import UTC, datetime
from nbmlops.runtime.store import shared_garbage
from nbmlops.runtime.store.shared_garbage import SharedKeep, collect_shared
shared_garbage.YOUNG = 0.2
end = time.monotonic() + float(sys.argv[2])
gone = 0
while time.monotonic() < end:
    gone += len(collect_shared(sys.argv[1], SharedKeep(0), datetime.now(UTC), remove=True).files)
print(gone)
"""


def test_cleaning_beside_writers_and_readers_leaves_no_record_without_its_values(tmp_path: Path) -> None:
    url, here, seconds = (tmp_path / "shared").as_uri(), Store(tmp_path / "here"), 3.0
    cleaner = [sys.executable, "-c", CLEANING, url, str(seconds)]
    started = [subprocess.Popen(cleaner, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    end, wrong, number = time.monotonic() + seconds, list[str](), 0
    refs = [here.put([bytes([value]) * 5000]) for value in range(3)]
    while time.monotonic() < end:
        number += 1
        # Values come back again and again, so that old ones are found there while they are about to go.
        record = shared_record(refs[number % 3], f"20260101T{number:06d}Z-a")
        SharedStore(url).push("tea", record, refs_of(record.outcome), here)
        there, shared = Store(tmp_path / f"there{number % 5}"), SharedStore(url)
        for found in shared.records("tea", record.key):
            if shared.pull(refs_of(found.outcome), there):
                wrong += [ref.digest for ref in refs_of(found.outcome) if there.read(ref) != here.read(ref)]
        wrong += [ref.digest for ref in shared.damaged]
    gone = [int(process.communicate()[0]) for process in started]
    assert (wrong, min(gone) > 0) == ([], True)
    time.sleep(0.3)
    subprocess.run([*cleaner[:-1], "0.1"], check=True, stdout=subprocess.DEVNULL)
    names = [path.name for path in files_of(tmp_path / "shared", "records")]
    left = list(SharedStore(url).records("tea", shared_record(refs[0], "x").key))
    assert (len(names), len(left)) == (1, 1)
    assert SharedStore(url).has_objects(refs_of(left[0].outcome))
