"""What a tracked run begins with: what is known before its first step. Asks git and the installed packages."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from nbmlops.app.project import LOCK_FILE, shown_path
from nbmlops.app.running.opened import OpenedPipeline
from nbmlops.app.running.provenance import pipeline_provenance
from nbmlops.app.running.report import lineage_of
from nbmlops.tracking.environment import GitState, environment_facts, git_state
from nbmlops.tracking.lineage import PIPELINE, environment_tags, lineage_tags
from nbmlops.tracking.provenance import PROVENANCE_FILE, provenance_to_json
from nbmlops.tracking.tracker import RunStart

PARENT_RUN = "mlflow.parentRunId"


def run_start(opened: OpenedPipeline, parent: str = "") -> RunStart:
    """Returns what is known of a run before its first step; `parent` is the id of the run that it is a part of."""
    tags = {
        **({PARENT_RUN: parent} if parent else {}),
        **lineage_tags(replace(lineage_of(opened, {}), git_commit=str(_git(opened)))),
        PIPELINE: opened.pipeline.name,
        **environment_tags(environment_facts(_locked_names(opened.folder / LOCK_FILE))),
    }
    return RunStart(
        opened.config.experiment,
        tags=tags,
        source=shown_path(opened.folder, opened.root),
        documents={PROVENANCE_FILE: provenance_to_json(pipeline_provenance(opened))},
    )


def _git(opened: OpenedPipeline) -> GitState:
    return git_state(opened.root, (opened.folder / opened.pipeline.notebook,))


def _locked_names(path: Path) -> tuple[str, ...]:
    if not path.is_file():
        return ()
    lines = path.read_text("utf-8", "replace").splitlines()
    return tuple(line.partition("==")[0].strip() for line in lines if line.strip() and not line.startswith("#"))
