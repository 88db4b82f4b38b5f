"""What a run remembers of a piece of data: its digest, its shape, its profile. Called by `nbmlops.data(...)`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Any

from msgspec.structs import replace

from nbmlops.core.diagnostics import Json
from nbmlops.core.records import DataRecord
from nbmlops.data.fingerprints.files import fingerprint_file
from nbmlops.data.fingerprints.fingerprint import fingerprint, fingerprint_frame, is_frame
from nbmlops.data.fingerprints.objects import class_name
from nbmlops.data.profiles.profile import profile
from nbmlops.data.tables import column_names
from nbmlops.data.versions.versions import version_of

MAX_COLUMNS = 1000
_MAX_PATH = 1000
"""A longer text, or one of several lines, is data itself."""


def describe(
    value: Any, name: str, context: str = "", digest_of: Callable[[Path], str] = fingerprint_file
) -> DataRecord:
    """Returns the record of a frame, series, array, file, folder or any other value.

    Args:
        value: The data. A text or path names a file or folder, which must exist.
        name: The name it is logged under.
        context: MLflow's context, such as "training".
        digest_of: Gives the fingerprint of a file or folder.

    Raises:
        UsageError: there is no such file, or the value cannot be fingerprinted (`CannotFingerprint`).
        EnvironmentFault: the file cannot be read.
    """
    if isinstance(value, PurePath) or (isinstance(value, str) and len(value) <= _MAX_PATH and "\n" not in value):
        path = Path(value)
        digest = digest_of(path)
        kind = "folder" if path.is_dir() else "file"
        return DataRecord(name, digest, kind, context=context, version=version_of(path))
    if is_frame(value):
        return _describe_frame(value, name, context)
    roots = {base.__module__.partition(".")[0] for base in type(value).__mro__}
    if "pandas" in roots:
        import pandas as pd

        if isinstance(value, pd.Series):
            record = _describe_frame(value.to_frame(), name, context)
            return replace(record, kind="series", digest=fingerprint(value, name))
    if "polars" in roots and hasattr(value, "to_frame"):
        record = _describe_frame(value.to_frame(), name, context)
        return replace(record, kind="series", digest=fingerprint(value, name))
    if "numpy" in roots and hasattr(value, "shape"):
        return _describe_array(value, name, context)
    facts: dict[str, Json] = {"type": class_name(type(value))}
    return DataRecord(name, fingerprint(value, name), "value", context=context, profile=facts)


def _describe_frame(frame: Any, name: str, context: str) -> DataRecord:
    found = fingerprint_frame(frame, name)
    summary = profile(frame)
    columns = summary["columns"]
    assert isinstance(columns, list)
    for column, digest, values in zip(columns, found.columns, found.values, strict=False):  # wide ones in part
        column |= {"digest": digest, "values": values}
    return DataRecord(
        name=name,
        digest=found.digest,
        kind="frame",
        rows=len(frame),
        columns=tuple(column_names(frame)[:MAX_COLUMNS]),
        context=context,
        profile=summary,
        parts=found.parts.to_json(),
    )


def _describe_array(array: Any, name: str, context: str) -> DataRecord:
    shape = [int(size) for size in array.shape]
    facts: dict[str, Json] = {"dtype": str(array.dtype), "shape": shape}
    rows = shape[0] if shape else -1
    return DataRecord(name, fingerprint(array, name), "array", rows, context=context, profile=facts)
