"""Schema checks: a frame against the project's schema file, which a notebook writes the first time."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, ClassVar

from nbmlops.app.views import CheckView
from nbmlops.core.documents import write_atomically
from nbmlops.core.errors import ExitCode, NbmlopsError, UsageError
from nbmlops.core.records import CheckRecord
from nbmlops.data.schema import infer_schema, schema_from_yaml, schema_to_yaml, validate

SCHEMAS = "schemas"
_NAME = re.compile(r"\w[\w.-]*")


class CheckFailed(NbmlopsError):
    """Data breaks its schema; the message names the rules and the rows, bounded in number."""

    exit_code: ClassVar[ExitCode] = ExitCode.STEP_FAILED

    def __init__(self, record: CheckRecord) -> None:
        listed = "".join(f"\n  {failure}" for failure in record.failures)
        super().__init__(
            f"{record.data} breaks schema {record.schema}:{listed}",
            f"correct the data above this line, or the rules in {SCHEMAS}/{record.schema}.yaml",
        )
        self.record = record


def check_value(value: object, schema: str, root: Path, *, may_infer: bool) -> CheckView:
    """Returns the outcome of validating a frame against `schemas/<schema>.yaml` of the project.

    Args:
        value: The frame.
        schema: Name of the schema.
        root: The project's root.
        may_infer: Whether a missing schema file is inferred from the frame and written.

    Raises:
        UsageError: the name is no file name, the file is broken, or missing where none may be written.
        EnvironmentFault: the schema file cannot be written.
    """
    if not _NAME.fullmatch(schema):
        raise UsageError(f"{schema!r} cannot be the name of a schema", "use letters, digits, '_', '-' and '.'")
    frame: Any = value  # both functions say what is wrong with other things
    shown = f"{SCHEMAS}/{schema}.yaml"
    path = root / SCHEMAS / f"{schema}.yaml"
    if path.is_file():
        rules = schema_from_yaml(path.read_bytes(), shown)
        return CheckView(validate(frame, rules, data=schema, name=schema))
    if not may_infer:
        raise UsageError(
            f"there is no schema {shown}, and a pipeline does not make one up",
            f"run the notebook's `%mlops check` line once, review {shown} and commit it",
        )
    write_atomically(path, schema_to_yaml(infer_schema(frame)))
    return CheckView(CheckRecord(schema, schema, passed=True), written=shown)
