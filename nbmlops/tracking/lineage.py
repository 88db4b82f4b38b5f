"""The tags that say where a run or a model version comes from: the only place where their names are written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nbmlops.pipeline.run_record import Lineage

if TYPE_CHECKING:  # what reads them asks git
    from nbmlops.tracking.environment import EnvironmentFacts

PREFIX = "nbmlops."
RUN_ID = "nbmlops.run_id"
GIT_COMMIT = "nbmlops.git_commit"
GIT_DIRTY = "nbmlops.git_dirty"
NOTEBOOK_DIGEST = "nbmlops.notebook_digest"
PIPELINE = "nbmlops.pipeline"
PIPELINE_VERSION = "nbmlops.pipeline_version"
SWEEP = "nbmlops.sweep"
SESSION = "nbmlops.session"
REPRODUCIBLE = "nbmlops.reproducible"
DATA = "nbmlops.data."
CHECK = "nbmlops.check."
PREDICTIONS = "nbmlops.predictions."
TEST = "nbmlops.test."
VERDICT = "nbmlops.verdict"
VERDICT_DIGEST = "nbmlops.verdict_digest"
VERDICT_SUMMARY = "nbmlops.verdict_summary"
VERDICT_BASELINE = "nbmlops.verdict_baseline"
WAIVED = "nbmlops.waived"
PYTHON = "nbmlops.python"
PLATFORM = "nbmlops.platform"
ENVIRONMENT_DIGEST = "nbmlops.environment_digest"
DVC_TAGS = ("dvc_file", "dvc_data_hash")
PID = "nbmlops.pid"
HOST = "nbmlops.host"
PROCESS_START = "nbmlops.process_start"

_DIRTY_SUFFIX = "-dirty"


def lineage_tags(lineage: Lineage) -> dict[str, str]:
    """Returns the tags of a lineage; what is not known gets no tag."""
    commit = lineage.git_commit.removesuffix(_DIRTY_SUFFIX)
    tags = {RUN_ID: lineage.run_id, GIT_COMMIT: commit}
    if commit:
        tags[GIT_DIRTY] = "true" if lineage.git_commit.endswith(_DIRTY_SUFFIX) else "false"
    tags |= {NOTEBOOK_DIGEST: lineage.notebook, PIPELINE_VERSION: lineage.pipeline}
    tags |= {f"{DATA}{name}": digest for name, digest in lineage.data.items()}
    return {name: value for name, value in tags.items() if value}


def lineage_from_tags(tags: Mapping[str, str]) -> Lineage:
    """Returns the lineage that tags tell; empty strings where they say nothing."""
    commit = tags.get(GIT_COMMIT, "")
    if commit and tags.get(GIT_DIRTY) == "true":
        commit += _DIRTY_SUFFIX
    return Lineage(
        run_id=tags.get(RUN_ID, ""),
        git_commit=commit,
        data={name.removeprefix(DATA): value for name, value in tags.items() if name.startswith(DATA)},
        notebook=tags.get(NOTEBOOK_DIGEST, ""),
        pipeline=tags.get(PIPELINE_VERSION, ""),
    )


def verdict_tags(*, passed: bool, digest: str, summary: str, waived: str = "") -> dict[str, str]:
    """Returns the tags of a verdict: "pass" or "fail", the digest of its body, its summary, and what is waived."""
    tags = {VERDICT: "pass" if passed else "fail", VERDICT_DIGEST: digest, VERDICT_SUMMARY: summary}
    return tags | ({WAIVED: waived} if waived else {})


def environment_tags(facts: EnvironmentFacts) -> dict[str, str]:
    """Returns the tags of an environment."""
    return {PYTHON: facts.python, PLATFORM: facts.platform, ENVIRONMENT_DIGEST: facts.digest}
