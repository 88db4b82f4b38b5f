"""A tracking store and a model registry that live in memory, for tests of what stands above them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from nbmlops.core.diagnostics import Json
from nbmlops.core.errors import EnvironmentFault, UsageError
from nbmlops.gate.verdict import Verdict, verdict_digest, waived_text
from nbmlops.pipeline.run_record import DataRecord, StepLog
from nbmlops.registry.baseline import metrics_to_tag
from nbmlops.registry.registry import METRICS, MODEL_DIGEST, Candidate, ModelVersion, NameEntry
from nbmlops.tracking.behaviour import behaviour_text
from nbmlops.tracking.lineage import GIT_COMMIT, RUN_ID, TEST, VERDICT_BASELINE, lineage_tags, verdict_tags
from nbmlops.tracking.tracker import RunFacts, RunQuery, RunStart, RunState


@dataclass
class InMemoryTracker:
    """Runs by id; `documents` and `files` are the artifacts."""

    uri: str = "memory:"
    runs: dict[str, RunFacts] = field(default_factory=dict)
    logs: dict[str, list[StepLog]] = field(default_factory=dict)
    documents: dict[tuple[str, str], Mapping[str, Json]] = field(default_factory=dict)
    files: dict[str, list[str]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    contents: dict[tuple[str, str], bytes] = field(default_factory=dict)

    def start_run(self, start: RunStart) -> RunFacts:
        run_id = f"{len(self.runs) + 1:032x}"
        facts = RunFacts(run_id, start.name, start.experiment, RunState.RUNNING, tags=dict(start.tags), started=1)
        self.runs[run_id] = facts
        self.logs[run_id] = []
        self.documents |= {(run_id, name): document for name, document in start.documents.items()}
        return facts

    def log_step(self, run_id: str, log: StepLog, at: int = 0) -> None:
        facts = self.run_facts(run_id)
        self.logs[run_id].append(log)
        self.runs[run_id] = replace(
            facts,
            params={**facts.params, **{name: str(value) for name, value in log.params.items()}},
            metrics={**facts.metrics, **{metric.name: metric.value for metric in log.metrics}},
            data={**facts.data, **{record.name: record.digest for record in log.data}},
            tags={**facts.tags, **{f"{TEST}{test.name}": behaviour_text(test) for test in log.tests}},
        )

    def set_tags(self, run_id: str, tags: Mapping[str, str]) -> None:
        facts = self.run_facts(run_id)
        self.runs[run_id] = replace(facts, tags={**facts.tags, **tags})

    def log_artifacts(self, run_id: str, path: Path, folder: str = "") -> None:
        found = [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.is_file())
        base = path.parent if path.is_file() else path
        names = [(Path(folder) / one.relative_to(base)).as_posix() for one in found]
        self.files.setdefault(run_id, []).extend(names)

    def read_artifact(self, run_id: str, name: str) -> bytes:
        if (run_id, name) not in self.contents:
            raise UsageError(f"run {run_id} has no artifact {name}")
        return self.contents[run_id, name]

    def log_document(self, run_id: str, name: str, document: Mapping[str, Json]) -> None:
        self.documents[run_id, name] = document

    def end_run(self, run_id: str, state: RunState, at: int = 0) -> None:
        self.runs[run_id] = replace(self.run_facts(run_id), state=state, ended=2)

    def run_facts(self, run_id: str) -> RunFacts:
        if run_id not in self.runs:
            raise UsageError(f"there is no run {run_id}")
        return self.runs[run_id]

    def run_data(self, run_id: str) -> tuple[DataRecord, ...]:
        self.run_facts(run_id)
        return tuple({record.name: record for log in self.logs[run_id] for record in log.data}.values())

    def data_versions(self, experiments: Sequence[str], name: str) -> tuple[DataRecord, ...]:
        found = [
            record
            for run_id, facts in reversed(self.runs.items())
            if facts.experiment in experiments or not experiments
            for record in self.run_data(run_id)
            if record.name == name
        ]
        newest: dict[str, DataRecord] = {}
        for record in found:
            newest.setdefault(record.digest, record)
        return tuple(newest.values())

    def find_runs(self, query: RunQuery) -> tuple[RunFacts, ...]:
        found = [
            facts
            for facts in reversed(self.runs.values())
            if (not query.experiments or facts.experiment in query.experiments)
            and query.tags.items() <= facts.tags.items()
            and facts.tags.get(GIT_COMMIT, "").startswith(query.commit)
            and (not query.data or any(digest.startswith(query.data) for digest in facts.data.values()))
            and facts.run_id.startswith(query.beginning)
        ]
        return tuple(found[: query.most])

    def read_document(self, run_id: str, name: str) -> Mapping[str, Json] | None:
        self.run_facts(run_id)
        return self.documents.get((run_id, name))

    def latest_run(self, experiment: str, tags: Mapping[str, str]) -> RunFacts | None:
        for facts in reversed(self.runs.values()):
            if facts.experiment == experiment and tags.items() <= facts.tags.items():
                return facts
        return None

    def resume_run(self, run_id: str, start: RunStart) -> RunFacts:
        self.set_tags(run_id, start.tags)
        self.runs[run_id] = replace(self.runs[run_id], state=RunState.RUNNING)
        return self.run_facts(run_id)

    def mark_killed(self, experiment: str) -> tuple[str, ...]:
        killed = [one.run_id for one in self.runs.values() if one.experiment == experiment and one.run_id in self.gone]
        for run_id in killed:
            self.end_run(run_id, RunState.KILLED)
        self.gone.clear()
        return tuple(killed)


@dataclass
class InMemoryRegistry:
    """Versions and aliases by model name; `calls` tells what was changed, in order."""

    models: dict[str, list[ModelVersion]] = field(default_factory=dict)
    pointers: dict[tuple[str, str], str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    entries: dict[str, NameEntry] = field(default_factory=dict)
    lost: set[tuple[str, str]] = field(default_factory=set)
    stored: dict[tuple[str, str], object] = field(default_factory=dict)
    profiles: dict[tuple[str, str], Mapping[str, Json]] = field(default_factory=dict)

    @property
    def modules(self) -> tuple[str, ...]:
        return ()

    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self.models))

    def versions(self, name: str) -> tuple[ModelVersion, ...]:
        return tuple(self._with_aliases(version) for version in reversed(self.models.get(name, [])))

    def of_runs(self, run_ids: Sequence[str]) -> tuple[ModelVersion, ...]:
        return tuple(version for name in self.models for version in self.versions(name) if version.run_id in run_ids)

    def aliased(self, name: str, alias: str) -> ModelVersion | None:
        number = self.pointers.get((name, alias))
        return next((version for version in self.versions(name) if version.version == number), None)

    def add(self, candidate: Candidate, verdict: Verdict) -> ModelVersion:
        self.calls.append(f"add {candidate.model_name}")
        versions = self.models.setdefault(candidate.model_name, [])
        tags = {
            **lineage_tags(candidate.lineage),
            **verdict_tags(
                passed=verdict.passed,
                digest=verdict_digest(verdict),
                summary=verdict.summary(),
                waived=waived_text(verdict),
            ),
            VERDICT_BASELINE: verdict.baseline,
            RUN_ID: candidate.run_id,
            MODEL_DIGEST: candidate.model_digest,
            METRICS: metrics_to_tag(candidate.metrics),
        }
        version = ModelVersion(candidate.model_name, str(len(versions) + 1), candidate.run_id, (), tags)
        versions.append(version)
        return version

    def set_alias(self, name: str, alias: str, version: str) -> None:
        self.calls.append(f"{alias} -> {version}")
        self.pointers[name, alias] = version

    def remove_alias(self, name: str, alias: str) -> None:
        self.calls.append(f"{alias} -> none")
        self.pointers.pop((name, alias), None)

    def set_tags(self, name: str, version: str, tags: Mapping[str, str]) -> None:
        versions = self.models[name]
        index = int(version) - 1
        versions[index] = replace(versions[index], tags={**versions[index].tags, **tags})

    def entry(self, name: str) -> NameEntry | None:
        if name not in self.models and name not in self.entries:
            return None
        aliases = {alias: number for (model, alias), number in self.pointers.items() if model == name}
        return replace(self.entries.get(name, NameEntry(name)), aliases=aliases)

    def make_entry(self, name: str, tags: Mapping[str, str]) -> bool:
        if name in self.entries or name in self.models:
            return False
        self.entries[name] = NameEntry(name, dict(tags))
        return True

    def tag_entry(self, name: str, tags: Mapping[str, str]) -> None:
        entry = self.entries.get(name, NameEntry(name))
        self.entries[name] = replace(entry, tags={**entry.tags, **tags})

    def drop_entry(self, name: str) -> None:
        self.entries.pop(name, None)

    def model(self, version: ModelVersion) -> object:
        if (version.name, version.version) not in self.stored:
            raise EnvironmentFault("the stored model is gone: there is no model.skops in its folder")
        return self.stored[version.name, version.version]

    def profile(self, version: ModelVersion) -> Mapping[str, Json]:
        return self.profiles.get((version.name, version.version), {})

    def has_model(self, version: ModelVersion) -> bool:
        return (version.name, version.version) not in self.lost

    def give_up(self, run_id: str) -> None:
        self.calls.append(f"give up {run_id}")

    def _with_aliases(self, version: ModelVersion) -> ModelVersion:
        found = [
            alias
            for (name, alias), number in self.pointers.items()
            if (name, number) == (version.name, version.version)
        ]
        return replace(version, aliases=tuple(sorted(found)))
