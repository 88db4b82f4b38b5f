"""Schemas from the command line: inferring, checking a file of data, comparing two, and exporting one."""

from __future__ import annotations

import json
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from msgspec import Struct

from nbmlops.app.data.checks import SCHEMAS, May, check_value, read_text, schema_path
from nbmlops.app.project import find_root, shown_path
from nbmlops.app.show.views import CheckView
from nbmlops.core.documents import write_atomically
from nbmlops.core.errors import UsageError
from nbmlops.core.git import ask_git
from nbmlops.core.records import CheckRecord
from nbmlops.data.reading import read_frame
from nbmlops.data.schema.codec import schema_from_yaml, schema_to_yaml
from nbmlops.data.schema.diff import Change, diff_schemas
from nbmlops.data.schema.export import mlflow_signature, pydantic_model
from nbmlops.data.schema.model import FrameSchema
from nbmlops.data.schema.schema import infer_schema, validate


class SchemaDiff(Struct, frozen=True):
    """What changed from one schema to another; `before` and `after` are their places."""

    before: str
    after: str
    changes: tuple[Change, ...]

    @property
    def breaking(self) -> bool:
        """Whether data that keeps the old one may break the new one."""
        return any(change.breaking for change in self.changes)


def infer(data: Any, name: str, cwd: Path, *, update: bool, force: bool) -> CheckView:
    """Returns what became of the schema: inferred from data and written, or widened.

    Args:
        data: A frame, or the path of a file with a table.
        name: The schema's name, "" for that of the file.
        cwd: The current folder.
        update: Widen the rules of an existing schema that the data breaks.
        force: Infer it anew although there is one.

    Raises:
        UsageError: the data cannot be read, or there is a schema of this name already.
    """
    root = find_root(cwd)
    name = name or _stem(data)
    path = schema_path(name, root)
    if path.is_file() and not (update or force):
        raise UsageError(
            f"there is a schema {shown_path(path, cwd)} already",
            "widen its rules with --update, infer it anew with --force, or give another name with --name",
        )
    frame = _frame(data, cwd)
    if not force:
        return check_value(frame, name, root, May.WIDEN)
    write_atomically(path, schema_to_yaml(infer_schema(frame)))
    return CheckView(CheckRecord(name, name, passed=True), written=f"{SCHEMAS}/{path.name}")


def check(data: Any, schema: str, cwd: Path, shown: str = "") -> CheckRecord:
    """Returns whether data keeps a schema, and what stands against it.

    Args:
        data: A frame, or the path of a file with a table.
        schema: The schema, as `load_schema` takes it; "" for the one with the name of the file.
        cwd: The current folder.
        shown: What the data is called; "" for its path.

    Raises:
        UsageError: data or schema cannot be read.
    """
    name = schema or _stem(data)
    rules, _ = load_schema(name, cwd)
    return validate(_frame(data, cwd), rules, data=shown or Path(data).as_posix(), name=name)


def _stem(data: Path) -> str:
    return data.name.partition(".")[0]


def diff(before: str, after: str, cwd: Path) -> SchemaDiff:
    """Returns what changed from one schema to another; see `load_schema` for how they are named.

    Raises:
        UsageError: one of them cannot be read.
    """
    old, old_place = load_schema(before, cwd)
    new, new_place = load_schema(after, cwd)
    return SchemaDiff(old_place, new_place, diff_schemas(old, new))


def export(schema: str, form: str, cwd: Path) -> str:
    """Returns the schema as "mlflow" signature (JSON) or as "pydantic" model (source).

    Raises:
        UsageError: it cannot be read, or the form cannot say what it says.
    """
    rules, _ = load_schema(schema, cwd)
    if form == "mlflow":
        return json.dumps(mlflow_signature(rules), indent=2) + "\n"
    name = Path(schema.partition("@")[0]).name.removesuffix(".yaml").removesuffix(".yml")
    return pydantic_model(rules, name)


def load_schema(text: str, cwd: Path) -> tuple[FrameSchema, str]:
    """Returns a schema and its place.

    Args:
        text: A name in `schemas/`, a path of a YAML file, or either with `@REVISION` for what git has there.
        cwd: The current folder.

    Raises:
        UsageError: there is none, or it is broken.
    """
    name, at, revision = text.partition("@")
    root = find_root(cwd)
    path = cwd / name if "/" in name or name.endswith((".yaml", ".yml")) else schema_path(name, root)
    shown = shown_path(path.resolve(), cwd)
    if at:
        return _at_revision(path.resolve(), revision, shown)
    if not path.is_file():
        known = sorted(file.stem for file in (root / SCHEMAS).glob("*.yaml"))
        near = get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"schemas of this project: {', '.join(known) or 'none'}"
        raise UsageError(f"there is no schema {shown}", hint)
    return schema_from_yaml(read_text(path, shown), shown), shown


def _at_revision(path: Path, revision: str, shown: str) -> tuple[FrameSchema, str]:
    place = f"{shown}@{revision}"
    folder = next((parent for parent in path.parents if parent.is_dir()), path.parent)
    commit = ask_git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if not revision or commit is None:
        raise UsageError(f"git knows no revision {revision!r}", "name a commit, a branch or a tag: flights@main")
    top = ask_git(folder, "rev-parse", "--show-toplevel")
    assert top is not None, "a commit was found"
    relative = path.relative_to(Path(top.strip()).resolve()).as_posix()
    text = ask_git(folder, "show", f"{commit.strip()}:{relative}")
    if text is None:
        raise UsageError(f"there was no schema {shown} in {revision}", "name another revision")
    return schema_from_yaml(text, place), place


def _frame(data: Any, cwd: Path) -> Any:
    if not isinstance(data, Path):
        return data
    path = cwd / data
    if not path.is_file():
        raise UsageError(f"{data} does not exist", "check the path: it counts from the current folder")
    frame = read_frame(path)
    if frame is None:
        raise UsageError(
            f"{data} is of a kind that is not read here", "give a CSV, TSV, Parquet, Feather or JSON-lines file"
        )
    return frame
