"""What `nbmlops.data` finds out about values and the run document keeps: all that the two know of each other."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from nbmlops.core.diagnostics import Json


class DataRecord(Struct, frozen=True):
    """One frame or file that was fingerprinted.

    Attributes:
        name: The name it was logged under.
        digest: Full-content fingerprint, 32 hex digits.
        kind: "frame", "array", "file", ….
        rows: Number of rows, -1 where there are none.
        columns: (name, dtype) of each column.
        context: MLflow's context such as "training", or "".
        profile: Summary by column, a few kB, plain JSON.
        parts: Digests by name that tell which kind of change a change is: "schema", "index", "data", "any_order".
        version: What tools that keep versions say of a file or folder: "dvc_data_hash", "delta_version", ….
    """

    name: str
    digest: str
    kind: str
    rows: int = -1
    columns: tuple[tuple[str, str], ...] = ()
    context: str = ""
    profile: Mapping[str, Json] = field(default_factory=dict)
    parts: Mapping[str, str] = field(default_factory=dict)
    version: Mapping[str, str] = field(default_factory=dict)


class PredictionsRecord(Struct, frozen=True):
    """Predictions on held-out rows that were logged.

    Attributes:
        name: The name they were logged under.
        digest: SHA-256 of the file that holds them.
        rows: How many there are.
    """

    name: str
    digest: str
    rows: int


class CheckFinding(Struct, frozen=True):
    """One rule of a schema that data breaks, for programs.

    Attributes:
        column: The column.
        rule: The key of the rule in the schema's file: "type", "missing", …; "duplicate" for a name that stands twice.
        rows: How many rows break it; 0 where it is not about rows.
        examples: A few values (of "missing" the labels of a few rows); none of columns that are private.
        message: The same as a sentence.
    """

    column: str
    rule: str
    rows: int
    examples: tuple[str, ...]
    message: str


class CheckRecord(Struct, frozen=True):
    """One schema check: which data against which schema, and what stands against it, bounded in number.

    Attributes:
        data: The name of the data.
        schema: The name of the schema.
        passed: Whether nothing stands against it.
        failures: Sentences; the last one says how many more there are.
        findings: The same for programs.
    """

    data: str
    schema: str
    passed: bool
    failures: tuple[str, ...] = ()
    findings: tuple[CheckFinding, ...] = ()
