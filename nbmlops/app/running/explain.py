"""Explaining, before a run, what it would do with each step, and why."""

from __future__ import annotations

from difflib import get_close_matches

from msgspec import Struct

from nbmlops.app.running.opened import open_pipeline
from nbmlops.app.running.run import RunRequest, shared_store
from nbmlops.core.errors import UsageError
from nbmlops.runtime.parameters import parse_overrides
from nbmlops.runtime.reuse.foresee import Foreseen, foresee
from nbmlops.runtime.schedule.results import RunOptions


class Explanation(Struct, frozen=True):
    """What a run of the pipeline would do with the steps that were asked about."""

    pipeline: str
    steps: tuple[Foreseen, ...]


def explain(request: RunRequest, step: str = "") -> Explanation:
    """Returns what a run as requested would do; it changes nothing, and waits for nobody.

    Args:
        request: The run; its pipeline, parameters, `force`, `from_step` and `to_step` count.
        step: Only this step; "" for all.

    Raises:
        UsageError: the pipeline, a parameter or a step cannot be used.
        ConfigError: the configuration is malformed.
    """
    opened = open_pipeline(request.pipeline, request.cwd)
    options = RunOptions(
        parameters={**parse_overrides(opened.pipeline, request.parameters), **request.values},
        force=request.force,
        first=request.from_step,
        last=request.to_step,
        store=shared_store(opened, request),
    )
    steps = foresee(opened.folder, options)
    names = [foreseen.step for foreseen in steps]
    if step and step not in names:
        near = get_close_matches(step[:200], names, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"its steps are: {', '.join(names)}"
        raise UsageError(f"{step!r:.80} is not a step of this run of {opened.pipeline.name!r}", hint)
    return Explanation(opened.pipeline.name, tuple(found for found in steps if step in {"", found.step}))
