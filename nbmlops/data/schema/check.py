"""A frame against its schema: pandera says whether it fulfils it; where not, which rule, how many rows, which examples.

pandera's own report holds a row for each value that breaks a rule, seconds and gigabytes for a large frame. So it stops
at the first one, and what there is to say is found here: counts, and a few examples.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from nbmlops.core.errors import UsageError
from nbmlops.core.records import CheckFinding, CheckRecord
from nbmlops.data.schema.model import ColumnSchema, ColumnType, FrameSchema, type_of
from nbmlops.data.schema.times import beyond, zone_of

if TYPE_CHECKING:
    import pandas as pd

MAX_FAILURES = 20
MAX_EXAMPLES = 3
MAX_EXAMPLE_LENGTH = 40


def validate(frame: pd.DataFrame, schema: FrameSchema, *, data: str = "", name: str = "") -> CheckRecord:
    """Returns whether the frame fulfils the schema, and what stands against it, bounded in number and length.

    Args:
        frame: The data.
        schema: The rules.
        data: The name under which the data is known.
        name: The name of the schema.

    Raises:
        UsageError: the value is no frame.
    """
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        raise UsageError(
            f"only data frames can be checked, not {type(frame).__name__}", "give a pandas DataFrame to `check`"
        )
    named = frame.set_axis([str(label) for label in frame.columns], axis=1)
    refusal = _refusal(named, schema)
    if refusal is None:
        return CheckRecord(data, name, True)
    found = list(findings(named, schema)) or [CheckFinding("", "pandera", 0, (), refusal)]
    rest = len(found) - MAX_FAILURES
    shown = [finding.message for finding in found[:MAX_FAILURES]]
    more = [f"and {rest} more failures"] if rest > 0 else []
    return CheckRecord(data, name, False, (*shown, *more), tuple(found[:MAX_FAILURES]))


def _refusal(frame: pd.DataFrame, schema: FrameSchema) -> str | None:
    """Returns what pandera says against the frame, None when it passes."""
    with _same_variables():
        from pandera.errors import SchemaError, SchemaErrors

    if frame.columns.has_duplicates:
        return "two columns have one name"
    try:
        to_pandera(schema).validate(frame)
    except (SchemaError, SchemaErrors) as error:
        return _short(str(error).partition("\n")[0])
    return None


def to_pandera(schema: FrameSchema) -> Any:
    """Returns the schema as a `pandera.pandas.DataFrameSchema`."""
    with _same_variables():
        import pandera.pandas as pa

    columns = {name: _column(pa, column) for name, column in schema.columns.items()}
    return pa.DataFrameSchema(columns, strict=not schema.other_columns)


@contextmanager
def _same_variables() -> Iterator[None]:
    """Takes back the environment variables that pandera sets for Spark when it is imported: nobody asked for them."""
    before = frozenset(os.environ)
    try:
        yield
    finally:
        for name in frozenset(os.environ) - before:
            del os.environ[name]


def _column(pa: Any, column: ColumnSchema) -> Any:
    checks = []
    few = MAX_EXAMPLES + 1
    if column.type is not ColumnType.ANY:
        checks.append(pa.Check(lambda series: _has_type(series, column.type), error="type"))
    if column.min is not None:
        checks.append(pa.Check.ge(column.min, error="min", n_failure_cases=few))
    if column.max is not None:
        checks.append(pa.Check.le(column.max, error="max", n_failure_cases=few))
    if column.values:
        checks.append(pa.Check.isin(list(column.values), error="values", n_failure_cases=few))
    if column.earliest:
        checks.append(pa.Check(lambda series: ~beyond(series, column.earliest, before=True), error="earliest"))
    if column.latest:
        checks.append(pa.Check(lambda series: ~beyond(series, column.latest, before=False), error="latest"))
    if column.time_zone:
        checks.append(pa.Check(lambda series: _other_zone(series, column) is None, error="time_zone"))
    if column.unique:
        checks.append(pa.Check(lambda series: ~_repeated(series), error="unique", n_failure_cases=few))
    return pa.Column(None, checks, nullable=column.missing, required=column.required)


def _has_type(series: Any, wanted: ColumnType) -> bool:
    found = type_of(series)
    if found is wanted or (wanted is ColumnType.NUMBER and found is ColumnType.INTEGER):
        return True
    if wanted is ColumnType.INTEGER and found is ColumnType.NUMBER:
        # pandas stores integers as floats as soon as one of them is missing.
        present = series.dropna()
        return bool((present == present.round()).all())
    return bool(series.isna().all())


def _other_zone(series: Any, column: ColumnSchema) -> str | None:
    """Returns the time zone of a column if it is another than the schema says; one without values has any."""
    if not column.time_zone or type_of(series) is not ColumnType.DATETIME or series.isna().all():
        return None
    found = zone_of(series)
    return None if found == column.time_zone else found


def _repeated(series: Any) -> Any:
    """Returns which rows hold a value that another row holds as well; missing ones are no values."""
    return series.duplicated(keep=False) & series.notna()


def findings(frame: pd.DataFrame, schema: FrameSchema) -> Iterator[CheckFinding]:
    """Yields what stands against the frame: columns of the schema in order, then columns it does not know.

    Args:
        frame: The data, its columns named by texts.
        schema: The rules.
    """
    for name in dict.fromkeys(frame.columns[frame.columns.duplicated()]):
        yield CheckFinding(name, "duplicate", 0, (), f"{name}: two columns have this name")
    if frame.columns.has_duplicates:
        return
    for name, column in schema.columns.items():
        if name not in frame.columns:
            if column.required:
                yield CheckFinding(name, "required", 0, (), f"{name}: the column is missing")
        elif column.type is not ColumnType.ANY and not _has_type(frame[name], column.type):
            said = f"{name}: is {_described(frame[name])}, but the schema says {column.type.value}"
            yield CheckFinding(name, "type", len(frame), (), said)
        else:
            yield from _broken_rules(name, frame[name], column)
    if not schema.other_columns:
        for name in frame.columns:
            if name not in schema.columns:
                said = f"{name}: the schema does not know this column, and allows no others"
                yield CheckFinding(name, "other_columns", 0, (), said)


def _broken_rules(name: str, series: pd.Series[Any], column: ColumnSchema) -> Iterator[CheckFinding]:
    missing = series.isna()
    rows = int(missing.sum())
    if rows and not column.missing:
        places = tuple(_short(label) for label in series.index[missing][:MAX_EXAMPLES])
        shown = "row " + ", ".join(places) + (", …" if rows > MAX_EXAMPLES else "")
        yield CheckFinding(name, "missing", rows, places, f"{name}: {_rows(rows)} without a value ({shown})")
    present = series[~missing]
    if (zone := _other_zone(series, column)) is not None:
        said = f"{name}: its time zone is {zone}, but the schema says {column.time_zone}"
        yield CheckFinding(name, "time_zone", len(present), (), said)
    for rule, broken, said in _value_rules(present, column):
        rows = int(broken.sum())
        if rows:
            examples, more = ((), False) if column.private else _examples(present[broken])
            shown = f" ({', '.join(examples)}{', …' if more else ''})" if examples else ""
            yield CheckFinding(name, rule, rows, examples, f"{name}: {_rows(rows)} {said}{shown}")


def _value_rules(present: pd.Series[Any], column: ColumnSchema) -> Iterator[tuple[str, Any, str]]:
    """Yields each rule about values, the rows that break it, and how that is said."""
    if column.min is not None:
        yield "min", present < column.min, f"below min {column.min:g}"
    if column.max is not None:
        yield "max", present > column.max, f"above max {column.max:g}"
    if column.earliest:
        yield "earliest", beyond(present, column.earliest, before=True), f"before {column.earliest}"
    if column.latest:
        yield "latest", beyond(present, column.latest, before=False), f"after {column.latest}"
    if column.values:
        yield "values", ~present.isin(list(column.values)), "with a text that is not in `values`"
    if column.unique:
        yield "unique", _repeated(present), "with a value that another row has, too"


def _rows(number: int) -> str:
    return "1 row" if number == 1 else f"{number} rows"


def _described(series: pd.Series[Any]) -> str:
    kind = type_of(series)
    return f"{kind.value} ({series.dtype})" if kind is not ColumnType.ANY else f"stored as {series.dtype}"


def _examples(values: pd.Series[Any]) -> tuple[tuple[str, ...], bool]:
    """Returns a few distinct values, and whether there are others."""
    distinct = values.drop_duplicates().head(MAX_EXAMPLES + 1).tolist()
    return tuple(_short(value) for value in distinct[:MAX_EXAMPLES]), len(distinct) > MAX_EXAMPLES


def _short(value: object) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= MAX_EXAMPLE_LENGTH else text[: MAX_EXAMPLE_LENGTH - 1] + "…"
