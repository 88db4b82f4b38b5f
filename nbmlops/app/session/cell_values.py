"""Which tables and arrays the cells of a kernel made, changed and used, connected by names and fingerprints.

What a cell binds it has made. What it names without binding it, and what has another fingerprint afterwards, it has
changed. The rest it has used, as the cells before left it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

from nbmlops.app.session.cell_names import roles, tables_named
from nbmlops.app.session.value_reader import ValueReader
from nbmlops.tracking.cells import CellOutcome, CellRun, CellValues, ValueSeen

_LIBRARIES = ("numpy", "polars", "pyarrow")  # pandas and SciPy import NumPy

Tell = Callable[[int, CellValues], None]


class Ledger:
    """Knows the last fingerprint of each name. Pure."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def forget(self) -> None:
        """Forgets all of them: something ran that nobody followed."""
        self._known.clear()

    def enter(self, source: str, seen: Mapping[str, ValueSeen], *, whole: bool = True) -> CellValues:
        """Returns what a cell did, which is the next one.

        Args:
            source: Its text.
            seen: The tables and arrays that it names, as it left them.
            whole: Whether it came to its end; of one that did not, what is as it was may not have been bound.
        """
        found = roles(source)
        binds = found.binds if found is not None else frozenset[str]()
        loads = found.loads if found is not None else frozenset(seen)
        before, made, used = dict(self._known), {}, {}
        for name in sorted(seen):
            now = seen[name]
            last = before.get(name, "")
            changed = bool(last and now.digest and last != now.digest)
            if changed or (name in binds and (whole or last != now.digest)):
                made[name] = now
            if name in loads and (name in before or name not in binds):
                # Of a name that nobody has seen so far, what it is now is what it was.
                used[name] = last if name in before else now.digest
            if name in binds or name in loads or changed:
                # One that could not be read, and that the cell may have changed, is not known any more.
                self._known[name] = now.digest
        return CellValues(made, used)


class CellTables:
    """Follows the tables and arrays of a kernel's cells.

    Args:
        namespace: The kernel's variables, live.
        tell: Takes what each cell did, by its number; called on a thread.
    """

    def __init__(self, namespace: Mapping[str, Any], tell: Tell) -> None:
        self._namespace = namespace
        self._tell = tell
        self._ledger = Ledger()
        self._reader = ValueReader()
        self._missed = False

    def code_begins(self) -> None:
        """Notes that code begins to run, which may change what is being read."""
        self._reader.code_begins()

    def cell_left(self) -> None:
        """Notes that a cell ended whose tables are not looked at: what it changed, no later cell did."""
        self._missed = True

    def cell_ended(self, number: int, run: CellRun) -> None:
        """Takes a cell that has just ended.

        Args:
            number: How many cells of the run were noted before it.
            run: What is known of it.
        """
        modules = sys.modules
        if run.outcome is CellOutcome.REFUSED or not any(name in modules for name in _LIBRARIES):
            return
        values = tables_named(run.source, self._namespace)
        if values:
            missed, self._missed = self._missed, False
            self._reader.take(values, run.seconds, lambda seen: self._take(number, run, seen, missed=missed))

    @property
    def faults(self) -> tuple[str, ...]:
        """Why the tables of some cells were not told."""
        return tuple(self._reader.faults)

    def settle(self, seconds: float) -> bool:
        """Returns whether all of it was told, after waiting for that."""
        return self._reader.settle(seconds)

    def close(self) -> None:
        """Ends following."""
        self._reader.close()

    def _take(self, number: int, run: CellRun, seen: Mapping[str, ValueSeen], *, missed: bool) -> None:
        if missed:
            self._ledger.forget()
        found = self._ledger.enter(run.source, seen, whole=run.outcome is CellOutcome.DONE)
        if found.made or found.used:
            self._tell(number, found)
