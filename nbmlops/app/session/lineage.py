"""The story of a notebook's run while it is open: what the session knows, without asking the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nbmlops.app.running.provenance import session_provenance
from nbmlops.app.session.place import SessionPlace
from nbmlops.app.show.views import StatusView
from nbmlops.gate.verdict import verdict_digest
from nbmlops.registry.registry import ModelVersion
from nbmlops.registry.story import GateStory, RunStory, Story, Trace
from nbmlops.tracking.cells import CellOutcome, CellRun, CellValues
from nbmlops.tracking.environment import environment_facts
from nbmlops.tracking.keys import param_text
from nbmlops.tracking.tracker import RunFacts, RunState


def session_story(
    status: StatusView, place: SessionPlace, runs: Sequence[CellRun], values: Mapping[int, CellValues]
) -> Story:
    """Returns the story of the open run of a notebook.

    Args:
        status: What it has recorded.
        place: Where it belongs.
        runs: The runs of its cells, oldest first; those before the run began have no outcome, and are left out.
        values: The tables and arrays of those that are not, by their place among them.
    """
    environment = environment_facts()
    verdict, version = status.verdict, status.model_version
    followed = [run for run in runs if run.outcome is not CellOutcome.UNKNOWN]
    facts = RunFacts(
        run_id=status.run_id,
        name=status.run_name,
        experiment=status.experiment,
        state=RunState.RUNNING,
        params={name: param_text(value) for name, value in status.parameters.items()},
        metrics=status.metrics,
        data={record.name: record.digest for record in status.data},
        started=min((run.started for run in followed if run.started), default=0),
    )
    story = RunStory(
        facts=facts,
        pipeline=place.name,
        source=place.notebook,
        commit=place.git.commit,
        dirty=place.git.dirty if place.git.commit else None,
        notebook_digest=place.notebook_digest,
        python=environment.python,
        platform=environment.platform,
        environment_digest=environment.digest,
        reproducible=status.reproducible,
        data=status.data,
        checks={check.schema: "pass" if check.passed else "fail" for check in status.checks},
        gate=GateStory(verdict.passed, verdict.summary(), verdict_digest(verdict), verdict) if verdict else None,
        traces=tuple(_trace(run, values.get(place)) for place, run in enumerate(followed)),
        provenance=session_provenance(place.root, place.notebook, runs),
    )
    made = (ModelVersion(version.name, version.version, status.run_id, version.aliases),) if version else ()
    return Story(story, made=made)


def _trace(run: CellRun, values: CellValues | None) -> Trace:
    read = tuple(path for path, _ in run.read)
    made = tuple((name, seen.digest) for name, seen in values.made.items()) if values is not None else ()
    used = tuple(values.used.items()) if values is not None else ()
    return Trace(run.cell, run.count, run.outcome.value, run.seconds, read, run.wrote, made, used, run.digest)
