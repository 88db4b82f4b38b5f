"""What `nbmlops.data` finds out about values and the run document keeps: all that the two know of each other."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

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


class ArtifactRecord(Struct, frozen=True):
    """A figure, or another small file, that belongs to a run.

    Attributes:
        name: What it is called among the run's artifacts, with folder and suffix.
        digest: SHA-256 of its content.
    """

    name: str
    digest: str


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


class Expectation(Struct, frozen=True):
    """What was expected of predictions before and after a change of their rows, and on how many rows it broke.

    Attributes:
        kind: "invariance" or "directional".
        asked: What each row should do, as a phrase: "changes by at most 0.01".
        rows: How many rows there are.
        broken: How many of them do something else.
        allowed: Which share of them may.
        examples: A few broken rows: label, before, after.
    """

    kind: str
    asked: str
    rows: int
    broken: int
    allowed: float = 0.0
    examples: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Returns whether it holds, so that `assert` does what one expects."""
        return self.broken <= self.allowed * self.rows

    def __str__(self) -> str:
        share = f" ({100 * self.broken / self.rows:.3g} %)" if self.broken and self.rows else ""
        allowed = f" (allowed: {100 * self.allowed:.4g} %)" if self.allowed else ""
        shown = f"; for example {', '.join(self.examples)}" if self.examples else ""
        return f"{self.broken:,} of {self.rows:,} rows{share}{allowed} broke '{self.asked}'{shown}"


class BehaviourOutcome(StrEnum):
    """How a behaviour test ended."""

    PASS = "pass"  # noqa: S105 - an outcome, no password
    FAIL = "fail"
    ERROR = "error"
    NOT_RUN = "not run"


class BehaviourRecord(Struct, frozen=True):
    """A behaviour test that was run, or that should have been.

    Attributes:
        name: The name of its function.
        outcome: How it ended.
        message: Why it did not pass, as a sentence; "" if it did.
        expectations: What it expected, with figures; () for a test of plain assertions.
    """

    name: str
    outcome: BehaviourOutcome
    message: str = ""
    expectations: tuple[Expectation, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether it was run and passed."""
        return self.outcome is BehaviourOutcome.PASS
