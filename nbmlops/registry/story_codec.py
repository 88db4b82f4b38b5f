"""Stories as the plain data of a JSON document; its shape is public (docs/reference/schemas/lineage.json)."""

from __future__ import annotations

from typing import Any

from nbmlops.core.diagnostics import Json
from nbmlops.core.records import DataRecord
from nbmlops.gate.verdict import verdict_to_json
from nbmlops.pipeline.run_codec import finite
from nbmlops.registry.read_story import when
from nbmlops.registry.registry import ModelVersion
from nbmlops.registry.story import GateStory, RunStory, Story, Trace, VersionStory
from nbmlops.tracking.provenance import Provenance, provenance_to_json

SCHEMA = "nbmlops/lineage/1"


def story_to_json(story: Story) -> dict[str, Json]:
    """Returns the document; NaN and infinities are texts, as in `run.json`."""
    return {
        "schema": SCHEMA,
        "subject": story.subject,
        "version": None if story.version is None else version_to_json(story.version),
        "run": None if story.run is None else run_to_json(story.run),
        "made": [reference(version) for version in story.made],
        "notes": list(story.notes),
        "diagnostics": [],
    }


def reference(version: ModelVersion) -> dict[str, Json]:
    """Returns a version as other parts of documents name it."""
    return {"name": version.name, "version": version.version, "aliases": list(version.aliases)}


def version_to_json(story: VersionStory) -> dict[str, Json]:
    """Returns what the document says of a version."""
    return {
        **reference(story.version),
        "stage": story.stage,
        "registered": when(story.version.created),
        "metrics": finite(story.metrics),
        "transitions": [{"at": one.at, "what": one.what, "who": one.who, "why": one.why} for one in story.transitions],
        "later": [{"version": one.version, "how": one.how} for one in story.later],
    }


def run_to_json(story: RunStory) -> dict[str, Json]:
    """Returns what the document says of a run."""
    facts = story.facts
    return {
        "run_id": facts.run_id,
        "name": facts.name,
        "experiment": facts.experiment,
        "status": facts.state.value.lower(),
        "started": when(facts.started),
        "ended": when(facts.ended),
        "parent": story.parent,
        "pipeline": {"name": story.pipeline, "version": story.pipeline_version, "source": story.source},
        "notebook_digest": story.notebook_digest,
        "git": {"commit": story.commit, "dirty": story.dirty},
        "environment": {
            "python": story.python,
            "platform": story.platform,
            "digest": story.environment_digest,
        },
        "reproducible": story.reproducible,
        "data": [_data(record) for record in story.data],
        "checks": dict(story.checks),
        "parameters": dict(facts.params),
        "metrics": finite(facts.metrics),
        "gate": None if story.gate is None else _gate(story.gate),
        "steps" if not story.is_notebook else "cells": [_trace(trace) for trace in story.traces],
        "provenance": None if story.provenance is None else _provenance(story.provenance),
    }


def _data(record: DataRecord) -> dict[str, Json]:
    return {
        "name": record.name,
        "digest": record.digest,
        "kind": record.kind,
        "rows": record.rows,
        "columns": len(record.columns),
        "context": record.context,
        "evidence": str(record.profile.get("evidence", "declared")),
        "parts": dict(record.parts),
        "version": dict(record.version),
    }


def _gate(gate: GateStory) -> dict[str, Json]:
    return {
        "passed": gate.passed,
        "summary": gate.summary,
        "digest": gate.digest,
        "verdict": None if gate.verdict is None else verdict_to_json(gate.verdict),
    }


def _trace(trace: Trace) -> dict[str, Json]:
    return {
        "name": trace.name,
        "count": trace.count,
        "outcome": trace.outcome,
        "seconds": round(trace.seconds, 3),
        "read": list(trace.read),
        "wrote": list(trace.wrote),
        "made": dict(trace.made),
        "used": dict(trace.used),
        "source_sha256": trace.source_sha256,
    }


def _provenance(provenance: Provenance) -> dict[str, Any]:
    document = provenance_to_json(provenance)
    document.pop("schema")
    return document | {"packages": dict(provenance.packages)}
