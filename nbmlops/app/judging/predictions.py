"""Logging predictions on held-out rows: what the notebook hands over, checked, measured and written as one file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from nbmlops.core.diagnostics import Json
from nbmlops.core.digest import digest_bytes
from nbmlops.core.documents import write_atomically
from nbmlops.core.errors import UsageError
from nbmlops.core.records import PredictionsRecord
from nbmlops.tracking.predictions import predictions_file

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from nbmlops.data.held_out.held_out import HeldOut

    Array = np.ndarray[Any, Any]

EXAMPLE = "%mlops predictions probability --truth y_test --features X_test --threshold 0.5"
_MOST_SAMPLE = 200
_MOST_NAMES = 5
_SCALARS = (str, bool, int, float)


class Given(Struct, frozen=True):
    """What the caller hands over; None for what is not given.

    Attributes:
        prediction: A score, a number or a label for each row.
        truth: What was right.
        features: What the model saw.
        rows: What a row is known by; by default the features.
        slices: Columns by which slices are made, beside the features.
        threshold: From which score a row counts as positive.
        training: Rows that were trained on, with the columns of `rows`.
        model: The fitted model, to be measured.
    """

    prediction: object
    truth: object
    features: object = None
    rows: object = None
    slices: object = None
    threshold: object = None
    training: object = None
    model: object = None


def log_predictions(given: Given, name: str, root: Path) -> tuple[PredictionsRecord, HeldOut]:
    """Returns the record of predictions, after writing their file below the project's root.

    Args:
        given: What is logged.
        name: The name to log it under.
        root: The project's root.

    Raises:
        UsageError: lengths differ, values are missing, or rows cannot be told apart.
        EnvironmentFault: the file cannot be written.
    """
    from nbmlops.data.held_out.held_out import to_parquet  # noqa: PLC0415  # loads what reads and writes tables

    held = _held_out(given, name)
    try:
        data = to_parquet(held)
    except (ValueError, TypeError, NotImplementedError) as error:  # Arrow's own errors are of these kinds
        raise UsageError(f"the predictions {name!r} cannot be kept: {error}", "give columns of plain values") from error
    digest = digest_bytes(data)
    file = predictions_file(root, digest)
    try:
        os.utime(file)  # young again: `nbmlops gc` leaves it for the run to copy
    except FileNotFoundError:
        write_atomically(file, data)
    return PredictionsRecord(name, digest, held.rows), held


def _held_out(given: Given, name: str) -> HeldOut:
    from nbmlops.data.fingerprints.fingerprint import CannotFingerprint  # noqa: PLC0415  # as above
    from nbmlops.data.fingerprints.row_keys import row_keys  # noqa: PLC0415  # likewise
    from nbmlops.data.held_out.held_out import HeldOut  # noqa: PLC0415  # loads what computes

    prediction, truth = _values(given.prediction, "predictions"), _values(given.truth, "truth")
    identity = given.features if given.rows is None else given.rows
    if identity is None:
        raise UsageError(
            f"the rows of the predictions {name!r} have no identity, so no other model can be compared on them",
            f"give the features, or other columns that tell rows apart: {EXAMPLE}",
        )
    features = _frame(given.features, "features")
    columns = _joined(features, _frame(given.slices, "slices"))
    parts = {"truth": truth, "rows": identity, "features": features, "slices": given.slices}
    for part, value in parts.items():
        count = len(prediction) if value is None else _length(value, part)
        if count != len(prediction):
            raise UsageError(
                f"there are {len(prediction):,} predictions, but {part} has {count:,} rows", "give the same rows"
            )
    try:
        keys = row_keys(identity)
        facts = _facts(given, keys, features)
    except (CannotFingerprint, ValueError) as error:
        raise UsageError(f"the rows of the predictions {name!r} cannot be told apart: {error}") from error
    names = tuple(features.columns) if features is not None else ()
    threshold, training = _threshold(given.threshold), _profile(given.training)
    return HeldOut(keys, truth, prediction, columns, threshold, names, facts, training)


def _values(value: object, what: str) -> Array:
    """Returns one value for each row.

    Raises:
        UsageError: it is no column, or values are missing.
    """
    import numpy as np
    import pandas as pd

    found = np.asarray(value.to_numpy() if hasattr(value, "to_numpy") else value)
    if found.ndim == 2 and found.shape[1] == 1:
        found = found[:, 0]
    if found.ndim != 1:
        hint = "give one column: of probabilities that of the positive class, proba[:, 1]"
        raise UsageError(f"the {what} have {found.ndim} dimensions, but one value for each row is needed", hint)
    if what == "truth" and pd.isna(found).any():
        raise UsageError(f"the truth is missing for {int(pd.isna(found).sum()):,} rows", "leave those rows out")
    if found.dtype.kind in "SU":
        return found.astype(object)
    if found.dtype.kind == "O" and not all(isinstance(one, _SCALARS) for one in found):
        raise UsageError(f"the {what} are neither numbers nor texts", "give labels as texts or numbers")
    return found


def _frame(value: object, what: str) -> pd.DataFrame | None:
    """Returns a frame of pandas with texts as names.

    Raises:
        UsageError: it has no columns.
    """
    if value is None:
        return None
    import pandas as pd

    found: Any = value
    if isinstance(found, pd.Series):
        found = found.to_frame()
    elif hasattr(found, "to_pandas"):
        found = found.to_pandas()
    elif getattr(found, "ndim", 0) == 2 and not isinstance(found, pd.DataFrame):
        found = pd.DataFrame(found, columns=[f"x{number}" for number in range(found.shape[1])])
    if not isinstance(found, pd.DataFrame):
        raise UsageError(f"{what} is of type {type(value).__name__}, but a frame is needed", f"for example: {EXAMPLE}")
    return found.set_axis([str(name) for name in found.columns], axis=1).reset_index(drop=True)


def _like(training: Any, identity: Any) -> Any:
    """Returns the training rows with the columns, and in their order, that held-out rows are known by.

    Keys are made of values alone: of other columns no row would ever be found again, and nothing would be told.

    Raises:
        UsageError: columns are missing.
    """
    if hasattr(training, "columns") and hasattr(identity, "columns"):
        names = list(identity.columns)
        known = set(training.columns)
        missing = [str(name) for name in names if name not in known]
        if missing:
            raise UsageError(
                f"the training rows lack columns that held-out rows are known by: {', '.join(missing[:_MOST_NAMES])}",
                "give --training with the columns of --rows, or of --features without --rows",
            )
        return training[names]
    widths = [_width(one) for one in (training, identity)]
    if widths[0] != widths[1]:
        raise UsageError(
            f"the training rows have {widths[0]} columns, but held-out rows are known by {widths[1]}",
            "give --training with the columns of --rows, or of --features without --rows",
        )
    return training


def _width(rows: Any) -> int:
    shape: tuple[int, ...] = getattr(rows, "shape", ())
    return int(shape[1]) if len(shape) > 1 else 1


def _joined(features: pd.DataFrame | None, slices: pd.DataFrame | None) -> pd.DataFrame:
    import pandas as pd

    known = pd.DataFrame() if features is None else features
    if slices is None:
        return known
    for name in known.columns.intersection(slices.columns) if len(known) == len(slices) else ():
        if not _same(known[name], slices[name]):
            raise UsageError(
                f"the column {name!r} is in the features and in the slices, with other values",
                f"give the slices' column another name: slices.rename(columns={{{name!r}: ...}})",
            )
    fresh = [name for name in slices.columns if name not in known.columns]
    return pd.concat([known, slices[fresh]], axis=1)


def _same(left: Any, right: Any) -> bool:
    if left.dtype.kind in "biuf" and right.dtype.kind in "biuf":
        return bool(((left == right) | (left.isna() & right.isna())).all())
    return bool(left.astype(str).equals(right.astype(str)))  # the form in which slices are named


def _length(value: Any, what: str) -> int:
    try:
        return len(value)
    except TypeError as error:
        raise UsageError(f"{what} is of type {type(value).__name__}, which has no rows") from error


def _latency(model: object, sample: Any) -> float:
    """Returns how long the model takes for one row.

    Raises:
        UsageError: it cannot predict from these features.
    """
    from nbmlops.registry.model_cost import latency_ms  # noqa: PLC0415  # as above

    try:
        return latency_ms(model, sample)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UsageError(
            f"the model cannot predict from the features: {str(error)[:200]}",
            "give the frame that it predicts from: --features FRAME, or leave --model out",
        ) from error


def _threshold(value: object) -> float | None:
    if value is None:
        return None
    number: Any = value
    try:
        return float(number)
    except (TypeError, ValueError) as error:
        raise UsageError(f"the threshold is a number, but this is {value!r:.60}") from error


def _profile(training: Any) -> Mapping[str, Json]:
    """Returns the profile of the rows that were trained on, so that drift between versions can be told later."""
    if training is None or getattr(training, "ndim", 2) != 2:  # a column of ids says nothing of what was learned
        return {}
    from nbmlops.data.profiles.profile import profile  # noqa: PLC0415  # as above

    frame = training if hasattr(training, "columns") else _frame(training, "training")
    return profile(frame)


def _facts(given: Given, keys: Array, features: pd.DataFrame | None) -> Mapping[str, float]:
    """Returns what can be measured only here, where training rows and model are at hand."""
    import numpy as np

    from nbmlops.data.fingerprints.row_keys import row_keys  # noqa: PLC0415  # as above

    facts: dict[str, float] = {}
    if given.training is not None:
        identity = given.features if given.rows is None else given.rows
        facts["leaked_rows"] = float(np.isin(keys, row_keys(_like(given.training, identity))).sum())
    if given.model is not None:
        from nbmlops.registry.model_cost import model_bytes  # noqa: PLC0415  # as above

        facts["model_bytes"] = float(model_bytes(given.model))
        sample: Any = given.features
        if features is not None and len(features):
            facts["latency_ms"] = _latency(given.model, sample[:_MOST_SAMPLE])
    return facts
