"""`%mlops schema infer`, `check` and `diff`: what the command line does, on files and on the notebook's frames."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from nbmlops.app.data.schemas import SchemaDiff, check, diff, infer
from nbmlops.app.show.cards import Card, Table
from nbmlops.app.show.views import CheckView, View
from nbmlops.data.fingerprints.fingerprint import is_frame
from nbmlops.notebook.mlops_lines import MlopsLine


class InferView(View, Struct, frozen=True):
    """What became of a schema: written, widened, or left as it was."""

    check: CheckView

    def card(self) -> Card:
        """Returns what was written, and what to do with it."""
        view = self.check
        if not view.written:
            return Card("UNCHANGED", f"the data keeps schema {view.record.schema} as it is")
        state = "WIDENED" if view.widened else "NEW"
        notes = (*view.widened, f"review and commit {view.written}; `%mlops check` holds data to it, pipelines as well")
        return Card(state, f"schema {view.record.schema} of {view.record.data}", notes=notes)


class SchemaDiffView(View, Struct, frozen=True):
    """What changed from one schema to another."""

    diff: SchemaDiff

    def card(self) -> Card:
        """Returns one row for each change, and whether data that passed may fail."""
        found = self.diff
        rows = tuple(
            (
                "breaking" if one.breaking else "compatible",
                one.column or "(frame)",
                one.rule,
                f"{one.before} → {one.after}",
                one.reason,
            )
            for one in found.changes
        )
        tables = (Table("changes", ("change", "column", "rule", "from → to", "why"), rows),) if rows else ()
        said = {"EQUAL": "says the same as", "COMPATIBLE": "is compatible with", "BREAKING": "breaks what keeps"}
        state = ("BREAKING" if found.breaking else "COMPATIBLE") if rows else "EQUAL"
        return Card(state, f"{found.after} {said[state]} {found.before}", tables)


def schema_command(line: MlopsLine, namespace: Mapping[str, Any]) -> View:
    """Returns what a `%mlops schema …` line asks for; a check that fails shows itself, and stops no cell.

    Args:
        line: A line of `schema infer`, `schema check` or `schema diff`.
        namespace: The notebook's variables, which may hold frames.

    Raises:
        UsageError: data or schema cannot be read, or there is a schema already.
        EnvironmentFault: the schema cannot be written.
    """
    options, cwd = line.options, Path.cwd()
    if line.subcommand == "schema diff":
        return SchemaDiffView(diff(str(options["before"]), str(options["after"]), cwd))
    text = str(options["data"])
    data = namespace[text] if is_frame(namespace.get(text)) else Path(text)
    if line.subcommand == "schema check":
        schema = str(options.get("schema", "" if isinstance(data, Path) else text))
        return CheckView(check(data, schema, cwd, text))
    name = str(options.get("name", "" if isinstance(data, Path) else text))
    update, force = bool(options.get("update")), bool(options.get("force"))
    return InferView(infer(data, name, cwd, update=update, force=force))
