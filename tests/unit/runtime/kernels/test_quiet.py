from __future__ import annotations

import threading
import warnings

from nbmlops.runtime.kernels.quiet import Quiet


def test_whoever_is_last_puts_the_filters_back() -> None:
    before, quiet = list(warnings.filters), Quiet()
    entered, leave = threading.Event(), threading.Event()

    def other() -> None:
        with quiet:
            entered.set()
            leave.wait(10)

    thread = threading.Thread(target=other)
    with quiet:
        thread.start()
        assert entered.wait(10)
    assert warnings.filters[0][0] == "ignore"
    leave.set()
    thread.join()
    assert list(warnings.filters) == before
