"""A frame against its schema: the schema lowered to pandera, and pandera's findings as a few readable sentences."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from nbmlops.core.errors import UsageError
from nbmlops.core.records import CheckRecord
from nbmlops.data.schema_model import ColumnSchema, ColumnType, FrameSchema, type_of

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

    with _same_variables():
        from pandera.errors import SchemaErrors

    if not isinstance(frame, pd.DataFrame):
        raise UsageError(
            f"only data frames can be checked, not {type(frame).__name__}", "give a pandas DataFrame to `check`"
        )
    named = frame.set_axis([str(label) for label in frame.columns], axis=1)
    twice = named.columns[named.columns.duplicated()]
    if len(twice):
        return CheckRecord(data, name, False, (f"{twice[0]}: two columns have this name",))
    try:
        to_pandera(schema).validate(named, lazy=True)
    except SchemaErrors as errors:
        failures = list(_sentences(errors.failure_cases, named, schema))
        rest = len(failures) - MAX_FAILURES
        shown = [*failures[:MAX_FAILURES], f"and {rest} more failures"] if rest > 0 else failures
        return CheckRecord(data, name, False, tuple(shown))
    return CheckRecord(data, name, True)


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
    if column.type is not ColumnType.ANY:
        checks.append(pa.Check(lambda series: _has_type(series, column.type), error="type"))
    if column.min is not None:
        checks.append(pa.Check.ge(column.min, error="min"))
    if column.max is not None:
        checks.append(pa.Check.le(column.max, error="max"))
    if column.values:
        checks.append(pa.Check.isin(list(column.values), error="values"))
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


def _sentences(cases: pd.DataFrame, frame: pd.DataFrame, schema: FrameSchema) -> Iterator[str]:
    """Yields one sentence per column and rule: columns of the schema in order, then columns it does not know."""
    in_frame = cases[cases["schema_context"] == "DataFrameSchema"]
    absent = set(in_frame.loc[in_frame["check"] == "column_in_dataframe", "failure_case"])
    by_column = cases[cases["schema_context"] == "Column"]
    for name, column in schema.columns.items():
        if name in absent:
            yield f"{name}: the column is missing"
            continue
        found = by_column[by_column["column"] == name]
        if (found["check"] == "type").any():
            yield f"{name}: is {_described(frame[name])}, but the schema says {column.type.value}"
            continue
        for rule in ("not_nullable", "min", "max", "values"):
            broken = found[found["check"] == rule]
            if len(broken):
                yield f"{name}: {_sentence(rule, broken, column)}"
    for name in in_frame.loc[in_frame["check"] == "column_in_schema", "failure_case"]:
        yield f"{name}: the schema does not know this column, and allows no others"


def _described(series: pd.Series[Any]) -> str:
    kind = type_of(series)
    return f"{kind.value} ({series.dtype})" if kind is not ColumnType.ANY else f"stored as {series.dtype}"


def _sentence(rule: str, broken: pd.DataFrame, column: ColumnSchema) -> str:
    rows = "1 row" if len(broken) == 1 else f"{len(broken)} rows"
    if rule == "not_nullable":
        return f"{rows} without a value ({_examples(broken['index'], 'row')})"
    if rule == "values":
        return f"{rows} with a text that is not in `values` ({_examples(broken['failure_case'])})"
    direction = f"below min {column.min:g}" if rule == "min" else f"above max {column.max:g}"
    return f"{rows} {direction} ({_examples(broken['failure_case'])})"


def _examples(values: pd.Series[Any], noun: str = "") -> str:
    distinct = values.drop_duplicates().head(MAX_EXAMPLES + 1).tolist()
    shown = [_short(value) for value in distinct[:MAX_EXAMPLES]]
    more = ", …" if len(distinct) > MAX_EXAMPLES else ""
    return f"{noun} {', '.join(shown)}{more}".strip()


def _short(value: object) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= MAX_EXAMPLE_LENGTH else text[: MAX_EXAMPLE_LENGTH - 1] + "…"
