"""A schema that new data breaks, widened as far as the data needs it; of its file only what changes is written."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from nbmlops.core.errors import UsageError
from nbmlops.data.schema.check import findings
from nbmlops.data.schema.codec import column_nodes, column_text, schema_from_yaml, schema_to_yaml
from nbmlops.data.schema.model import ColumnSchema, ColumnType, FrameSchema
from nbmlops.data.schema.schema import MAX_VALUES, infer_schema

if TYPE_CHECKING:
    import pandas as pd

_NUMBERS = {ColumnType.INTEGER, ColumnType.NUMBER}


def widened(schema: FrameSchema, frame: pd.DataFrame) -> FrameSchema:
    """Returns the schema with those rules loosened that the frame breaks; the others stay as somebody wrote them.

    Raises:
        UsageError: the value is no frame, or two of its columns have one name.
    """
    seen = infer_schema(frame).columns
    named = frame.set_axis([str(label) for label in frame.columns], axis=1)
    columns = dict(schema.columns)
    # A column of another type has its rules checked once its type fits: at most twice.
    for _ in range(2):
        for finding in findings(named, FrameSchema(columns, schema.other_columns)):
            name = finding.column
            if name not in columns:
                columns[name] = seen[name]
            elif name not in seen:
                columns[name] = replace(columns[name], required=False)
            else:
                columns[name] = _loosened(columns[name], seen[name], finding.rule, named[name])
    return FrameSchema(columns, schema.other_columns)


def _loosened(column: ColumnSchema, seen: ColumnSchema, rule: str, series: pd.Series[Any]) -> ColumnSchema:
    match rule:
        case "type":
            return _of_both_types(column, seen)
        case "min":
            return replace(column, min=min(float(series.min()), math.inf if seen.min is None else seen.min))
        case "max":
            return replace(column, max=max(float(series.max()), -math.inf if seen.max is None else seen.max))
        case "earliest" | "latest" | "time_zone":
            return replace(column, **{rule: _time_rule(seen, rule, series)})
        case "values":
            values = tuple(sorted({*column.values, *map(str, series.dropna().unique())}))
            return replace(column, values=values if len(values) <= MAX_VALUES else ())
        case _:
            return replace(column, missing=True) if rule == "missing" else replace(column, unique=False)


def _time_rule(seen: ColumnSchema, rule: str, series: pd.Series[Any]) -> str:
    """Returns a bound with a margin where one can be seen, else the data's first day or the one behind its last."""
    if rule == "time_zone":
        return ""
    if bound := getattr(seen, rule):
        return str(bound)
    day = series.min().date() if rule == "earliest" else series.max().date() + timedelta(days=1)
    return str(day.isoformat())


def _of_both_types(column: ColumnSchema, seen: ColumnSchema) -> ColumnSchema:
    if {column.type, seen.type} <= _NUMBERS:
        return replace(column, type=ColumnType.NUMBER)
    missing = column.missing or seen.missing
    return ColumnSchema(ColumnType.ANY, missing, column.required, private=column.private)


def edited_text(text: str, schema: FrameSchema, source: str) -> str:
    """Returns the text of a schema's file, changed where its columns differ from the schema.

    Comments, order and the form of all other lines stay. A file of a form that this cannot edit is written anew.

    Args:
        text: The file, which must be a valid schema.
        schema: What it shall say, with the same rule about other columns.
        source: The file's name, for messages.

    Raises:
        UsageError: the text is no schema.
    """
    old = schema_from_yaml(text, source)
    nodes = column_nodes(text, source)
    edits: list[tuple[int, int, str]] = []
    for name, column in schema.columns.items():
        if name in nodes and old.columns[name] != column:
            edits.append((nodes[name].start_mark.index, _end(text, nodes[name]), column_text(column)))
    added = [name for name in schema.columns if name not in nodes]
    if added and nodes:
        last = list(nodes.values())[-1]
        indent = " " * _indent_of_key(text, last)
        place = _end(text, last)
        line_end = text.find("\n", place)
        place = len(text) if line_end < 0 else line_end
        lines = "".join(f"\n{indent}{column_text(schema.columns[name], name)}" for name in added)
        edits.append((place, place, lines))
    for start, end, replacement in sorted(edits, reverse=True):
        text = text[:start] + replacement + text[end:]
    try:
        if schema_from_yaml(text, source) == schema:
            return text
    except UsageError:  # the form is beyond this editor
        pass
    return schema_to_yaml(schema).decode()


def _end(text: str, node: Any) -> int:
    """Returns where a node's text ends; that of a block reaches up to the next one, comments between included."""
    end: int = node.end_mark.index
    if node.flow_style:
        return end
    block = text[node.start_mark.index : end].splitlines(keepends=True)
    while block and (not block[-1].strip() or block[-1].lstrip().startswith("#")):
        block.pop()
    return int(node.start_mark.index) + len("".join(block).rstrip("\n"))


def _indent_of_key(text: str, node: Any) -> int:
    """Returns how far the key of a value is indented."""
    line_start = text.rfind("\n", 0, node.start_mark.index) + 1
    if not text[line_start : node.start_mark.index].strip():  # a block: its key is on the line above
        lines = text[:line_start].rstrip("\n").splitlines()
        above = next(line for line in reversed(lines) if line.strip() and not line.lstrip().startswith("#"))
        return len(above) - len(above.lstrip())
    line = text[line_start:]
    return len(line) - len(line.lstrip())
