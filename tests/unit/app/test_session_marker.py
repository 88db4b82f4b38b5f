import subprocess
import sys

from nbmlops.app.session_marker import OpenRun, SessionMarker, abandoned_runs

HOLDER = """
import sys
from pathlib import Path
from nbmlops.app.session_marker import OpenRun, SessionMarker
marker = SessionMarker.place(Path(sys.argv[1]), OpenRun("r1", "sqlite:///x.db"))
print("ready", flush=True)
sys.stdin.readline()
"""


def test_a_run_is_abandoned_once_its_process_is_dead(tmp_path):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout.readline() == "ready\n"
    assert list(abandoned_runs(tmp_path)) == []
    holder.kill()
    holder.communicate()
    ((run, path),) = abandoned_runs(tmp_path)
    assert run == OpenRun("r1", "sqlite:///x.db")
    assert path == tmp_path / ".nbmlops" / "sessions" / "r1.json"


def test_a_run_that_was_ended_leaves_nothing(tmp_path):
    SessionMarker.place(tmp_path, OpenRun("r1", "sqlite:///x.db")).remove()
    assert list((tmp_path / ".nbmlops" / "sessions").iterdir()) == []


def test_files_that_say_nothing_are_left_alone(tmp_path):
    folder = tmp_path / ".nbmlops" / "sessions"
    folder.mkdir(parents=True)
    (folder / "part.json").write_text('{"run_id"')
    (folder / "other.json").write_text("[]")
    assert list(abandoned_runs(tmp_path)) == []
