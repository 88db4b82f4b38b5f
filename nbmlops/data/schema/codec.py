"""`FrameSchema` <-> the YAML file that people read and edit; mistakes are reported with file, line and key."""

from __future__ import annotations

import math
from datetime import date
from difflib import get_close_matches
from typing import Any

import yaml

from nbmlops.core.errors import UsageError
from nbmlops.data.schema.model import SCHEMA, ColumnSchema, ColumnType, FrameSchema
from nbmlops.data.schema.times import is_zone, normal_time, order_of

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

_COMMENT = """\
# What a frame must look like, made by nbmlops from data and meant to be edited.
# type: integer | number | boolean | text | datetime | duration | any; missing: may values be missing;
# required: must the column be there; min, max: smallest and largest value; values: the only texts allowed;
# unique: may no value stand twice; private: may no value be shown; of datetimes: earliest, latest, time_zone.
"""
MAX_BYTES = 4 * 1024 * 1024
_REMOVE = "remove the key, or correct the type"
_TIMES = ("earliest", "latest")
_KEYS = {"type", "missing", "required", "min", "max", "values", "unique", "private", *_TIMES, "time_zone"}


def schema_to_yaml(schema: FrameSchema) -> bytes:
    """Returns the schema as YAML, rules that say nothing left out."""
    columns = {name: _column_to_plain(column) for name, column in schema.columns.items()}
    document = {
        "schema": SCHEMA,
        "other_columns": "allowed" if schema.other_columns else "refused",
        "columns": columns,
    }
    body = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=None, width=100)
    return (_COMMENT + body).encode()


def column_text(column: ColumnSchema, name: str | None = None) -> str:
    """Returns one column on one line, as it stands behind its name, or with the name before it."""
    plain = _column_to_plain(column)
    document = plain if name is None else {name: plain}
    text: str = yaml.dump(
        document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=True, width=1 << 30
    )
    return text.strip() if name is None else text.strip().removeprefix("{").removesuffix("}")


def column_nodes(data: str, source: str) -> dict[str, Any]:
    """Returns name -> syntax node of each column, which knows where in the text it stands.

    Raises:
        UsageError: the text is no YAML or no schema.
    """
    return _Reader(source).columns(data)


def _column_to_plain(column: ColumnSchema) -> dict[str, Any]:
    record: dict[str, Any] = {"type": column.type.value}
    if column.missing:
        record["missing"] = True
    if not column.required:
        record["required"] = False
    record |= {key: _shortest(value) for key, value in (("min", column.min), ("max", column.max)) if value is not None}
    if column.values:
        record["values"] = list(column.values)
    record |= {key: _plain_time(text) for key in _TIMES if (text := getattr(column, key))}
    if column.time_zone:
        record["time_zone"] = column.time_zone
    return record | {key: True for key in ("unique", "private") if getattr(column, key)}


def _shortest(number: float) -> int | float:
    return int(number) if float(number).is_integer() and abs(number) < 1e15 else float(number)


def _plain_time(text: str) -> date | str:
    """Returns what YAML writes without quotes, if it is a day."""
    return date.fromisoformat(text) if len(text) == len("2024-01-31") else text


def schema_from_yaml(data: bytes | str, source: str = "schema") -> FrameSchema:
    """Returns the schema that a YAML text describes.

    Args:
        data: The text.
        source: The file's name, for messages.

    Raises:
        UsageError: the text is no YAML or no schema; file, line and key are named.
    """
    return _Reader(source).schema(data)


class _Reader:
    """Reads syntax nodes instead of plain data, because they know their lines."""

    def __init__(self, source: str) -> None:
        self._source = source

    def fault(self, node: Any, message: str, hint: str = "") -> UsageError:
        return UsageError(f"{self._source} line {node.start_mark.line + 1}: {message}", hint)

    def schema(self, data: bytes | str) -> FrameSchema:
        root = self._parse(data)
        fields = self._fields(root, "the schema", {"schema", "other_columns", "columns"})
        version = fields.get("schema")
        if version is None or version.value != SCHEMA:
            found = "no schema" if version is None else repr(version.value)
            raise self.fault(version or root, f"schema must be {SCHEMA}, not {found}", f"write `schema: {SCHEMA}`")
        others = self._choice(fields, "other_columns", ("allowed", "refused"), "allowed")
        if "columns" not in fields:
            raise self.fault(root, "columns is missing", "name the columns below `columns:`")
        columns = self._fields(fields["columns"], "columns", None)
        return FrameSchema({name: self._column(name, node) for name, node in columns.items()}, others == "allowed")

    def columns(self, data: str) -> dict[str, Any]:
        root = self._fields(self._parse(data), "the schema", None)
        return self._fields(root["columns"], "columns", None)

    def _parse(self, data: bytes | str) -> Any:
        if len(data) > MAX_BYTES:
            raise UsageError(f"{self._source} is larger than {MAX_BYTES} bytes")
        try:
            depth = 0
            for event in yaml.parse(data, Loader=_Loader):
                depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
                if isinstance(event, yaml.AliasEvent) or depth > 10:
                    raise self.fault(event, "anchors and deep nesting are not allowed", "write the values out")
            node = yaml.compose(data, Loader=_Loader)
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise UsageError(f"{self._source} line {line}: {error.problem}", "correct the YAML syntax") from error
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise UsageError(f"{self._source} is not YAML: {str(error).splitlines()[0]}") from error
        if node is None:
            raise UsageError(f"{self._source} is empty", "let nbmlops make it again: delete the file")
        return node

    def _fields(self, node: Any, place: str, known: set[str] | None) -> dict[str, Any]:
        if not isinstance(node, yaml.MappingNode):
            raise self.fault(node, f"{place} must be a mapping of keys to values", "write `key: value` on each line")
        fields: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self.fault(key, f"{place}: a key must be a text", "put it in quotes")
            if key.value in fields:
                raise self.fault(key, f"{place}: the key {key.value!r} stands twice", "keep one of the two")
            if known is not None and key.value not in known:
                near = get_close_matches(key.value, known, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(sorted(known))}"
                raise self.fault(key, f"{place}: the key {key.value!r} is not known", hint)
            fields[key.value] = value
        return fields

    def _column(self, name: str, node: Any) -> ColumnSchema:
        place = f"columns.{name}"
        fields = self._fields(node, place, _KEYS)
        kinds = tuple(kind.value for kind in ColumnType)
        if "type" not in fields:
            raise self.fault(node, f"{place}.type is missing", f"one of {', '.join(kinds)}")
        column = ColumnSchema(
            type=ColumnType(self._choice(fields, "type", kinds, "any", place)),
            missing=self._switch(fields, place, "missing"),
            required=self._switch(fields, place, "required", default=True),
            min=self._number(fields, place, "min"),
            max=self._number(fields, place, "max"),
            values=self._texts(fields, place),
            unique=self._switch(fields, place, "unique"),
            private=self._switch(fields, place, "private"),
            earliest=self._time(fields, place, "earliest"),
            latest=self._time(fields, place, "latest"),
            time_zone=self._zone(fields, place),
        )
        self._check(column, place, fields)
        return column

    def _check(self, column: ColumnSchema, place: str, fields: dict[str, Any]) -> None:
        if column.type not in {ColumnType.INTEGER, ColumnType.NUMBER}:
            for key in ("min", "max"):
                if key in fields:
                    raise self.fault(fields[key], f"{place}.{key} needs `type: integer` or `type: number`", _REMOVE)
        if column.values and column.type is not ColumnType.TEXT:
            raise self.fault(fields["values"], f"{place}.values needs `type: text`", _REMOVE)
        if column.unique and column.type is ColumnType.ANY:
            raise self.fault(fields["unique"], f"{place}.unique needs a type other than `any`", _REMOVE)
        for key in (*_TIMES, "time_zone"):
            if key in fields and column.type is not ColumnType.DATETIME:
                raise self.fault(fields[key], f"{place}.{key} needs `type: datetime`", _REMOVE)
        if column.earliest and column.latest and order_of(column.earliest) > order_of(column.latest):
            raise self.fault(fields["earliest"], f"{place}.earliest is later than {place}.latest", "exchange them")
        if column.min is not None and column.max is not None and column.min > column.max:
            raise self.fault(fields["min"], f"{place}.min is larger than {place}.max", "exchange them")

    def _choice(self, fields: dict[str, Any], key: str, choices: tuple[str, ...], default: str, place: str = "") -> str:
        node = fields.get(key)
        if node is None:
            return default
        if not isinstance(node, yaml.ScalarNode) or node.value not in choices:
            near = get_close_matches(str(node.value), choices, n=1)
            name = f"{place}.{key}" if place else key
            hint = f"did you mean {near[0]!r}?" if near else ""
            raise self.fault(node, f"{name} must be one of {', '.join(choices)}, not {_shown(node)}", hint)
        return str(node.value)

    def _switch(self, fields: dict[str, Any], place: str, key: str, *, default: bool = False) -> bool:
        node = fields.get(key)
        if node is None:
            return default
        value = _plain(node)
        if not isinstance(value, bool):
            hint = f"write `{key}: true`, or leave it out"
            raise self.fault(node, f"{place}.{key} must be true or false, not {_shown(node)}", hint)
        return value

    def _number(self, fields: dict[str, Any], place: str, key: str) -> float | None:
        node = fields.get(key)
        if node is None:
            return None
        value = _plain(node)
        if type(value) not in {int, float} or not math.isfinite(value):
            raise self.fault(
                node, f"{place}.{key} must be a number, not {_shown(node)}", f"write `{key}: 0`, or leave it out"
            )
        return float(value)

    def _time(self, fields: dict[str, Any], place: str, key: str) -> str:
        node = fields.get(key)
        if node is None:
            return ""
        found = normal_time(node.value) if isinstance(node, yaml.ScalarNode) else None
        if found is None:
            hint = f"write `{key}: 2024-01-31`, or leave it out"
            raise self.fault(node, f"{place}.{key} must be a date or a time, not {_shown(node)}", hint)
        return found

    def _zone(self, fields: dict[str, Any], place: str) -> str:
        node = fields.get("time_zone")
        if node is None:
            return ""
        if not isinstance(node, yaml.ScalarNode) or not is_zone(node.value):
            hint = "write `time_zone: UTC`, `Europe/Berlin` or `none`, or leave it out"
            raise self.fault(node, f"{place}.time_zone must name a time zone, not {_shown(node)}", hint)
        return str(node.value)

    def _texts(self, fields: dict[str, Any], place: str) -> tuple[str, ...]:
        node = fields.get("values")
        if node is None:
            return ()
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            raise self.fault(
                node, f"{place}.values must be a list of texts, not {_shown(node)}", "write `values: [a, b]`"
            )
        for item in node.value:
            if type(_plain(item)) is not str:
                raise self.fault(item, f"{place}.values: {_shown(item)} is not a text", "put it in quotes")
        return tuple(item.value for item in node.value)


def _plain(node: Any) -> Any:
    """Returns the plain value of a scalar node, the node itself otherwise."""
    if not isinstance(node, yaml.ScalarNode):
        return node
    constructor = yaml.constructor.SafeConstructor()
    maker: Any = constructor.yaml_constructors.get(node.tag)
    return maker(constructor, node) if maker else node


def _shown(node: Any) -> str:
    return f"{node.value!r:.40}" if isinstance(node, yaml.ScalarNode) else f"a {node.id}"
