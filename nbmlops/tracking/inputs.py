"""A fingerprinted value as MLflow's dataset input, and back: digest, columns, profile and the parts of the fingerprint.

The profile travels within MLflow's own, beside the number of rows that its page shows: the same data is stored once
for all runs of an experiment, and a later comparison needs nothing else.
"""

from __future__ import annotations

import json
from typing import Any

from nbmlops.core.diagnostics import Json
from nbmlops.data.profiles.profile import bounded
from nbmlops.pipeline.run_codec import finite
from nbmlops.pipeline.run_record import DataRecord
from nbmlops.tracking.keys import check_key

_SOURCE_TYPE = "nbmlops"
_OURS = "nbmlops"
_MOST_SCHEMA = 1_000_000
_MOST_PROFILE = 48_000
"""Bytes: MySQL's text columns hold 64 kB."""
_VERSION = "nbmlops.version."
_CONTEXT = "mlflow.data.context"


def dataset_input(record: DataRecord) -> Any:
    """Returns MLflow's input of a fingerprinted value: our digest, as MLflow's own reads 10,000 rows only."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    columns = [{"name": name, "type": dtype} for name, dtype in record.columns]
    schema = json.dumps({"mlflow_colspec": columns}) if columns else None
    dataset = Dataset(
        name=check_key("input", record.name),
        digest=record.digest,
        source_type=_SOURCE_TYPE,
        source=json.dumps({"kind": record.kind}),
        schema=schema if schema is None or len(schema) <= _MOST_SCHEMA else None,
        profile=_stored_profile(record),
    )
    tags = [InputTag("nbmlops.digest", record.digest)]
    tags += [InputTag(f"nbmlops.digest.{part}", digest) for part, digest in record.parts.items()]
    tags += [InputTag(f"{_VERSION}{key}", value) for key, value in record.version.items()]
    if record.context:
        tags.append(InputTag(_CONTEXT, record.context))
    return DatasetInput(dataset, tags)


def _stored_profile(record: DataRecord) -> str | None:
    whole: dict[str, Json] = {"num_rows": record.rows} if record.rows >= 0 else {}
    if record.profile:
        whole[_OURS] = finite(bounded(record.profile, _MOST_PROFILE))
    return json.dumps(whole, separators=(",", ":"), allow_nan=False) if whole else None


def record_of_input(found: Any) -> DataRecord | None:
    """Returns what was logged of an input; None if another program logged it.

    Args:
        found: MLflow's `DatasetInput`.
    """
    dataset, tags = found.dataset, {tag.key: tag.value for tag in found.tags}
    if dataset.source_type != _SOURCE_TYPE:
        return None
    profile, columns = _document(dataset.profile), _document(dataset.schema).get("mlflow_colspec", [])
    rows, ours = profile.get("num_rows", -1), profile.get(_OURS, {})
    prefix = "nbmlops.digest."
    return DataRecord(
        name=dataset.name,
        digest=dataset.digest,
        kind=str(_document(dataset.source).get("kind", "value")),
        rows=rows if isinstance(rows, int) else -1,
        columns=tuple((str(one["name"]), str(one["type"])) for one in columns),
        context=tags.get(_CONTEXT, ""),
        profile=ours if isinstance(ours, dict) else {},
        version={name.removeprefix(_VERSION): text for name, text in tags.items() if name.startswith(_VERSION)},
        parts={name.removeprefix(prefix): digest for name, digest in tags.items() if name.startswith(prefix)},
    )


def _document(text: str | None) -> dict[str, Any]:
    found = json.loads(text) if text else {}
    return found if isinstance(found, dict) else {}
