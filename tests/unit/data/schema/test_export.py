import json
import keyword
from datetime import timedelta
from typing import Any

import pandas as pd
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbmlops.core.errors import UsageError
from nbmlops.data.schema.export import class_name, mlflow_signature, pydantic_model
from nbmlops.data.schema.model import ColumnSchema, ColumnType, FrameSchema
from nbmlops.data.schema.schema import infer_schema, validate

SCHEMA = FrameSchema(
    {
        "id": ColumnSchema(ColumnType.INTEGER, min=0, max=10.5),
        "class": ColumnSchema(ColumnType.TEXT, values=("x'", "y\n")),
        "int": ColumnSchema(ColumnType.NUMBER, missing=True),
        "when": ColumnSchema(ColumnType.DATETIME, required=False),
        "local": ColumnSchema(ColumnType.DATETIME, earliest="2013-01-01", time_zone="none"),
        "there": ColumnSchema(ColumnType.DATETIME, latest="2024-01-01T10:30:00", time_zone="Europe/Berlin"),
        "moved": ColumnSchema(ColumnType.DATETIME, earliest="2013-01-01", time_zone="UTC+02:00"),
        "took": ColumnSchema(ColumnType.DURATION),
        "'''):\nimport os": ColumnSchema(ColumnType.ANY, private=True),
    },
    other_columns=False,
)
SOURCE = """\
# One row of data that keeps the schema "flights-2024"; written by: nbmlops schema export --to pydantic
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, NaiveDatetime


class Flights2024(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True, protected_namespaces=())

    id: Annotated[int, Field(strict=True, ge=0, le=10)]
    column_class: Literal["x'", 'y\\n'] = Field(..., alias='class')
    column_int: Annotated[float, Field(strict=True, allow_inf_nan=False)] | None = Field(default=None, alias='int')
    when: datetime | None = Field(default=None)
    local: Annotated[NaiveDatetime, Field(ge=datetime(2013, 1, 1))]
    there: Annotated[AwareDatetime, Field(le=datetime(2024, 1, 1, 10, 30, tzinfo=ZoneInfo('Europe/Berlin')))]
    moved: Annotated[AwareDatetime, Field(ge=datetime(2012, 12, 31, 22, tzinfo=ZoneInfo('UTC')))]
    took: timedelta
    column_import_os: Any = Field(..., alias="\'\'\'):\\nimport os", repr=False)
"""


def model_of(source: str, name: str) -> Any:
    namespace: dict[str, Any] = {"__name__": "exported"}
    exec(compile(source, "exported.py", "exec"), namespace)
    return namespace[class_name(name)]


def test_the_model_reads_well() -> None:
    assert pydantic_model(SCHEMA, "flights-2024") == SOURCE


def test_the_model_takes_a_row_and_refuses_others() -> None:
    model = model_of(SOURCE, "flights-2024")
    row = {"id": 3, "class": "x'", "int": 2, "when": "2026-01-02T03:04:05", "took": "PT5S", "local": "2013-01-01",
           "there": "2024-01-01T09:30:00Z", "moved": "2013-01-01T00:00:00+02:00", "'''):\nimport os": [1]}  # fmt: skip
    got = model.model_validate(row)
    assert (got.id, got.column_int, got.when.isoformat()) == (3, 2.0, "2026-01-02T03:04:05")
    assert got.took == timedelta(seconds=5)
    for wrong in ({"id": 11}, {"id": "3"}, {"class": "z"}, {"int": float("nan")}, {"other": 1},
                  {"local": "2012-12-31"}, {"local": "2013-01-01T00:00:00Z"}, {"there": "2024-01-01T09:30:01Z"},
                  {"moved": "2013-01-01T00:00:00+02:01"}):  # fmt: skip
        with pytest.raises(pydantic.ValidationError):
            model.model_validate(row | wrong)


@settings(max_examples=150)
@given(st.lists(st.one_of(st.text(max_size=12), st.sampled_from([*keyword.kwlist, "int", "copy", "model_x", "__x__",
    "Field", "_a", "a b", "a-b", "a_b", "column_a_b", "json", "self", "cls", "'''", '"', "\\", "#"])),
    unique=True, max_size=6), st.text(max_size=10))  # fmt: skip
def test_whatever_the_columns_are_called_the_model_takes_them(names: list[str], schema: str) -> None:
    columns = {name: ColumnSchema(ColumnType.INTEGER) for name in names}
    model = model_of(pydantic_model(FrameSchema(columns), schema), schema)
    row = {name: number for number, name in enumerate(names)}
    assert model.model_validate(row).model_dump(by_alias=True) == row


@settings(max_examples=60)
@given(st.sampled_from([ColumnType.INTEGER, ColumnType.NUMBER, ColumnType.TEXT, ColumnType.BOOLEAN]),
       st.sampled_from([None, 0, 1, 5, 0.5, "x", "y", True]), st.booleans())  # fmt: skip
def test_model_and_schema_agree_on_a_row(kind: ColumnType, value: object, missing: bool) -> None:
    column = ColumnSchema(kind, missing, max=1 if kind in {ColumnType.INTEGER, ColumnType.NUMBER} else None,
                          values=("x",) if kind is ColumnType.TEXT else ())  # fmt: skip
    schema = FrameSchema({"a": column})
    frame = pd.DataFrame({"a": pd.Series([value], dtype=object).infer_objects()})
    try:
        model_of(pydantic_model(schema, "s"), "s").model_validate({"a": value})
        taken = True
    except pydantic.ValidationError:
        taken = False
    assert taken is validate(frame, schema).passed


def test_mlflow_reads_the_signature() -> None:
    from mlflow.models import ModelSignature

    frame = pd.DataFrame({"id": [1, 2], "x": [0.5, None], "late": [True, False], "o": ["a", "b"]})
    frame["when"] = pd.to_datetime("2026-01-01")
    document = json.loads(json.dumps(mlflow_signature(infer_schema(frame))))
    read = ModelSignature.from_dict(document)
    assert [(column.name, column.type.name, column.required) for column in read.inputs.inputs] == [
        ("id", "long", True), ("x", "double", False), ("late", "boolean", True), ("o", "string", True),
        ("when", "datetime", True),
    ]  # fmt: skip
    assert ModelSignature.from_dict(mlflow_signature(FrameSchema({"any": ColumnSchema(ColumnType.ANY)}))) is not None


def test_what_a_signature_cannot_say_is_told() -> None:
    with pytest.raises(UsageError, match="column 'took' holds durations, which an MLflow signature cannot say"):
        mlflow_signature(SCHEMA)


@pytest.mark.parametrize(
    ("name", "wanted"), [("flights", "Flights"), ("a-b.c", "ABC"), ("1", "Row1"), ("ü", "Row"), ("None", "RowNone")]
)
def test_the_class_is_called_like_the_schema(name: str, wanted: str) -> None:
    assert class_name(name) == wanted
