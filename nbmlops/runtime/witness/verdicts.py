"""Has the values of notebook and pipeline compared, in a process of its own; see `nbmlops.runtime.witness.compare`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from nbmlops.core.diagnostics import Json
from nbmlops.core.errors import NbmlopsError
from nbmlops.pipeline.ir import Pipeline, StepMode
from nbmlops.runtime.handover.namespace import fold
from nbmlops.runtime.layout import layout_of
from nbmlops.runtime.reuse.cache import StepCache
from nbmlops.runtime.reuse.facts import kernel_environment
from nbmlops.runtime.store.stored import StoredValue, value_to_json
from nbmlops.runtime.witness.records import ALL, Border, border_to_json

EQUAL = "equal"
DIFFERENT = "different"
UNCOMPARED = "uncompared"

_MODULE = "nbmlops.runtime.witness.compare"
_STDERR_KEPT = 2000
_NO_WINDOWS = {"MPLBACKEND": "agg"}


class Left(Struct, frozen=True):
    """What a step of the pipeline left: the namespace at its end.

    Attributes:
        values: Name -> stored value.
        unstored: Name -> why its value is not stored.
        fresh: The names among them that the step itself has left.
    """

    values: Mapping[str, StoredValue]
    unstored: Mapping[str, str]
    fresh: frozenset[str] = frozenset()


def names_at_borders(pipeline: Pipeline) -> dict[str, tuple[str, ...]]:
    """Returns for each step the names to compare at its end: what it hands over, and what later steps still read."""
    closing = {source.value.name for source in pipeline.metrics}
    if pipeline.register is not None:
        closing |= {pipeline.register.model.name} | ({pipeline.register.data.name} if pipeline.register.data else set())
    found: dict[str, tuple[str, ...]] = {}
    made: dict[str, None] = {}
    for position, step in enumerate(pipeline.steps):
        made |= dict.fromkeys(step.outputs)
        read = _read_later(pipeline, position, closing)
        found[step.name] = tuple(name for name in made if name in read or name in step.outputs)
        if step.mode is StepMode.VERBATIM:  # what it hands over is known when it has run
            found[step.name] += (ALL,)
    return found


def _read_later(pipeline: Pipeline, position: int, closing: set[str]) -> set[str]:
    """Returns the names whose value at the end of a step is read by a later one before it is bound anew."""
    live, bound = set[str](), set[str]()
    for step in pipeline.steps[position + 1 :]:
        inputs = {value.name for value in step.inputs}
        live |= inputs - bound
        bound |= set(step.outputs) - inputs
    return live | (closing - bound)


def left_by_steps(folder: Path, pipeline: Pipeline) -> dict[str, Left]:
    """Returns step -> the namespace at its end, from the latest records, as far as the pipeline came."""
    layout = layout_of(folder, pipeline)
    cache = StepCache(layout.cache, layout.state)
    outcomes = []
    found: dict[str, Left] = {}
    for step in pipeline.steps:
        record = cache.latest(step.name)
        if record is None:
            break
        outcomes.append(record.outcome)
        unstored: dict[str, str] = {}
        for outcome in outcomes:
            unstored = {name: why for name, why in unstored.items() if name not in {v.name for v in outcome.values}}
            unstored |= {live.name: live.reason for live in outcome.live}
        fresh = frozenset({*(value.name for value in record.outcome.values), *(v.name for v in record.outcome.live)})
        found[step.name] = Left(fold(outcomes)[0], unstored, fresh)
    return found


class ValueVerdict(Struct, frozen=True):
    """The verdict on one value: "equal", "different" or "uncompared", and why."""

    name: str
    status: str
    detail: str = ""


def compare_borders(
    folder: Path,
    pipeline: Pipeline,
    notebook_store: Path,
    borders: Mapping[str, Border],
    environment: Mapping[str, str],
) -> dict[str, tuple[ValueVerdict, ...]]:
    """Returns step -> the verdict on each value at its end, as far as notebook and pipeline came.

    Args:
        folder: The pipeline's folder, whose steps have run.
        pipeline: The pipeline.
        notebook_store: Where the values of the watched notebook are.
        borders: What the notebook had at the end of each step.
        environment: The caller's environment variables.

    Raises:
        NbmlopsError: the comparing process died.
    """
    layout, names = layout_of(folder, pipeline), names_at_borders(pipeline)
    left = left_by_steps(folder, pipeline)
    steps = [step.name for step in pipeline.steps if step.name in left and step.name in borders]
    asked: list[Json] = []
    for step in steps:
        wanted = {*names[step], *(left[step].fresh if ALL in names[step] else ())}
        border = replace(borders[step], values=tuple(v for v in borders[step].values if v.name in wanted))
        values = [value_to_json(value) for name, value in left[step].values.items() if name in wanted]
        unstored = {name: why for name, why in left[step].unstored.items() if name in wanted}
        asked.append({"notebook": border_to_json(border), "pipeline": values, "unstored": unstored})
    document: Json = {
        "folder": str(folder),
        "stores": [str(notebook_store), str(layout.store)],
        "homes": sorted(homes_of(pipeline)),
        "borders": asked,
    }
    answers = _asked(document, layout.source, {**environment, **kernel_environment(environment), **_NO_WINDOWS})
    return {step: tuple(ValueVerdict(*answer) for answer in found) for step, found in zip(steps, answers, strict=True)}


def homes_of(pipeline: Pipeline) -> frozenset[str]:
    """Returns the top-level modules of the notebook's own code, in the notebook and in the pipeline."""
    return frozenset({"__main__", pipeline.name})


def _asked(document: Json, folder: Path, environment: Mapping[str, str]) -> Sequence[Sequence[Sequence[str]]]:
    ran = subprocess.run(
        [sys.executable, "-m", _MODULE],
        input=json.dumps(document).encode(),
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        check=False,
    )
    if ran.returncode:
        words = ran.stderr.decode(errors="replace")[-_STDERR_KEPT:]
        raise NbmlopsError(f"the process that compares values ended with {ran.returncode}:\n{words}", "report it")
    answers: Sequence[Sequence[Sequence[str]]] = json.loads(ran.stdout)
    return answers
