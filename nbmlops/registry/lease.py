"""The lease of a model name: one process at a time changes which version is what, over a registry without locks.

A lease is a name that exists once. It holds who has it and, once that is decided, what is going to be done. Whoever
finds it left behind takes it over as it is, and first finishes or undoes what it says.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from msgspec import Struct, to_builtins
from msgspec.structs import replace

from nbmlops.core.errors import Conflict, NbmlopsError
from nbmlops.registry.registry import LEASE_PREFIX, ModelRegistry, NameEntry
from nbmlops.tracking.process import ProcessMark, is_gone, this_process

STALE_SECONDS = 120
"""A lease that is older was left behind, whoever has it: changing aliases takes seconds."""
WAIT_SECONDS = 10.0
"""How long another holder is waited for."""
_PAUSE_SECONDS = 0.1
_HOLDER = "nbmlops.holder"
_INTENT = "nbmlops.intent."

_held: set[str] = set()
"""Tokens of the leases that this process has now: one of its own that is not among them was left behind."""


class Holder(Struct, frozen=True):
    """Who has a lease.

    Attributes:
        who: The user.
        since: Since when (seconds since 1970).
        token: Used once. What is intended is written under it, so that nobody writes over what another one intends.
        process: Which process.
        after: Tokens of those from whom it was taken over, the first one first.
    """

    who: str
    since: float
    token: str
    process: ProcessMark
    after: tuple[str, ...] = ()

    def __str__(self) -> str:
        host = self.process.host.partition(" ")[0]
        return f"{self.who or 'somebody'} (process {self.process.pid} on {host})"


class Lease:
    """A lease that this process has.

    Args:
        registry: Where.
        name: The name that stands for it.
        holder: This process.
        recover: Finishes or undoes an intent.
    """

    def __init__(self, registry: ModelRegistry, name: str, holder: Holder, recover: Callable[[str], object]) -> None:
        self._registry, self._name, self._holder, self._recover = registry, name, holder, recover

    def intend(self, intent: str) -> None:
        """Writes what is going to be done, so that others could finish it, while nobody has taken the lease over.

        Raises:
            Conflict: somebody took it over.
            EnvironmentFault: the registry cannot be used.
        """
        self.check()
        self._registry.tag_entry(self._name, {f"{_INTENT}{self._holder.token}": intent})
        self.check()

    def check(self) -> NameEntry:
        """Returns the lease as it stands.

        Raises:
            Conflict: somebody took it over, since this process was away for too long.
            EnvironmentFault: the registry cannot be used.
        """
        entry = self._registry.entry(self._name)
        found = _holder(entry) if entry is not None else None
        if entry is None or found is None or found.token != self._holder.token:
            by = f" by {found}" if found else ""
            raise Conflict(
                f"changing {self._name.removeprefix(LEASE_PREFIX)} was taken over{by}: it took over {STALE_SECONDS} s",
                "look at the versions, then try again: nbmlops audit show",
            )
        return entry

    def settle(self) -> None:
        """Finishes or undoes what the lease says is going to be done.

        Raises:
            Conflict: somebody took it over.
            EnvironmentFault: the registry cannot be used.
        """
        tags = self.check().tags
        for token in (*self._after(tags), self._holder.token):
            if intent := tags.get(f"{_INTENT}{token}", ""):
                self._recover(intent)
                self._registry.tag_entry(self._name, {f"{_INTENT}{token}": ""})

    def _after(self, tags: Mapping[str, str]) -> tuple[str, ...]:
        found = _holder(NameEntry(self._name, tags))
        return found.after if found is not None else ()

    def end(self) -> None:
        """Gives it back.

        Raises:
            Conflict: somebody took it over.
            EnvironmentFault: the registry cannot be used.
        """
        self.check()
        self._registry.drop_entry(self._name)


@contextmanager
def lease(
    registry: ModelRegistry, model: str, who: str, recover: Callable[[str], object], wait: float = WAIT_SECONDS
) -> Iterator[Lease]:
    """Yields the lease of a model, after finishing what another process has left undone.

    Args:
        registry: Where.
        model: Its name.
        who: The user's name.
        recover: Finishes or undoes an intent; called again until it comes to its end, so it must do no harm twice.
        wait: Seconds to wait for another holder.

    Raises:
        Conflict: somebody else has it for all that time.
        EnvironmentFault: the registry cannot be used.
    """
    holder = Holder(who, time.time(), secrets.token_hex(8), this_process())
    held = Lease(registry, f"{LEASE_PREFIX}{model}", holder, recover)
    _held.add(holder.token)
    try:
        is_fresh = _take(registry, f"{LEASE_PREFIX}{model}", holder, time.monotonic() + wait)
        try:
            if not is_fresh:
                held.settle()
            yield held
        except BaseException:
            _give_back(held)
            raise
        held.end()
    finally:
        _held.discard(holder.token)


def intent_of(registry: ModelRegistry, model: str) -> tuple[Holder, str] | None:
    """Returns who is changing a model now and what is intended, "" before that is decided; None for nobody."""
    entry = registry.entry(f"{LEASE_PREFIX}{model}")
    holder = _holder(entry) if entry is not None else None
    if entry is None or holder is None:
        return None
    intents = [entry.tags.get(f"{_INTENT}{token}", "") for token in (*holder.after, holder.token)]
    return holder, next(filter(None, intents), "")


def left_behind(entry: NameEntry) -> Holder | None:
    """Returns who has left a lease behind; None where its holder may still go on.

    Args:
        entry: The name that stands for the lease.
    """
    if not _is_left_behind(entry):
        return None
    return _holder(entry) or Holder("", 0.0, "", ProcessMark(0, ""))


def _give_back(held: Lease) -> None:
    """Ends what was begun, if that is possible; if not, the next command does it."""
    try:
        held.settle()
        held.end()
    except NbmlopsError:
        return  # the registry is away, or the lease; the error that led here is what the user sees


def _take(registry: ModelRegistry, name: str, holder: Holder, until: float) -> bool:
    # True for a new lease, False for one that was left behind, with what it intends.
    while not registry.make_entry(name, _tags(holder)):
        entry = registry.entry(name)  # None when it was given back in this moment
        if entry is not None and _holder(entry) == holder:
            return True  # made after all: the answer was lost, and the client asked a second time
        if entry is not None and _is_left_behind(entry) and _take_over(registry, entry, holder):
            return False
        if time.monotonic() > until:
            other = _holder(entry) if entry is not None else None
            raise Conflict(
                f"{name.removeprefix(LEASE_PREFIX)} is being changed by {other or 'somebody'}",
                f"try again when that is done; a lease that was left behind ends after {STALE_SECONDS} seconds",
            )
        if entry is not None:
            time.sleep(_PAUSE_SECONDS)
    return True


def _take_over(registry: ModelRegistry, entry: NameEntry, holder: Holder) -> bool:
    """Returns whether a lease that was left behind is this process's now, with what it intends.

    The claim to it is a name that exists once as well, made of the token that was read: of several processes one goes
    on, and one that comes late finds another token in the lease. A claim that was left behind is taken over likewise.
    """
    found = _holder(entry)
    claim = f"{entry.name}.{found.token if found else 'unreadable'}"
    if not registry.make_entry(claim, _tags(holder)):
        other = registry.entry(claim)
        is_ours = other is not None and _holder(other) == holder  # the answer was lost, as in `_take`
        if other is None or not (is_ours or (_is_left_behind(other) and _take_over(registry, other, holder))):
            return False
    now = registry.entry(entry.name)
    if now is not None and _holder(now) == found:
        after = (*found.after, found.token) if found is not None else ()
        registry.tag_entry(entry.name, _tags(replace(holder, after=after)))
        registry.drop_entry(claim)
        return True
    registry.drop_entry(claim)
    return False


def _is_left_behind(entry: NameEntry) -> bool:
    holder = _holder(entry)
    if holder is None or time.time() - holder.since > STALE_SECONDS:
        return True
    if holder.process == this_process():
        return holder.token not in _held
    return is_gone(holder.process)


def _tags(holder: Holder) -> dict[str, str]:
    return {_HOLDER: json.dumps(to_builtins(holder))}


def _holder(entry: NameEntry) -> Holder | None:
    try:
        found = json.loads(entry.tags[_HOLDER])
        after = tuple(map(str, found.get("after", ())))
        process = ProcessMark(**found["process"])
        return Holder(str(found["who"]), float(found["since"]), str(found["token"]), process, after)
    except (KeyError, ValueError, TypeError):
        return None
