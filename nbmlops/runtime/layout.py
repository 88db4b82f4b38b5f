"""Where the runtime keeps things: one place that knows every path below the project's root."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from msgspec import Struct

from nbmlops.core.errors import EnvironmentFault
from nbmlops.pipeline.codec import FILE_NAME
from nbmlops.pipeline.ir import Pipeline

STATE_FOLDER = ".nbmlops"
RUNS_FOLDER = "runs"
LOCK_FILE = "run.lock"
"""Beside the latest records of a pipeline: whoever runs it holds a lock on this file."""
BEGUN_FILE = "run.begun"
"""Beside it while a run executes steps: its name, for the run after it if it is killed."""
ENVIRONMENT = "environment"
"""The module of the package that prepares a process before a step's imports."""


class Layout(Struct, frozen=True):
    """The paths of one pipeline.

    Attributes:
        folder: The pipeline's folder, absolute.
        root: The project's root, absolute.
        pipeline: Its name.
        source: The folder of the source notebook, absolute: where the steps run.
        notebook: The source notebook's file name, for messages.
    """

    folder: Path
    root: Path
    pipeline: str
    source: Path
    notebook: str

    @property
    def package(self) -> Path:
        """The generated package."""
        return self.folder / self.pipeline

    @property
    def store(self) -> Path:
        """Objects, shared by all pipelines of the project."""
        return self.root / STATE_FOLDER / "store"

    @property
    def cache(self) -> Path:
        """Step keys to records."""
        return self.root / STATE_FOLDER / "cache" / self.pipeline

    @property
    def state(self) -> Path:
        """The latest record of each step."""
        return self.root / STATE_FOLDER / "state" / self.pipeline

    @property
    def shared(self) -> Path:
        """What is known to be in shared stores."""
        return self.root / STATE_FOLDER / "shared"

    @property
    def runs(self) -> Path:
        """Executed notebooks and run documents."""
        return self.root / RUNS_FOLDER / self.pipeline


def layout_of(folder: Path, pipeline: Pipeline) -> Layout:
    """Returns the layout of the pipeline that was compiled into `folder`.

    Raises:
        EnvironmentFault: the project's state belongs to another user: pickles are loaded from there.
    """
    folder = folder.resolve()
    notebook, root = (folder / pipeline.notebook).resolve(), (folder / pipeline.root).resolve()
    state = root / STATE_FOLDER
    if os.path.lexists(state):
        found = state.lstat()
        if is_foreign(found.st_uid, found.st_mode, os.geteuid()):
            raise EnvironmentFault(
                f"{state} belongs to another user, who could put code into your runs",
                "move the project into a folder of your own, or remove that one",
            )
    return Layout(folder, root, pipeline.name, notebook.parent, notebook.name)


def is_foreign(owner: int, mode: int, me: int) -> bool:
    """Returns whether a folder is not to be trusted: it is neither mine nor the administrator's.

    The administrator, as whom containers run, may use what belongs to somebody else unless anybody may write there.
    """
    return owner not in {me, 0} and (me != 0 or bool(mode & stat.S_IWOTH))


def pipeline_file(folder: Path) -> Path:
    """Returns the path of the document of the pipeline in `folder`."""
    return folder / FILE_NAME
