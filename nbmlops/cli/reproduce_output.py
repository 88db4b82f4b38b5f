"""What `nbmlops reproduce` prints: every fact of a version beside that of its reproduction."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nbmlops.cli.blocks import Block, Cell, Line, Table, Tone, cells
from nbmlops.core.diagnostics import Json

if TYPE_CHECKING:
    from nbmlops.app.versions.reproduce import Reproduction

REPRODUCE_SCHEMA = "nbmlops/reproduce/1"
_SHORT = 24


def reproduce_blocks(outcome: Reproduction) -> Iterator[Block]:
    """Yields the comparison, how the libraries differ, and what follows."""
    rows = tuple(
        (
            Cell(one.kind),
            Cell(one.name),
            Cell(_short(one.recorded)),
            Cell(_short(one.reproduced)),
            Cell("equal", Tone.GOOD) if one.is_equal else Cell("DIFFERENT", Tone.BAD),
        )
        for one in outcome.compared
    )
    yield Table("compared", ("what", "name", "recorded", "made now", ""), rows)
    if outcome.environment:
        differing = tuple(cells(one.name, one.locked, one.here or "not installed") for one in outcome.environment)
        yield Table(outcome.libraries, ("name", "locked", "here"), differing)
    yield Line(outcome.summary, Tone.GOOD if outcome.is_equal else Tone.BAD)
    if outcome.folder:
        yield Line(f"kept: {outcome.folder}", Tone.PATH)


def reproduce_document(outcome: Reproduction) -> dict[str, Json]:
    """Returns the document of `reproduce --format json`."""
    return {
        "schema": REPRODUCE_SCHEMA,
        "status": "equal" if outcome.is_equal else "different",
        "version": {"name": outcome.version.name, "version": outcome.version.version},
        "commit": outcome.commit,
        "compared": [
            {
                "kind": one.kind,
                "name": one.name,
                "recorded": one.recorded,
                "reproduced": one.reproduced,
                "equal": one.is_equal,
            }
            for one in outcome.compared
        ],
        "environment": [{"name": one.name, "locked": one.locked, "here": one.here} for one in outcome.environment],
        "rebuilt": outcome.is_rebuilt,
        "folder": outcome.folder,
    }


def _short(text: str) -> str:
    return text if len(text) <= _SHORT else f"{text[: _SHORT - 1]}…"
