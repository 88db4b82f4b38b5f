"""The stores that a notebook's questions are put to: those of its open run, else ones in another process.

MLflow is not imported in a kernel for a question (ADR 30).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nbmlops.app.session.session import NotebookSession
from nbmlops.app.wiring import Opener, Readable, open_existing


@contextmanager
def asked_stores(session: NotebookSession | None) -> Iterator[Opener]:
    """Yields what opens the stores; a process that was started for the question ends with it.

    Args:
        session: The open run of this kernel, or None.
    """
    # Only who asks without a run of the same store starts a process.
    from nbmlops.app.session.store_process import RemoteStores  # noqa: PLC0415  # only who asks without a run needs it

    opened: dict[str, RemoteStores] = {}

    def open_stores(root: Path, uri: str) -> Readable:
        if session is not None and session.tracking_uri == uri:
            return session.stores
        if uri not in opened:
            open_existing(root, uri)
            opened[uri] = RemoteStores(root, uri)
        return opened[uri]

    try:
        yield open_stores
    finally:
        for stores in opened.values():
            stores.close()
