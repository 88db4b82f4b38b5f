"""Which run produced which results: an index from what was executed to the run document that told its outcome.

A run that executes nothing reports the outcome found here, without any tracking store.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

from nbmlops.app.project import STATE_FOLDER
from nbmlops.core.digest import Digest, digest_json
from nbmlops.core.documents import read_json_document, write_json_document
from nbmlops.core.errors import UsageError
from nbmlops.gate.policy import Policy
from nbmlops.pipeline.ir import Input, Pipeline
from nbmlops.pipeline.run_codec import run_from_json, run_to_json
from nbmlops.pipeline.run_record import RunRecord, StepRecord

SCHEMA = "nbmlops/results/1"


class KnownResults(Struct, frozen=True):
    """The run that produced some results, a digest of the rules that judged it, and the digest of the results."""

    record: RunRecord
    policy: str
    digest: Digest


def results_digest(pipeline: Pipeline, steps: Iterable[StepRecord]) -> Digest:
    """Returns what identifies the results of a run: the keys of its steps, and what its closing stages read."""
    register = pipeline.register
    return digest_json(
        {
            "steps": [[step.name, step.key] for step in steps],
            "metrics": [[metric.name, *_value(metric.value)] for metric in pipeline.metrics],
            "gate": pipeline.gate is not None,
            "register": [*_value(register.model), *_value(register.data), register.model_name] if register else [],
        }
    )


def _value(value: Input | None) -> list[str]:
    return [value.name, value.step] if value else []


def policy_digest(policy: Policy) -> Digest:
    """Returns what identifies a set of rules."""
    return digest_json([repr(rule) for rule in policy.rules])


class ResultsIndex:
    """The index of one pipeline, below the project's state folder."""

    def __init__(self, root: Path, pipeline: str) -> None:
        self._folder = root / STATE_FOLDER / "cache" / pipeline / "results"

    def find(self, digest: Digest) -> KnownResults | None:
        """Returns the run that produced these results, or None when no run is known."""
        path = self._folder / f"{digest}.json"
        try:
            document = read_json_document(path, SCHEMA)
            return KnownResults(run_from_json(document["run"], str(path)), str(document["policy"]), digest)
        except (UsageError, KeyError, TypeError):  # absent, or of another version: the run is made and judged anew
            return None

    def latest(self) -> KnownResults | None:
        """Returns the results of the run that was noted last, or None."""
        paths = sorted(self._folder.glob("*.json"), key=lambda path: (path.stat().st_mtime_ns, path.name))
        found = (self.find(Digest(path.stem)) for path in reversed(paths))
        return next((known for known in found if known is not None), None)

    def of_run(self, run_id: str) -> KnownResults | None:
        """Returns the results that a run produced, or None when they are not known here."""
        found = (self.find(Digest(path.stem)) for path in sorted(self._folder.glob("*.json")))
        return next((known for known in found if known is not None and known.record.run_id == run_id), None)

    def registered(self) -> tuple[RunRecord, ...]:
        """Returns the runs whose models were registered, as far as they are known here."""
        found = (self.find(Digest(path.stem)) for path in sorted(self._folder.glob("*.json")))
        return tuple(known.record for known in found if known is not None and known.record.model_version is not None)

    def remember(self, digest: Digest, record: RunRecord, policy: str) -> None:
        """Notes which run produced these results.

        Args:
            digest: As `results_digest` gives it.
            record: The run document, its folder relative to the project's root.
            policy: Digest of the rules that judged it.

        Raises:
            EnvironmentFault: the file cannot be written.
        """
        document = {"schema": SCHEMA, "policy": policy, "run": run_to_json(record)}
        write_json_document(self._folder / f"{digest}.json", document)
