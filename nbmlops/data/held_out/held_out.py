"""What a model said of the rows that it was held back from: read from the notebook, kept as one Parquet file.

A row is known by its key (`fingerprints.row_keys`), so that two models can be compared on the same rows, whatever order
they were in. Columns are kept beside the predictions: by them the gate makes slices, and with the model's features
another model can be asked about the same rows.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from nbmlops.core.diagnostics import Json
from nbmlops.core.errors import UsageError

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

SCHEMA = "nbmlops/predictions/1"
_META = b"nbmlops"
_ROW, _TRUTH, _PREDICTION = "row", "truth", "prediction"
_COLUMN = "column."
_FACTS, _TRAINING = "facts", "training"


class HeldOut(Struct, frozen=True):
    """Predictions on held-out rows.

    Attributes:
        keys: The key of each row.
        truth: What was right: numbers or labels.
        prediction: What the model said: scores, numbers or labels.
        columns: Columns of the rows, by which slices are made.
        threshold: From which score a row counts as positive; None where predictions are labels or numbers.
        features: Those of the columns that the model saw, in its order.
        facts: Numbers that were measured with the model at hand: "leaked_rows", "model_bytes", ….
        training: Profile of the rows that the model was trained on; {} where they were not given.
    """

    keys: Any  # a NumPy array
    truth: Any  # a NumPy array
    prediction: Any  # a NumPy array
    columns: Any  # a frame of pandas
    threshold: float | None = None
    features: tuple[str, ...] = ()
    facts: Mapping[str, float] = field(default_factory=dict)
    training: Mapping[str, Json] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.keys)


def to_parquet(held: HeldOut) -> bytes:
    """Returns the file: equal bytes for equal predictions and the same version of pyarrow."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({_ROW: held.keys, _TRUTH: pa.array(held.truth), _PREDICTION: pa.array(held.prediction)})
    for name in held.columns.columns:
        table = table.append_column(f"{_COLUMN}{name}", pa.Array.from_pandas(held.columns[name]))
    facts = dict(sorted(held.facts.items()))
    said: dict[str, Json] = {"schema": SCHEMA, "threshold": held.threshold, "features": list(held.features)}
    said |= {_FACTS: facts, **({_TRAINING: held.training} if held.training else {})}
    buffer = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({_META: json.dumps(said).encode()}), buffer, compression="zstd")
    return buffer.getvalue()


def from_parquet(data: bytes) -> HeldOut:
    """Returns the predictions in a file.

    Raises:
        UsageError: it is no such file.
    """
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(io.BytesIO(data))
        said = json.loads((table.schema.metadata or {}).get(_META, b"{}"))
        if said.get("schema") != SCHEMA:
            raise UsageError(f"the predictions have schema {said.get('schema')!r}, but this nbmlops reads {SCHEMA!r}")
        names = [name for name in table.column_names if name.startswith(_COLUMN)]
        return HeldOut(
            keys=table.column(_ROW).to_numpy(),
            truth=table.column(_TRUTH).to_numpy(),
            prediction=table.column(_PREDICTION).to_numpy(),
            columns=pd.DataFrame({name.removeprefix(_COLUMN): table.column(name).to_pandas() for name in names}),
            threshold=said["threshold"],
            features=tuple(said["features"]),
            facts={str(name): float(value) for name, value in said[_FACTS].items()},
            training=dict(said.get(_TRAINING, {})),
        )
    except (pa.ArrowException, KeyError, ValueError, TypeError) as error:
        raise UsageError(f"this is no file of predictions: {error}") from error


class CannotPair(Exception):
    """Two sets of predictions are not about the same rows; the message says how they differ."""


def in_order_of(held: HeldOut) -> Array:
    """Returns the places of the rows in the order of their keys, and of their truth where keys are equal."""
    import numpy as np

    truth = held.truth.astype(str) if held.truth.dtype.kind == "O" else held.truth
    order: Array = np.lexsort((truth, held.keys))
    return order


def paired_places(candidate: HeldOut, baseline: HeldOut) -> tuple[Array, Array]:
    """Returns the places of the same rows in both, in the order of their keys.

    Raises:
        CannotPair: the rows are not the same ones, or their truth is another one.
    """
    import numpy as np

    one, other = in_order_of(candidate), in_order_of(baseline)
    ours, theirs = candidate.keys[one], baseline.keys[other]
    if len(ours) != len(theirs) or (ours != theirs).any():
        common = len(np.intersect1d(ours, theirs))
        raise CannotPair(
            f"they are not about the same rows: {candidate.rows:,} rows here, {baseline.rows:,} there, "
            f"{common:,} different ones in common"
        )
    differs = int((candidate.truth[one] != baseline.truth[other]).sum())
    if differs:
        raise CannotPair(f"they do not agree on what is true: {differs:,} of {len(ours):,} rows differ")
    return one, other
