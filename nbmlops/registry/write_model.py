"""Writing a model in MLflow's format: skops' file, signature, pinned requirements, and our documents beside it."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from nbmlops.core.diagnostics import Json
from nbmlops.core.documents import write_json_document
from nbmlops.core.errors import UsageError
from nbmlops.gate.verdict import Verdict, verdict_to_json
from nbmlops.registry.model_format import pinned_requirements
from nbmlops.registry.registry import Candidate
from nbmlops.tracking.redaction import process_redactor

SIGNATURE_ROWS = 100
DOCUMENTS, PROFILE_FILE = "nbmlops", "profile.json"
_NOISE = (
    r"Hint: Inferred schema contains integer column",  # our schema of the whole frame tells where values may be missing
    r"Series\.values returning an",  # MLflow's reading of time zones and periods
    r".*Any type hint is inferred as AnyType",  # said of MLflow's own classes when its pyfunc module is first imported
)


def write_model(candidate: Candidate, verdict: Verdict, folder: Path, types: tuple[str, ...], model_id: str) -> None:
    """Writes a model and what belongs to it.

    Args:
        candidate: The model, with the frame that its signature is inferred from.
        verdict: The gate's answer, kept beside it.
        folder: Where to; it does not exist yet.
        types: Those that a reader must trust (`model_format.trusted_types`).
        model_id: MLflow's id of the logged model.

    Raises:
        UsageError: the features are not what the model was trained on.
        EnvironmentFault: the folder cannot be written.
    """
    with warnings.catch_warnings():
        for message in _NOISE:
            warnings.filterwarnings("ignore", message=message)
        _save(candidate, folder, types, model_id)
    _write_documents(candidate, verdict, folder / DOCUMENTS)


def read_profile(path: Path) -> Mapping[str, Json]:
    """Returns the profile in a file that `write_model` wrote; {} where it is none any more."""
    try:
        document = json.loads(path.read_bytes())
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def first_rows(features: Any) -> Any:
    """Returns as many rows of a frame or array as a signature is inferred from."""
    if hasattr(features, "iloc"):
        return features.iloc[:SIGNATURE_ROWS]
    if hasattr(features, "shape"):
        return features[:SIGNATURE_ROWS]
    return list(islice(features, SIGNATURE_ROWS))


def _save(candidate: Candidate, path: Path, types: tuple[str, ...], model_id: str) -> None:
    import mlflow.sklearn
    from mlflow.models import Model

    # Without requirements MLflow finds them by importing the model in a process of its own, which takes 8 seconds.
    requirements = list(candidate.pip_requirements or pinned_requirements())
    mlflow.sklearn.save_model(
        candidate.model,
        str(path),
        mlflow_model=Model(run_id=candidate.run_id, model_id=model_id, model_uuid=model_id),
        serialization_format=mlflow.sklearn.SERIALIZATION_FORMAT_SKOPS,
        signature=_signature(candidate),
        pip_requirements=requirements,
        skops_trusted_types=list(types),
    )


def _signature(candidate: Candidate) -> Any:
    """Returns the signature of the model on the first rows of its features.

    Raises:
        UsageError: the features are not what the model was trained on.
    """
    from mlflow.models import infer_signature

    sample = first_rows(candidate.features)
    predict = getattr(candidate.model, "predict", None)
    try:
        predictions = predict(sample) if predict is not None else None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UsageError(
            f"the model cannot predict on the given features: {error}",
            "give the frame of features that the model was fitted on: %mlops register MODEL --data FRAME",
        ) from error
    return infer_signature(sample, predictions)


def _write_documents(candidate: Candidate, verdict: Verdict, folder: Path) -> None:
    for name, document in (("schema.json", candidate.schema), (PROFILE_FILE, candidate.profile)):
        # Categories and frequent values are the data's own.
        redacted = process_redactor().document(dict(document), name)
        assert isinstance(redacted, dict)
        write_json_document(folder / name, redacted)
    write_json_document(folder / "verdict.json", verdict_to_json(verdict))
