"""What a step is given outside of a run: by plain papermill, or by hand in Jupyter."""

from __future__ import annotations

import itertools
from pathlib import Path

from nbmlops.core.errors import UsageError
from nbmlops.pipeline.codec import read_pipeline
from nbmlops.runtime.ambient.handover import refuse_lost_settings
from nbmlops.runtime.handover.namespace import namespace_before
from nbmlops.runtime.layout import layout_of, pipeline_file
from nbmlops.runtime.reuse.cache import StepCache
from nbmlops.runtime.steps.context import StepContext


def context_by_hand(name: str, known: Path | None) -> StepContext:
    """Returns what a step is given that nobody runs but the user, by plain papermill or in Jupyter.

    Args:
        name: The step's name.
        known: The folder of the pipeline whose step this process has opened before; None for none.

    Raises:
        UsageError: there is no pipeline here, or it has no such step.
        StepFailed: an earlier step has set something that cannot be stored.
    """
    folder = _pipeline_folder(known)
    pipeline = read_pipeline(pipeline_file(folder))
    if name not in [step.name for step in pipeline.steps]:
        raise UsageError(f"the pipeline in {folder.name} has no step {name!r}", "compile the notebook again")
    layout = layout_of(folder, pipeline)
    cache = StepCache(layout.cache, layout.state)
    values, ambient = namespace_before(pipeline, name, cache)
    before = itertools.takewhile(lambda step: step.name != name, pipeline.steps)
    latest = [record for step in before if (record := cache.latest(step.name)) is not None]
    refuse_lost_settings([record.outcome for record in latest], name, pipeline.name)
    return StepContext(name, folder, values, ambient, None)


def _pipeline_folder(known: Path | None) -> Path:
    here = Path.cwd()
    for folder in (here, here.parent):
        if pipeline_file(folder).is_file():
            return folder
    if known is not None:
        return known  # this cell is run again, after the step changed the folder
    raise UsageError(
        f"{here} holds no pipeline.yaml", "run step notebooks in the pipeline's folder: papermill notebooks/… out.ipynb"
    )
