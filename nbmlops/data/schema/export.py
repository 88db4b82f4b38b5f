"""A schema for other programs: as an MLflow signature (JSON) and as a pydantic model (source text). Pure.

Column names are anybody's: in JSON they are data, in the source they appear in string literals only, and as names of
fields where they are harmless ones.
"""

from __future__ import annotations

import json
import keyword
import math
import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from nbmlops.core.diagnostics import Json
from nbmlops.core.errors import UsageError
from nbmlops.data.schema.model import ColumnSchema, ColumnType, FrameSchema
from nbmlops.data.schema.times import NO_ZONE

_MLFLOW = {
    ColumnType.INTEGER: "long",
    ColumnType.NUMBER: "double",
    ColumnType.BOOLEAN: "boolean",
    ColumnType.TEXT: "string",
    ColumnType.DATETIME: "datetime",
    ColumnType.ANY: "any",
}
_PYTHON = {
    ColumnType.INTEGER: "int",
    ColumnType.NUMBER: "float",
    ColumnType.BOOLEAN: "bool",
    ColumnType.TEXT: "str",
    ColumnType.DATETIME: "datetime",
    ColumnType.DURATION: "timedelta",
    ColumnType.ANY: "Any",
}
# Names that mean something inside the class: a field of this name would hide it.
_TAKEN = frozenset(_PYTHON.values()) | {
    *("Annotated", "AwareDatetime", "BaseModel", "ConfigDict", "Field", "Literal", "NaiveDatetime", "None", "ZoneInfo"),
}
_PYDANTIC = frozenset({
    "construct", "copy", "dict", "fields", "from_orm", "json", "parse_file", "parse_obj", "parse_raw", "schema",
    "schema_json", "update_forward_refs", "validate",
})  # fmt: skip
_HARMLESS = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,60}")
_OFFSET = re.compile(r"UTC[+-]\d\d:\d\d")
_CLASS = re.compile(r"[A-Z][A-Za-z0-9]*")


def mlflow_signature(schema: FrameSchema) -> dict[str, Json]:
    """Returns the schema as the signature of a model that takes such frames: what `ModelSignature.from_dict` reads.

    Raises:
        UsageError: a column holds durations, which MLflow's signatures have no type for.
    """
    inputs: list[Json] = []
    for name, column in schema.columns.items():
        if column.type not in _MLFLOW:
            raise UsageError(
                f"column {name!r} holds {column.type.value}s, which an MLflow signature cannot say",
                "give the model seconds, or write `type: any`",
            )
        # pandas stores integers as floats as soon as one is missing.
        floating = column.type is ColumnType.INTEGER and column.missing
        kind = "double" if floating else _MLFLOW[column.type]
        inputs.append({"type": kind, "name": name, "required": column.required and not column.missing})
    return {"inputs": json.dumps(inputs), "outputs": None, "params": None}


def pydantic_model(schema: FrameSchema, name: str) -> str:
    """Returns the source of a module with one pydantic model: a row of such a frame.

    Args:
        schema: The rules; `unique` is about rows among each other, and left out.
        name: The schema's name, from which the class is called.
    """
    fields = list(_fields(schema))
    extra = "ignore" if schema.other_columns else "forbid"
    columns = schema.columns.values()
    kinds = {_kind(column).partition("[")[0] for column in columns} | {"Annotated" for one in columns if _limits(one)}
    dates = sorted(kinds & {"datetime", "timedelta"} | {"datetime" for line in fields if "=datetime(" in line})
    typing = sorted(kinds & {"Annotated", "Any", "Literal"})
    imports = [f"from datetime import {', '.join(dates)}"] if dates else []
    imports += [f"from typing import {', '.join(typing)}"] if typing else []
    imports += ["from zoneinfo import ZoneInfo"] if any("tzinfo=ZoneInfo(" in line for line in fields) else []
    field = ["Field"] if any("Field(" in line for line in fields) else []
    needed = sorted({"BaseModel", "ConfigDict", *field, *kinds & {"AwareDatetime", "NaiveDatetime"}})
    lines = [
        f"# One row of data that keeps the schema {json.dumps(name)}; written by: nbmlops schema export --to pydantic",
        *imports,
        "",
        f"from pydantic import {', '.join(needed)}",
        "",
        "",
        f"class {class_name(name)}(BaseModel):",
        f'    model_config = ConfigDict(extra="{extra}", populate_by_name=True, protected_namespaces=())',
        "",
        *(fields or ["    pass"]),
    ]
    return "\n".join(lines) + "\n"


def class_name(name: str) -> str:
    """Returns a class name from a schema's name: "flights-2024" gives "Flights2024"."""
    words = re.findall(r"[A-Za-z0-9]+", name)
    joined = "".join(word[:1].upper() + word[1:] for word in words)
    return joined if _CLASS.fullmatch(joined) and not keyword.iskeyword(joined) else f"Row{joined}"


def _fields(schema: FrameSchema) -> Iterator[str]:
    taken: set[str] = set()
    for name, column in schema.columns.items():
        field = _field_name(name, taken)
        taken.add(field)
        options = [] if field == name else [f"alias={name!a}"]
        options += _options(column)
        kind = _kind(column)
        optional = column.missing or not column.required
        annotation = f"Annotated[{kind}, Field({', '.join(_limits(column))})]" if _limits(column) else kind
        shown = f"{annotation} | None" if optional else annotation
        first = "default=None" if optional else "..."
        given = f" = Field({', '.join([first, *options])})" if options or optional else ""
        yield f"    {field}: {shown}{given}"


def _field_name(name: str, taken: set[str]) -> str:
    """Returns the column's name if it can be a field's, else one that is made from it."""
    bad = keyword.iskeyword(name) or keyword.issoftkeyword(name) or name in _TAKEN | _PYDANTIC
    harmless = _HARMLESS.fullmatch(name) is not None and not bad and not name.startswith("model_")
    base = name if harmless else "column_" + re.sub(r"[^A-Za-z0-9]+", "_", name)[:40].strip("_")
    number, field = 2, base.rstrip("_") if not harmless else base
    while field in taken:
        field, number = f"{base.rstrip('_')}_{number}", number + 1
    return field


def _kind(column: ColumnSchema) -> str:
    if column.values:
        return f"Literal[{', '.join(ascii(value) for value in column.values)}]"
    if column.time_zone:
        return "NaiveDatetime" if column.time_zone == NO_ZONE else "AwareDatetime"
    return _PYTHON[column.type]


def _limits(column: ColumnSchema) -> list[str]:
    if column.values:
        return []
    limits = []
    if column.type in {ColumnType.INTEGER, ColumnType.NUMBER, ColumnType.BOOLEAN, ColumnType.TEXT}:
        limits.append("strict=True")
    if column.type is ColumnType.NUMBER:
        limits.append("allow_inf_nan=False")
    whole = column.type is ColumnType.INTEGER
    if column.min is not None:
        limits.append(f"ge={_number(math.ceil(column.min) if whole else column.min)}")
    if column.max is not None:
        limits.append(f"le={_number(math.floor(column.max) if whole else column.max)}")
    return limits + _times(column)


def _times(column: ColumnSchema) -> list[str]:
    """Returns the bounds of datetimes whose zone is known; others cannot be compared with every value."""
    bounds = [(sign, text) for sign, text in (("ge", column.earliest), ("le", column.latest)) if text]
    return [f"{sign}={_moment(text, column.time_zone)}" for sign, text in bounds if column.time_zone]


def _moment(text: str, zone: str) -> str:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is not None or _OFFSET.fullmatch(zone):
        offset = moment.utcoffset() or _offset(zone)
        moment = moment.replace(tzinfo=None) - offset
        zone = "UTC" if zone != NO_ZONE else zone
    parts = [moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second, moment.microsecond]
    while len(parts) > len("ymd") and not parts[-1]:
        parts.pop()
    shown = ", ".join(map(str, parts))
    return f"datetime({shown})" if zone == NO_ZONE else f"datetime({shown}, tzinfo=ZoneInfo({zone!a}))"


def _offset(zone: str) -> timedelta:
    sign, hours, minutes = zone[3], int(zone[4:6]), int(zone[7:9])
    return timedelta(hours=hours, minutes=minutes) * (-1 if sign == "-" else 1)


def _number(bound: float) -> str:
    return str(int(bound)) if float(bound).is_integer() and abs(bound) < 1e15 else repr(float(bound))


def _options(column: ColumnSchema) -> list[str]:
    return ["repr=False"] if column.private else []
