"""Which records a run may reuse: those of this machine, and those of a shared store if it has one."""

from __future__ import annotations

from collections.abc import Callable

from nbmlops.runtime.layout import Layout
from nbmlops.runtime.reuse.cache import StepCache
from nbmlops.runtime.schedule.events import Event
from nbmlops.runtime.schedule.results import RunOptions


def open_cache(layout: Layout, options: RunOptions, tell: Callable[[Event], None]) -> StepCache:
    """Returns the records that a run may reuse: those of this machine, and those of the shared store if it has one."""
    if not options.store:
        return StepCache(layout.cache, layout.state)
    from nbmlops.runtime.store.shared_cache import SharedCache  # noqa: PLC0415  # threads and URLs that most runs do without
    from nbmlops.runtime.store.shared_store import SharedStore  # noqa: PLC0415  # likewise

    return SharedCache(layout, SharedStore(options.store), tell, needed=bool(options.only) or options.strict)


def foreseen_cache(layout: Layout, options: RunOptions) -> StepCache:
    """Returns the records that a run may reuse, for looking at: values of the shared store are not pulled.

    What is in a shared store that cannot be used is left out.
    """
    if not options.store:
        return StepCache(layout.cache, layout.state)
    from nbmlops.runtime.store.shared_cache import SharedCache  # noqa: PLC0415  # as above
    from nbmlops.runtime.store.shared_store import SharedStore  # noqa: PLC0415  # likewise

    return SharedCache(layout, SharedStore(options.store), lambda _: None, looks_only=True)
