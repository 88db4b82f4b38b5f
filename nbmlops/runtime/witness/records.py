"""What is watched in a run of the notebook and what was seen, as records and as JSON: two processes share these."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct, field

from nbmlops.core.diagnostics import Json
from nbmlops.core.documents import write_atomically
from nbmlops.pipeline.fields import Fields
from nbmlops.pipeline.run_codec import step_log_from_json, step_log_to_json
from nbmlops.pipeline.run_record import StepLog
from nbmlops.runtime.ambient.ambient import ref_from_json, ref_to_json
from nbmlops.runtime.store.store import ObjectRef
from nbmlops.runtime.store.stored import Codec

PLAN_VARIABLE = "NBMLOPS_WITNESS"
NOTEBOOK = "__main__"
ALL = "*"
"""Stands among the names of a border for every name that the notebook has bound."""


class SeenValue(Struct, frozen=True):
    """A value as it was at a step border.

    Attributes:
        name: Its name.
        type: Full name of its type.
        fingerprint: Equal for equal values of notebook and pipeline; "" if it has none.
        reason: Why it has no fingerprint.
        facts: What is true of it besides its content.
        codec: Its stored form; None if it could not be stored.
        ref: Where its stored form is.
    """

    name: str
    type: str
    fingerprint: str
    reason: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    codec: Codec | None = None
    ref: ObjectRef | None = None


class Border(Struct, frozen=True):
    """The namespace at the end of a step.

    Attributes:
        step: The step.
        values: Values of the names that were asked for and are bound.
        shared: Groups of names that share objects, each sorted.
        log: What its tracking calls recorded.
    """

    step: str
    values: tuple[SeenValue, ...] = ()
    shared: tuple[tuple[str, ...], ...] = ()
    log: StepLog = field(default_factory=StepLog)


class WatchPlan(Struct, frozen=True):
    """What the kernel of a watched notebook is told.

    Attributes:
        homes: Top-level modules of the notebook's own code.
        root: The project's root.
        store: Folder of the store that values go to.
        report: File that borders are written to, one line each.
        cells: For each cell in the order of execution the step that ends with it, or "".
        names: Step -> names to look at when it ends.
        autolog: Whether autologging follows what the cells train.
    """

    homes: frozenset[str]
    root: Path
    store: Path
    report: Path
    cells: tuple[str, ...]
    names: Mapping[str, tuple[str, ...]]
    autolog: bool = False


def write_plan(path: Path, plan: WatchPlan) -> None:
    """Writes the plan for `read_plan` in the kernel.

    Raises:
        EnvironmentFault: the file cannot be written.
    """
    document = {
        "homes": sorted(plan.homes),
        "root": str(plan.root),
        "store": str(plan.store),
        "report": str(plan.report),
        "cells": list(plan.cells),
        "names": {step: list(names) for step, names in plan.names.items()},
        "autolog": plan.autolog,
    }
    write_atomically(path, json.dumps(document).encode(), mode=0o600)


def read_plan(path: Path) -> WatchPlan:
    """Returns the plan that `write_plan` wrote.

    Raises:
        UsageError: it is of another shape.
    """
    fields = Fields(json.loads(path.read_bytes()), str(path))
    names = fields.child("names")
    return WatchPlan(
        homes=frozenset(fields.texts("homes")),
        root=Path(fields.text("root")),
        store=Path(fields.text("store")),
        report=Path(fields.text("report")),
        cells=fields.texts("cells"),
        names={step: names.texts(step) for step in names.names()},
        autolog=fields.boolean("autolog", default=False),
    )


def read_borders(path: Path) -> dict[str, Border]:
    """Returns step -> border from the lines that the kernel wrote, as far as it came.

    Raises:
        UsageError: a line is of another shape.
    """
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    borders = [border_from_json(Fields(json.loads(line), path.name)) for line in lines]
    return {border.step: border for border in borders}


def border_to_json(border: Border) -> dict[str, Json]:
    """Returns a border as plain data."""
    return {
        "step": border.step,
        "values": [_value_to_json(value) for value in border.values],
        "shared": [list(group) for group in border.shared],
        "log": step_log_to_json(border.log),
    }


def border_from_json(fields: Fields) -> Border:
    """Returns the border that `border_to_json` wrote.

    Raises:
        UsageError: it is of another shape.
    """
    shared = fields.take("shared", "a list of lists", lambda value: isinstance(value, list))
    assert isinstance(shared, list)
    return Border(
        step=fields.text("step"),
        values=tuple(map(_value_from_json, fields.children("values"))),
        shared=tuple(tuple(map(str, group)) for group in shared),
        log=step_log_from_json(fields.child("log")),
    )


def _value_to_json(value: SeenValue) -> dict[str, Json]:
    return {
        "name": value.name,
        "type": value.type,
        "fingerprint": value.fingerprint,
        "reason": value.reason,
        "facts": dict(value.facts),
        "codec": value.codec.value if value.codec else "",
        "ref": ref_to_json(value.ref),
    }


def _value_from_json(fields: Fields) -> SeenValue:
    codec = fields.text("codec")
    return SeenValue(
        name=fields.text("name"),
        type=fields.text("type"),
        fingerprint=fields.text("fingerprint"),
        reason=fields.text("reason"),
        facts=fields.text_map("facts"),
        codec=Codec(codec) if codec else None,
        ref=ref_from_json(fields, "ref"),
    )
