from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from nbmlops.core.interrupts import careful_interrupts, comes_later

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are other ones there")
PROGRAM = """
import importlib._bootstrap as machinery, os, signal, sys, time
from nbmlops.core.interrupts import careful_interrupts

class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == "slow":
            os.kill(os.getpid(), signal.SIGINT)
        return None

sys.meta_path.insert(0, Slow())
with careful_interrupts():
    try:
        try:
            import slow
        except ImportError:
            print("the import came to its end")
        time.sleep(10)
    except KeyboardInterrupt:
        print("interrupted")
"""


def frame_of(name: str) -> object:
    code = compile("import sys\nframe = sys._getframe()", name, "exec")
    found: dict[str, object] = {}
    exec(code, found)
    return found["frame"]


def test_an_interruption_of_the_import_machinery_comes_a_moment_later() -> None:
    seen: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _: seen.append(number))
    try:
        assert comes_later(signal.SIGUSR1, frame_of("<frozen importlib._bootstrap>"))
        end = time.monotonic() + 10
        while not seen and time.monotonic() < end:
            time.sleep(0.01)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert seen == [signal.SIGUSR1]


def test_elsewhere_it_comes_at_once() -> None:
    assert not comes_later(signal.SIGUSR1, frame_of("step.py"))
    assert not comes_later(signal.SIGUSR1, None)
    with pytest.raises(KeyboardInterrupt), careful_interrupts():
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_process_that_is_interrupted_in_an_import_ends_orderly() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.splitlines()[-1:] == ["interrupted"], done.stderr
