"""What has to be there before a step can be executed: a kernel, and a folder for executed notebooks."""

from __future__ import annotations

import importlib.util
import shutil

from nbmlops.core.bytecode import drop_outdated
from nbmlops.core.errors import EnvironmentFault
from nbmlops.runtime.layout import Layout
from nbmlops.runtime.schedule.execute import SCRATCH


def prepare_ground(layout: Layout) -> None:
    """Makes the folder of executed notebooks, and has no step import a module as it was before its last change.

    Raises:
        EnvironmentFault: there is no kernel, or nowhere to keep executed notebooks.
    """
    if importlib.util.find_spec("ipykernel") is None:
        raise EnvironmentFault("ipykernel is not installed beside nbmlops", "install it: pip install ipykernel")
    try:
        layout.runs.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentFault(
            f"cannot make {layout.runs}, where executed notebooks are kept: {error.strerror or error}",
            "make the project's folder writable, or move away the file that stands in its place",
        ) from error
    for folder in (layout.package, layout.source):
        drop_outdated(folder)


def clear_ground(layout: Layout) -> None:
    """Removes what runs have left that were killed; only for one that nobody else runs beside."""
    for leftover in layout.runs.glob(f"*/{SCRATCH}*"):
        shutil.rmtree(leftover, ignore_errors=True)  # in nobody's way
