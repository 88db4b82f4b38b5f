"""A compiled pipeline with everything that running, judging and registering need to know about it."""

from __future__ import annotations

import shlex
from pathlib import Path

from msgspec import Struct

from nbmlops.app.config.config import PipelineConfig, load_config
from nbmlops.app.project import PIPELINE_FILE, find_pipeline, resolve, shown_path
from nbmlops.app.wiring import tracking_uri
from nbmlops.core.secret_settings import know_secrets
from nbmlops.pipeline.codec import read_pipeline
from nbmlops.pipeline.ir import Pipeline


class OpenedPipeline(Struct, frozen=True):
    """A compiled pipeline in its project.

    Attributes:
        folder: Its folder, absolute.
        root: The project's root, absolute.
        pipeline: The document.
        config: Its settings.
        uri: The tracking store.
    """

    folder: Path
    root: Path
    pipeline: Pipeline
    config: PipelineConfig
    uri: str

    @property
    def model_name(self) -> str:
        """The name that its versions have in the registry, whether or not it registers any."""
        if self.pipeline.register is not None:
            return self.pipeline.register.model_name
        return self.config.model_name or self.pipeline.name

    @property
    def judges(self) -> bool:
        """Whether a run ends at the gate: the notebook or the configuration asks for it, or a model is registered."""
        return self.pipeline.gate is not None or self.pipeline.register is not None

    def run_command(self, cwd: Path) -> str:
        """Returns the command that runs it, as it is typed in this folder."""
        return f"nbmlops run {shlex.quote(shown_path(self.folder, cwd))}"


def open_pipeline(text: str, cwd: Path) -> OpenedPipeline:
    """Returns the compiled pipeline that the user named by its folder or by its name.

    Raises:
        UsageError: there is no such pipeline, or its document is broken.
        ConfigError: the configuration is malformed.
    """
    folder = find_pipeline(text, cwd)
    pipeline = read_pipeline(folder / PIPELINE_FILE)
    root = resolve(folder / pipeline.root)
    config = load_config(root).for_pipeline(pipeline.name)
    know_secrets(config.secrets, config.tracking_uri)
    return OpenedPipeline(folder, root, pipeline, config, tracking_uri(root, config))
