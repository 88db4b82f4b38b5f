"""What `gate` and `register` are about: a run by its id, or the latest run of a pipeline."""

from __future__ import annotations

import re
from pathlib import Path

from msgspec import Struct

from nbmlops.app.project import PIPELINES, find_root, pipeline_names
from nbmlops.app.running.opened import OpenedPipeline, open_pipeline
from nbmlops.app.running.results import KnownResults, ResultsIndex
from nbmlops.core.errors import UsageError

_RUN_ID = re.compile(r"[0-9a-f]{32}")


class Target(Struct, frozen=True):
    """A run that the user named.

    Attributes:
        opened: The pipeline it is of; None for a run whose pipeline is not known here.
        run_id: Its id; "" for the latest run of the pipeline, where no run is known here.
        known: Its results, where they are known here.
    """

    opened: OpenedPipeline | None
    run_id: str
    known: KnownResults | None


def find_target(text: str, cwd: Path) -> Target:
    """Returns the run that the user named.

    Args:
        text: A run's id, a pipeline's folder or name; "" for the only pipeline of the project.
        cwd: The folder that relative paths count from.

    Raises:
        UsageError: there is no such pipeline, or it is not clear which one is meant.
        ConfigError: the configuration is malformed.
    """
    if _RUN_ID.fullmatch(text) and not (cwd / text).exists():
        return _by_run(text, cwd)
    opened = open_pipeline(text or _only_pipeline(cwd), cwd)
    known = ResultsIndex(opened.root, opened.pipeline.name).latest()
    return Target(opened, known.record.run_id if known else "", known)


def _by_run(run_id: str, cwd: Path) -> Target:
    root = find_root(cwd)
    for name in pipeline_names(root):
        opened = open_pipeline(str(root / PIPELINES / name), cwd)
        known = ResultsIndex(opened.root, opened.pipeline.name).of_run(run_id)
        if known is not None:
            return Target(opened, run_id, known)
    return Target(None, run_id, None)


def _only_pipeline(cwd: Path) -> str:
    root = find_root(cwd)
    names = pipeline_names(root)
    if len(names) == 1:
        return str(root / PIPELINES / names[0])
    if not names:
        raise UsageError("the project has no compiled pipeline", "make one: nbmlops compile NOTEBOOK.ipynb")
    raise UsageError("the project has several pipelines", f"name one of them: {', '.join(names)}")
