"""What a version's stored model and the one that was made again predict for the registered features.

Asked of a process with the libraries that the pipeline ran with, and with the modules of the commit that was checked
out: neither belongs into the process of who asks, which may be a notebook's kernel.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from nbmlops.app.project import PIPELINE_FILE
from nbmlops.core.errors import NbmlopsError
from nbmlops.core.known_secrets import MARK
from nbmlops.pipeline.codec import read_pipeline
from nbmlops.runtime.handover.values import load_value
from nbmlops.runtime.runner import run_pipeline
from nbmlops.runtime.schedule.results import RunOptions

_MOST_TOLD = 200


class StoredModel(msgspec.Struct, frozen=True):
    """A version, and its registry: the store's address, the root that it counts from."""

    uri: str
    root: str
    name: str
    version: str


class Models(msgspec.Struct, frozen=True):
    """Two models that are to predict.

    Attributes:
        folder: The pipeline that was run again.
        parameters: Of that run.
        recorded: The version.
        made: The one that was made again; None where the gate rejects now what it passed then (its rule was waived, or
            names a version that the fresh registry has not): then the steps' value is taken.
    """

    folder: str
    parameters: Mapping[str, Any]
    recorded: StoredModel
    made: StoredModel | None = None


class Predicted(msgspec.Struct, frozen=True):
    """Fingerprints of what both models predict; "" where they cannot."""

    recorded: str = ""
    made: str = ""


def ask_predictions(
    python: str, environment: Mapping[str, str], models: Models, tell: Callable[[str], None]
) -> Predicted:
    """Returns what both models predict, in a process of its own.

    Args:
        python: Its interpreter.
        environment: Its variables.
        models: What predicts.
        tell: Told why, where there is nothing to compare.
    """
    command = [python, "-P", "-m", "nbmlops.app.versions.reproduced_predictions"]
    done = subprocess.run(
        command,
        input=msgspec.json.encode(models),
        cwd=models.folder,
        env=dict(environment),
        capture_output=True,
        check=False,
    )
    try:
        return msgspec.json.decode(done.stdout.splitlines()[-1], type=Predicted)
    except (IndexError, msgspec.MsgspecError):
        last = done.stderr.decode(errors="replace").split("\n") or [""]
        told = next((line for line in reversed(last) if line.strip()), f"exit code {done.returncode}")
        tell(f"predictions cannot be compared: {told[:_MOST_TOLD]}")
        return Predicted()


def predict(models: Models) -> Predicted:
    """Returns what both models predict for the frame of features that the pipeline registers with.

    Models with the same predictions may have different content: some keep how long it took to fit them.

    Raises:
        UsageError: a stored model holds what we do not trust, or there is none.
        StepFailed: the features cannot be loaded.
        EnvironmentFault: a registry cannot be used.
    """
    folder = Path(models.folder)
    stage = read_pipeline(folder / PIPELINE_FILE).register
    if stage is None or stage.data is None:
        return Predicted()
    if MARK in models.parameters.values():  # the steps would run with other values
        return Predicted()
    from nbmlops.data.fingerprints.fingerprint import fingerprint  # noqa: PLC0415 - loads what reads frames

    result = run_pipeline(folder, RunOptions(parameters=models.parameters, base=folder), lambda _: None)
    features = load_value(folder, result, stage.data.name)
    fresh = _stored(models.made) if models.made else load_value(folder, result, stage.model.name)
    found = []
    for model in (_stored(models.recorded), fresh):
        ask: Any = getattr(model, "predict_proba", None) or getattr(model, "predict", None)
        if ask is None:
            return Predicted()
        found.append(fingerprint(ask(features), "predictions"))
    return Predicted(*found)


def _stored(model: StoredModel) -> object:
    from nbmlops.app.wiring import Stores  # noqa: PLC0415 - as above
    from nbmlops.registry.promote import find_version  # noqa: PLC0415  # as said above

    registry = Stores(Path(model.root), model.uri).registry
    return registry.model(find_version(registry, model.name, model.version))


def main() -> int:
    """Answers the question on standard input; returns the exit code."""
    try:
        answer = predict(msgspec.json.decode(sys.stdin.buffer.read(), type=Models))
    except NbmlopsError as error:
        sys.stderr.write(f"{error.message}\n")
        return int(error.exit_code)
    sys.stdout.buffer.write(b"\n" + msgspec.json.encode(answer) + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
