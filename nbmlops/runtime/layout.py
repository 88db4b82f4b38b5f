"""Where the runtime keeps things: one place that knows every path below the project's root."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nbmlops.pipeline.codec import FILE_NAME
from nbmlops.pipeline.ir import Pipeline

STATE_FOLDER = ".nbmlops"
RUNS_FOLDER = "runs"


@dataclass(frozen=True, slots=True)
class Layout:
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
    def runs(self) -> Path:
        """Executed notebooks and run documents."""
        return self.root / RUNS_FOLDER / self.pipeline


def layout_of(folder: Path, pipeline: Pipeline) -> Layout:
    """Returns the layout of the pipeline that was compiled into `folder`."""
    folder = folder.resolve()
    notebook = (folder / pipeline.notebook).resolve()
    return Layout(folder, (folder / pipeline.root).resolve(), pipeline.name, notebook.parent, notebook.name)


def pipeline_file(folder: Path) -> Path:
    """Returns the path of the document of the pipeline in `folder`."""
    return folder / FILE_NAME
