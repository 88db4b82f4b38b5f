"""The JSON document of `nbmlops tag`."""

from __future__ import annotations

from nbmlops.app.compiling.tag import TagOutcome
from nbmlops.cli.documents import TAG_SCHEMA
from nbmlops.core.diagnostics import Json


def tag_document(outcome: TagOutcome) -> dict[str, Json]:
    """Returns the document of `tag --format json`."""
    proposal = outcome.proposal
    return {
        "schema": TAG_SCHEMA,
        "status": outcome.status.value,
        "notebook": outcome.notebook.path,
        "source": proposal.source.value,
        "steps": [
            {
                "name": step.name,
                "cells": list(step.cells),
                "reasons": list(step.reasons),
                "why": step.why(),
                "inputs": [{"name": value.name, "from": value.step} for value in step.inputs],
                "crossing": list(step.crossing),
            }
            for step in proposal.steps
        ],
        "tags": [{"cell": tag.cell, "tag": tag.tag, "why": tag.why} for tag in proposal.tags],
        "left_out": [
            {"cell": border.cell, "step": border.step, "code": border.code, "message": border.message}
            for border in proposal.merged
        ],
        "cells": list(outcome.written),
        "diagnostics": [diagnostic.to_json() for diagnostic in outcome.diagnostics],
    }
