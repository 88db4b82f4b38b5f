"""Reads tables, arrays and models of a kernel in order to fingerprint them, never while a cell may be changing them.

A value is read in one of three ways, the first that is sound for it:

- *frozen*: frames of polars, and of pandas with copy-on-write, have a shallow copy that nothing can change: it is read
  on a thread, whatever cells do meanwhile. If a cell changes the frame while it is read, pandas copies what changes.
- *at once*, on the cell's thread, what takes a small part of the time that the cell took itself.
- *while no cell runs*, on a thread: anything else. As soon as code begins to run the reading ends; a fingerprint counts
  only if no code has begun since the cell ended. It is "busy" then.

What the reader cannot see is code that runs between cells without IPython: threads and tasks of the user's.
"""

from __future__ import annotations

import math
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from nbmlops.app.session.cell_names import kind_of
from nbmlops.core.diagnostics import Json
from nbmlops.core.errors import NbmlopsError
from nbmlops.core.threads import own_work
from nbmlops.tracking.cells import ValueSeen

MOST_BYTES = 4 << 30
MOST_COLUMNS = 10_000
MOST_SECONDS = 30.0
MOST_PARAMS = 200
MOST_TEXT = 500
MOST_WAITING_BYTES = 1 << 30
"""Frozen frames that wait cannot be freed by the notebook; more of them are not kept alive."""
SHARE = 0.03
"""Of the time that a cell took, so much may be spent on reading at once what it made."""
MODEL_SHARE = 0.25
MODEL_SECONDS = 0.1
"""The same for a model, at most; fitting one takes longer than reading it."""
_LEAST_SECONDS = 50e-6
_LEAST_MODEL_SECONDS = 3e-3
_LET_GO_SECONDS = 0.01
_WORK_SECONDS = 0.002
_REST_SECONDS = 0.005
_BYTES_PER_SECOND = 4e9
_VALUE_SECONDS = 20e-6
_OBJECT_SECONDS = 2e-7

_TOO_LONG = "reading it took more than"
BUSY = "busy: the next cell began before it was read"
Digests = Mapping[str, ValueSeen]
Tell = Callable[[Digests], None]


class _Stop(Exception):
    """Ends the reading of a value; says why."""


class _Job(Struct):
    """The values of one cell.

    Attributes:
        code: How often code had begun to run when the cell ended.
        tell: Takes the result.
        live: Name -> value that the next cell may change.
        frozen: Name -> shallow copy that nothing changes, as it seems at first sight.
        done: What is known already.
        size: Bytes that are kept alive.
    """

    code: int
    tell: Tell
    live: dict[str, Any] = field(default_factory=dict)
    frozen: dict[str, Any] = field(default_factory=dict)
    done: dict[str, ValueSeen] = field(default_factory=dict)
    size: int = 0

    def give_up(self, values: dict[str, Any], why: str) -> None:
        """Lets go of values, which get no fingerprint."""
        while values:
            name, value = values.popitem()
            self.done[name] = seen(value, why=why)


class ValueReader:
    """Fingerprints values on a thread, in order. The thread starts with the first ones."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._jobs: deque[_Job] = deque()
        self._size = 0
        self._code = 0
        self._awaited = self._closed = False
        self._idle = threading.Event()
        self._idle.set()
        self._worker: threading.Thread | None = None
        self.faults: dict[str, None] = {}
        """Why the values of some cells were not told."""

    def code_begins(self) -> None:
        """Notes that code begins to run; returns when nothing reads what it may change, or after 10 ms."""
        with self._changed:
            self._code += 1
            for job in self._jobs:  # an array that somebody holds cannot be resized
                job.give_up(job.live, BUSY)
        self._idle.wait(_LET_GO_SECONDS)

    def take(self, values: Mapping[str, Any], seconds: float, tell: Tell) -> None:
        """Takes the values that a cell, which has just ended, has left; called on its thread.

        Args:
            values: Name -> value.
            seconds: How long the cell ran.
            tell: Takes what was found out, on any thread, in the order of the cells.
        """
        job = _Job(self._code, tell)
        budget = max(_LEAST_SECONDS, SHARE * seconds)
        for name, value in values.items():
            try:
                budget -= self._sort(job, name, value, budget, seconds)
            except Exception as error:  # noqa: BLE001 - a class that is made to look like a table may refuse anything
                job.done[name] = ValueSeen("", type(value).__name__, (), why=f"{type(error).__name__}: {error}"[:200])
        self._put(job)

    def _sort(self, job: _Job, name: str, value: Any, budget: float, seconds: float) -> float:
        """Adds a value to a job; returns the seconds that were taken for it."""
        if reason := too_large(value):
            job.done[name] = seen(value, why=reason)
            return 0.0
        copy = frozen_copy(value)
        if copy is not None:
            job.frozen[name] = copy
            job.size += _size(value)
            return 0.0
        is_model = kind_of(type(value)) == "model"  # how long reading it takes shows when it is read
        cost = 0.0 if is_model else _seconds_to_read(value)
        most = min(MODEL_SECONDS, max(_LEAST_MODEL_SECONDS, MODEL_SHARE * seconds)) if is_model else budget
        # Its own time counts: on a busy machine everything takes longer, the cell did so as well.
        found = (
            _read(value, _deadline(most, time.thread_time)) if cost <= budget and _is_loaded() and most > cost else None
        )
        if found is None or found.why.startswith(_TOO_LONG):
            job.live[name] = value
        else:
            job.done[name] = found
        return cost

    def settle(self, seconds: float) -> bool:
        """Returns whether everything taken was told, after waiting for that."""
        with self._changed:
            self._awaited = True
            done = self._changed.wait_for(lambda: not self._jobs, seconds)
            self._awaited = False
            return done

    def close(self) -> None:
        """Ends the thread when it has told what was taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _put(self, job: _Job) -> None:
        with self._changed:
            if self._size + job.size > MOST_WAITING_BYTES and self._jobs:
                job.give_up(job.frozen, "busy: too many large frames wait to be read")
                job.size = 0
            self._size += job.size
            self._jobs.append(job)
            self._changed.notify_all()
            if self._worker is None:
                self._worker = threading.Thread(target=self._work, name="nbmlops-values", daemon=True)
                self._worker.start()

    def _work(self) -> None:
        with own_work():
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._closed or bool(self._jobs))
                    if not self._jobs:
                        return
                    job = self._jobs[0]
                try:
                    self._do(job)
                except Exception as error:  # noqa: BLE001 - whoever waits for a thread that has ended waits in vain
                    self.faults[f"{type(error).__name__}: {error}"[:200]] = None
                with self._changed:
                    self._jobs.popleft()
                    self._size -= job.size
                    self._changed.notify_all()
                del job

    def _do(self, job: _Job) -> None:
        while self._read_live(job):
            pass
        while job.frozen:
            name, value = job.frozen.popitem()
            if is_lasting(value):
                job.done[name] = _read(value, self._politely(job.code))
                continue
            with self._changed:
                job.live[name] = value
                if self._code != job.code:
                    job.give_up(job.live, BUSY)
            del value
            self._read_live(job)
        try:
            job.tell(job.done)
        except NbmlopsError:  # the spool cannot be written, which the next cell is told
            return

    def _politely(self, code: int) -> Callable[[], None]:
        """Returns what lets cells have most of the interpreter's lock while a value is read beside them."""
        in_time, turn = _deadline(MOST_SECONDS), time.monotonic() + _WORK_SECONDS

        def check() -> None:
            nonlocal turn
            in_time()
            if self._code != code and not self._awaited and time.monotonic() > turn:
                time.sleep(_REST_SECONDS)
                turn = time.monotonic() + _WORK_SECONDS

        return check

    def _read_live(self, job: _Job) -> bool:
        """Reads a value that the next cell may change; returns whether there was one."""
        with self._changed:
            if not job.live:
                return False
            name, value = job.live.popitem()
            self._idle.clear()
        in_time = _deadline(MOST_SECONDS)

        def check() -> None:
            if self._code != job.code:
                raise _Stop(BUSY)
            in_time()

        try:
            found = _read(value, check)
            # What code has done since it began may be in it, or not.
            job.done[name] = found if self._code == job.code or not found.digest else seen(value, why=BUSY)
        finally:
            del value
            self._idle.set()
        return True


def _deadline(seconds: float, clock: Callable[[], float] = time.monotonic) -> Callable[[], None]:
    """Returns what ends a reading that takes too long."""
    end = clock() + seconds

    def check() -> None:
        if clock() > end:
            raise _Stop(f"{_TOO_LONG} {seconds:g} seconds")

    return check


def seen(value: Any, digest: str = "", why: str = "") -> ValueSeen:
    """Returns what a value looks like, with its fingerprint or why it has none."""
    cls = type(value)
    return ValueSeen(
        kind_of(cls), f"{str(cls.__module__).partition('.')[0]}.{cls.__qualname__}", _shape(value), digest, why
    )


def model_params(model: Any) -> dict[str, Json]:
    """Returns the parameters of an estimator and of its parts that are plain values, by name."""
    params = {name: value for name, value in sorted(model.get_params(deep=True).items()) if _is_plain(value)}
    return dict(list(params.items())[:MOST_PARAMS])


def _is_plain(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, bool | int) or (isinstance(value, str) and len(value) <= MOST_TEXT)


def too_large(value: Any) -> str:
    """Returns why a value is not read at all, "" for one that is."""
    shape = _shape(value)
    if len(shape) > 1 and shape[1] > MOST_COLUMNS and kind_of(type(value)) in {"frame", "table"}:
        return f"it has {shape[1]} columns, more than {MOST_COLUMNS}"
    size = _size(value)
    return f"it takes about {size / 2**30:.0f} GiB, more than {MOST_BYTES >> 30}" if size > MOST_BYTES else ""


def frozen_copy(value: Any) -> Any:
    """Returns a shallow copy that what the notebook does cannot change, None where there is none; takes microseconds.

    A copy of a frame with columns of objects is none: the objects may change. `is_lasting` tells, which takes longer.
    """
    cls = type(value)
    library = cls.__module__.partition(".")[0]
    if library == "polars":
        return value.clone()
    if library == "pandas" and cls.__name__ in {"DataFrame", "Series"} and _copies_on_write():
        return value.copy(deep=False)
    return None


def _copies_on_write() -> bool:
    pandas = sys.modules["pandas"]
    return int(pandas.__version__.partition(".")[0]) >= 3


def is_lasting(copy: Any) -> bool:
    """Returns whether nothing that a shallow copy of a frame or series holds can be changed in place."""
    types = [copy.dtype] if kind_of(type(copy)) == "series" else list(copy.dtypes)
    if type(copy).__module__.startswith("polars"):
        return all(str(one) != "Object" for one in types)
    ours = all(type(one).__module__.partition(".")[0] in {"numpy", "pandas"} for one in types)
    return ours and all(getattr(one, "kind", "") != "O" or str(one) != "object" for one in types)


def _shape(value: Any) -> tuple[int, ...]:
    kind = kind_of(type(value))
    if kind == "table":
        return (value.num_rows, value.num_columns)
    if kind == "model":
        return ()
    return tuple(int(size) for size in value.shape)


def _size(value: Any) -> int:
    """Returns about how many bytes a value holds; texts count as eight."""
    size = getattr(value, "nbytes", None) if kind_of(type(value)) in {"array", "table"} else None
    if size is None:
        size = 8
        for extent in _shape(value):
            size *= extent
    return int(size)


def _seconds_to_read(value: Any) -> float:
    """Returns about how long reading a value takes."""
    kind = kind_of(type(value))
    columns = _shape(value)[1] if kind in {"frame", "table"} else 1
    objects = getattr(getattr(value, "dtype", None), "hasobject", False) or kind == "matrix"
    per_object = _OBJECT_SECONDS * _size(value) / 8 if objects or kind in {"frame", "series"} else 0.0
    return _VALUE_SECONDS * (1 + columns) + _size(value) / _BYTES_PER_SECOND + per_object * 5


def _is_loaded() -> bool:
    """Returns whether what computes fingerprints is loaded: importing it is for the thread."""
    return "nbmlops.data.fingerprints.fingerprint" in sys.modules


def _read(value: Any, check: Callable[[], None]) -> ValueSeen:
    from nbmlops.data.fingerprints.fingerprint import fingerprint  # noqa: PLC0415 - loads what computes digests

    try:
        found = seen(value, fingerprint(value, "it", check))
        return replace(found, params=model_params(value)) if found.kind == "model" else found
    except _Stop as stop:
        return seen(value, why=str(stop))
    except NbmlopsError as error:
        return seen(value, why=error.message)
    except Exception as error:  # noqa: BLE001 - a value of any library may refuse, or change under our eyes
        return seen(value, why=f"{type(error).__name__}: {error}"[:200])
