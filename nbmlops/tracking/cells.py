"""What cells a notebook's run consists of: which ran when, in which order, how long, from what source, with what end.

Kept in memory as plain records; nothing here looks at variables or at the tracking store. A source is kept in this
process only, for finding hidden state; what is stored elsewhere is its digest.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from enum import StrEnum

from msgspec import Struct, field

from nbmlops.core.diagnostics import Json
from nbmlops.core.digest import digest_bytes

CELLS_SCHEMA = "nbmlops/cells/1"
CELLS_FILE = "nbmlops/cells.json"
MOST_RUNS = 20_000
"""How many runs of cells are kept; a loop that runs cells must not fill the memory."""


class CellOutcome(StrEnum):
    """How a cell ended. REFUSED: it is no valid code and did not begin. UNKNOWN: it ran before the run was followed."""

    DONE = "done"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class ValueSeen(Struct, frozen=True):
    """A table, an array or a model as a cell left it.

    Attributes:
        kind: "frame", "series", "table", "array", "matrix" or "model" (of scikit-learn).
        type: Library and class, such as "pandas.DataFrame".
        shape: Its extents.
        digest: Its fingerprint, the one that `%mlops data` would log; "" if it has none.
        why: Why it has none, or "".
        params: Of a model its plain parameters, those of its parts as "part__name".
    """

    kind: str
    type: str
    shape: tuple[int, ...]
    digest: str = ""
    why: str = ""
    params: Mapping[str, Json] = field(default_factory=dict)

    def to_json(self) -> dict[str, Json]:
        """Returns it as plain data."""
        found: dict[str, Json] = {"kind": self.kind, "type": self.type, "shape": list(self.shape)}
        more: dict[str, Json] = {"why": self.why, "params": dict(self.params)}
        return {**found, "digest": self.digest, **{name: value for name, value in more.items() if value}}


class CellValues(Struct, frozen=True):
    """The tables, arrays and models of one time that a cell ran.

    Attributes:
        made: Name -> what the cell has bound to it, or has changed in place.
        used: Name -> the fingerprint that it had before the cell, "" where that is not known.
    """

    made: Mapping[str, ValueSeen]
    used: Mapping[str, str]

    def to_json(self) -> dict[str, Json]:
        """Returns what is stored of it."""
        return {"made": {name: seen.to_json() for name, seen in self.made.items()}, "used": dict(self.used)}


class ValueMade(Struct, frozen=True):
    """A table, an array or a model as the cell left it that made or changed it last; `count` is that cell's."""

    count: int
    seen: ValueSeen


class CellRun(Struct, frozen=True):
    """One time that a cell ran.

    Attributes:
        source: Its text as it ran.
        cell: The front end's id of the cell, "" where it tells none (papermill, nbconvert, a terminal).
        count: IPython's execution count, 0 where it has none.
        started: Milliseconds since 1970, 0 where unknown.
        seconds: How long it ran.
        outcome: How it ended.
        error: Class of what it raised, or "".
        read: Files that it read, each with the evidence for it.
        wrote: Files that it made or changed.
        recorded: Whether it belongs to the run; False while that was paused.
    """

    source: str
    cell: str = ""
    count: int = 0
    started: int = 0
    seconds: float = 0.0
    outcome: CellOutcome = CellOutcome.UNKNOWN
    error: str = ""
    read: tuple[tuple[str, str], ...] = ()
    wrote: tuple[str, ...] = ()
    recorded: bool = True

    @property
    def digest(self) -> str:
        """SHA-256 of the source."""
        return digest_bytes(self.source.encode("utf-8", "backslashreplace"))

    def to_json(self) -> dict[str, Json]:
        """Returns what is stored of it: of the source only the digest."""
        return {
            "cell": self.cell,
            "count": self.count,
            "source_sha256": self.digest,
            "started": self.started,
            "seconds": round(self.seconds, 6),
            "outcome": self.outcome.value,
            "error": self.error,
            "read": dict(self.read),
            "wrote": list(self.wrote),
        }


class CellRecord:
    """The cells of one run in the order in which they ended, how many, and what was deleted since, as front ends say.

    Args:
        earlier: Sources of the cells that ran before the run began.
    """

    def __init__(self, earlier: Iterable[str] = ()) -> None:
        self._runs = deque((CellRun(source) for source in earlier), MOST_RUNS)
        self.deleted: frozenset[str] = frozenset()
        self.added = self.noted = 0  # all, and those that the run records

    def add(self, run: CellRun, deleted: Iterable[str] = ()) -> None:
        """Adds a cell that has ended.

        Args:
            run: What is known of it.
            deleted: Ids of cells that the front end says were deleted since it last told.
        """
        self._runs.append(run)
        self.added += 1
        self.noted += run.recorded
        # A cell that runs is there again, as after "undo".
        self.deleted = (self.deleted | frozenset(deleted)) - {run.cell}

    @property
    def runs(self) -> tuple[CellRun, ...]:
        """The runs of cells, oldest first."""
        return tuple(self._runs)

    @property
    def recorded(self) -> tuple[CellRun, ...]:
        """Those that the run records: not what ran while it was paused."""
        return tuple(run for run in self._runs if run.recorded)
