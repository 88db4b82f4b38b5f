"""Final values of a run, for the stages after the steps: the model to register, the frame it was trained on."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nbmlops.core.errors import StepFailed
from nbmlops.pipeline.codec import read_pipeline
from nbmlops.runtime.layout import layout_of, pipeline_file
from nbmlops.runtime.schedule.results import StepsResult
from nbmlops.runtime.store.store import DamagedObject, Store
from nbmlops.runtime.store.stored import Codec


def load_value(folder: Path, result: StepsResult, name: str) -> Any:
    """Returns the value that a name of the notebook had when the last step ended.

    Args:
        folder: The pipeline's folder.
        result: A run of it.
        name: The name.

    Raises:
        StepFailed: no step handed it over, or its stored form is damaged.
    """
    from nbmlops.runtime.handover import codecs  # noqa: PLC0415 - a run that executes nothing loads no value

    layout = layout_of(folder, read_pipeline(pipeline_file(folder)))
    stored = result.values.get(name)
    if stored is None:
        raise StepFailed(f"no step of {layout.pipeline!r} has handed over {name!r}")
    with _importable(layout.folder):
        try:
            value = codecs.decode(stored.codec, stored.ref, Store(layout.store))
        except DamagedObject as error:
            raise StepFailed(f"the stored value of {name!r} cannot be used: {error.message}", error.hint) from error
    return value[name] if stored.codec is Codec.BUNDLE else value


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Lets pickles find the classes and functions of the generated package."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
