"""Schema checks: a frame against the project's schema file, which a notebook writes the first time."""

from __future__ import annotations

import re
from enum import Enum
from pathlib import Path
from typing import Any, ClassVar

from nbmlops.app.show.views import CheckView
from nbmlops.core.documents import write_atomically
from nbmlops.core.errors import ExitCode, NbmlopsError, UsageError
from nbmlops.core.records import CheckRecord
from nbmlops.data.schema.schema import infer_schema, schema_from_yaml, schema_to_yaml, validate

SCHEMAS = "schemas"
_NAME = re.compile(r"\w[\w.-]*")


class May(Enum):
    """What a check may do with the schema's file."""

    READ = "read"
    INFER = "infer"
    WIDEN = "widen"


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


def check_value(value: object, schema: str, root: Path, may: May) -> CheckView:
    """Returns the outcome of validating a frame against `schemas/<schema>.yaml` of the project.

    Args:
        value: The frame.
        schema: Name of the schema.
        root: The project's root.
        may: Only read the file; infer one where it is missing; or widen the rules that the frame breaks, too.

    Raises:
        UsageError: the name is no file name, the file is broken, or missing where none may be written.
        EnvironmentFault: the schema file cannot be written.
    """
    frame: Any = value  # all functions say what is wrong with other things
    path = schema_path(schema, root)
    shown = f"{SCHEMAS}/{path.name}"
    if path.is_file():
        text = read_text(path, shown)
        record = validate(frame, schema_from_yaml(text, shown), data=schema, name=schema)
        if record.passed or may is not May.WIDEN:
            return CheckView(record)
        return _widen(frame, text, record, path)
    if may is May.READ:
        raise UsageError(
            f"there is no schema {shown}, and a pipeline does not make one up",
            f"run the notebook's `%mlops check` line once, review {shown} and commit it",
        )
    write_atomically(path, schema_to_yaml(infer_schema(frame)))
    return CheckView(CheckRecord(schema, schema, passed=True), written=shown)


def _widen(frame: Any, text: str, record: CheckRecord, path: Path) -> CheckView:
    """Returns the check by the rules that were widened, after the frame passed them and the file was written."""
    from nbmlops.data.schema.widen import edited_text, widened  # noqa: PLC0415  # only who asks for it needs it

    shown = f"{SCHEMAS}/{path.name}"
    wider = widened(schema_from_yaml(text, shown), frame)
    after = validate(frame, wider, data=record.data, name=record.schema)
    if after.passed:
        write_atomically(path, edited_text(text, wider, shown).encode())
    return CheckView(after, written=shown if after.passed else "", widened=record.failures)


def schema_path(name: str, root: Path) -> Path:
    """Returns where the schema of this name stands in a project.

    Raises:
        UsageError: the name cannot be a file's.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} cannot be the name of a schema", "use letters, digits, '_', '-' and '.'")
    return root / SCHEMAS / f"{name}.yaml"


def read_text(path: Path, shown: str) -> str:
    """Returns the text of a schema's file.

    Raises:
        UsageError: it cannot be read, or is no text.
    """
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"{shown} is no UTF-8 text: byte {error.start}", "save it as UTF-8") from error
    except OSError as error:
        raise UsageError(f"cannot read {shown}: {error.strerror or error}", "make it a readable file") from error
