"""Where the steps of a notebook come from: its tags, or a proposal for a notebook that has none."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nbmlops.analysis.imports.stars import expand_stars
from nbmlops.analysis.model import ClosingNames
from nbmlops.analysis.proposing.proposal import Proposal, StepsFrom
from nbmlops.app.project import PIPELINE_FILE
from nbmlops.core.errors import UsageError
from nbmlops.notebook.model import Notebook
from nbmlops.notebook.retag import has_step_tags
from nbmlops.pipeline.codec import read_pipeline


def steps_wanted(notebook: Notebook, asked: str, folder: Path) -> StepsFrom | None:
    """Returns where the steps come from; None for the notebook's tags.

    What the user asks for counts, then the tags, then what the pipeline was compiled with, then inference.

    Args:
        notebook: The notebook.
        asked: The value of `--steps`, "" if it was not given.
        folder: The pipeline's folder, whose record counts.

    Raises:
        UsageError: there is no such way, or the record cannot be read.
    """
    if asked:
        return steps_from(asked)
    if has_step_tags(notebook):
        return None
    document = folder / PIPELINE_FILE
    recorded = read_pipeline(document).steps_from if document.is_file() else ""
    return steps_from(recorded) if recorded else StepsFrom.INFERRED


def recorded_steps(notebook: Notebook, steps: StepsFrom | None) -> str:
    """Returns what the pipeline has to record to be compiled again in the same way; "" for what goes without saying."""
    if steps is None or (steps is StepsFrom.INFERRED and not has_step_tags(notebook)):
        return ""
    return steps.value


def cut_notebook(
    notebook: Notebook,
    steps: StepsFrom,
    closing: ClosingNames,
    local_modules: Mapping[str, str],
    star_names: Mapping[str, tuple[str, ...]],
) -> tuple[Notebook, Proposal]:
    """Returns the notebook cut into other steps than its tags say, and the proposal that it was cut by.

    Args:
        notebook: As the reader made it.
        steps: Where the steps come from.
        closing: Names that the configuration gives to the closing stages.
        local_modules: Sources of the modules beside the notebook that its cells import, by dotted name.
        star_names: What star imports bind, module -> names.
    """
    from nbmlops.analysis.proposing.propose import propose_steps, with_proposal  # noqa: PLC0415  # notebooks with tags need none

    proposal = propose_steps(expand_stars(notebook, star_names), steps, closing, local_modules)
    return with_proposal(notebook, proposal), proposal


def steps_from(text: str) -> StepsFrom:
    """Returns what a value of `--steps` means.

    Raises:
        UsageError: nothing.
    """
    try:
        return StepsFrom(text)
    except ValueError as error:
        known = ", ".join(steps.value for steps in StepsFrom)
        raise UsageError(f"there is no way {text!r} to find steps", f"known ways: {known}") from error
