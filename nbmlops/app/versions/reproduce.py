"""Making a model version again from what it remembers, and comparing: the same commit, data, parameters, libraries."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from nbmlops.app.project import PIPELINE_FILE, PIPELINES, find_root
from nbmlops.app.running.report import RUN_FILE
from nbmlops.app.versions.environments import Difference, differences, interpreter_for
from nbmlops.app.versions.promote import parse_model, store_of
from nbmlops.app.versions.reproduced_predictions import Models, Predicted, StoredModel, ask_predictions
from nbmlops.app.versions.worktree import checked_out
from nbmlops.app.wiring import TRACKING_VARIABLE, Stores, open_existing
from nbmlops.core.diagnostics import Json
from nbmlops.core.errors import EnvironmentFault, ExitCode, NbmlopsError, StepFailed, UsageError
from nbmlops.core.known_secrets import MARK
from nbmlops.gate.numerals import show_number
from nbmlops.pipeline.run_codec import run_from_json
from nbmlops.pipeline.run_record import ModelVersionRef, RunRecord
from nbmlops.registry.baseline import metrics_from_tag
from nbmlops.registry.promote import find_version
from nbmlops.registry.registry import CHAMPION, METRICS, MODEL_DIGEST, ModelVersion
from nbmlops.tracking.lineage import lineage_from_tags, lineage_tags

LOCK_FILE = "requirements.lock"
_DIRTY = "-dirty"
_PACKAGES = frozenset({"site-packages", "dist-packages"})
Tell = Callable[[str], None]


class Recorded(Struct, frozen=True):
    """What a version remembers of how it was made.

    Attributes:
        version: The version.
        commit: Full id; the tree was clean.
        pipeline: Name of the pipeline.
        parameters: As the run had them.
        files: Files that its steps read -> their fingerprints; paths below the project's root are relative to it.
        facts: What is compared: kind -> name -> value.
    """

    version: ModelVersion
    commit: str
    pipeline: str
    parameters: Mapping[str, Json]
    files: Mapping[str, str]
    facts: Mapping[str, Mapping[str, str]]


class Compared(Struct, frozen=True):
    """One fact of the version beside that of its reproduction; "" where one of them has none."""

    kind: str
    name: str
    recorded: str
    reproduced: str

    @property
    def is_equal(self) -> bool:
        """Whether both are the same, to the last digit."""
        return self.recorded == self.reproduced


class Reproduction(Struct, frozen=True):
    """How a version was made again, and what came of it.

    Attributes:
        version: The version.
        commit: The commit that was checked out.
        compared: Every fact.
        environment: How the libraries here differ from those that the version was made with.
        is_rebuilt: Whether those that it was made with were installed for it.
        folder: The working tree, if it was kept; else "".
    """

    version: ModelVersionRef
    commit: str
    compared: tuple[Compared, ...]
    environment: tuple[Difference, ...] = ()
    is_rebuilt: bool = False
    folder: str = ""

    @property
    def is_equal(self) -> bool:
        """Whether everything is as it was; where there is nothing to compare, nobody knows."""
        return bool(self.compared) and all(one.is_equal for one in self.compared)

    @property
    def summary(self) -> str:
        """What came of it, in one line."""
        label = f"{self.version.name} version {self.version.version}, made again from {self.commit[:12]}"
        count = sum(not one.is_equal for one in self.compared)
        return f"{label}: {f'{count} of {len(self.compared)} facts differ' if not self.is_equal else 'equal'}"

    @property
    def libraries(self) -> str:
        """What it was made with, in words."""
        if not self.environment:
            return "the libraries here are those of the lock"
        if self.is_rebuilt:
            return "made with the libraries of the lock, which were installed for it; here are others"
        return "made with the libraries here, which are not those of the lock"


class Made(Struct, frozen=True):
    """The run that was made now: its record, what is compared of it, its store, its version if the gate let it pass."""

    run: RunRecord
    facts: Mapping[str, Mapping[str, str]]
    store: str
    version: str = ""


class ReproduceRequest(Struct, frozen=True):
    """What to reproduce.

    Attributes:
        text: `MODEL`, `MODEL@alias` or `MODEL/version`; without a selector the champion.
        cwd: A folder of the project.
        here: Use the libraries of this environment, whatever they are.
        keep: Leave the working tree where it is.
        parameters: Values of parameters that were redacted, as NAME=VALUE.
    """

    text: str
    cwd: Path
    here: bool = False
    keep: bool = False
    parameters: tuple[str, ...] = ()


def reproduce(request: ReproduceRequest, tell: Tell) -> Reproduction:
    """Returns how a version compares with one that is made now from what it remembers.

    The project's own files, store and registry are only read.

    Args:
        request: What to reproduce.
        tell: Told what goes on, a line at a time.

    Raises:
        UsageError: there is no such version, or it does not remember enough.
        StepFailed: the pipeline does not run any more.
        EnvironmentFault: data is gone or has changed, or the libraries cannot be installed.
    """
    name, selector = parse_model(request.text, CHAMPION)
    root = find_root(request.cwd)
    stores = open_existing(root, store_of(root, name, request.cwd))
    recorded = remembered(stores, find_version(stores.registry, name, selector))
    hidden = {one.partition("=")[0] for one in request.parameters}
    lost = [key for key, value in recorded.parameters.items() if value == MARK and key not in hidden]
    if lost:
        raise UsageError(
            f"parameters were kept out of the store as secrets: {', '.join(lost)}",
            f"give them again: -p {lost[0]}=VALUE",
        )
    tell(f"checking out {recorded.commit[:12]}")
    with checked_out(root, recorded.commit, keep=request.keep) as tree:
        folder = tree / PIPELINES / recorded.pipeline
        if not (folder / PIPELINE_FILE).exists():
            raise UsageError(
                f"the commit {recorded.commit[:12]} holds no pipelines/{recorded.pipeline}",
                "compile and commit the pipeline before the run that registers",
            )
        restore(recorded, root, tree, tell)
        found = differences(folder / LOCK_FILE)
        python = sys.executable
        if found and not request.here:
            tell(f"installing the libraries of {folder.name}/{LOCK_FILE}: {len(found)} differ here")
            python = interpreter_for(folder / LOCK_FILE, root)
        tell(f"running {recorded.pipeline}")
        made = _run(python, recorded, tree, request.parameters)
        compared = compare(recorded.facts, made.facts)
        if any(one.kind == "model" and not one.is_equal for one in compared):
            tell("comparing predictions")
            models = Models(
                folder=str(folder),
                parameters=made.run.parameters,
                recorded=StoredModel(store_of(root, name, request.cwd), str(root), name, recorded.version.version),
                made=StoredModel(made.store, str(tree), name, made.version) if made.version else None,
            )
            compared = _by_predictions(compared, ask_predictions(python, _environment(python), models, tell))
        return Reproduction(
            recorded.version.ref,
            recorded.commit,
            compared,
            found,
            is_rebuilt=python != sys.executable,
            folder=str(tree) if request.keep else "",
        )


def remembered(stores: Stores, version: ModelVersion) -> Recorded:
    """Returns what a version remembers.

    Args:
        stores: Where its run is.
        version: The version.

    Raises:
        UsageError: it was not made by a pipeline from a clean commit.
        EnvironmentFault: the tracking store cannot be used.
    """
    label = f"{version.name} version {version.version}"
    lineage = lineage_from_tags(version.tags)
    if not lineage.git_commit:
        raise UsageError(f"{label} remembers no commit", "register from a git repository to be able to reproduce")
    if lineage.git_commit.endswith(_DIRTY):
        raise UsageError(
            f"{label} was made from {lineage.git_commit[:12]} with changes that were not committed",
            "only what was committed can be made again; commit before the run that registers",
        )
    document = stores.tracker.read_document(lineage.run_id, RUN_FILE) if lineage.run_id else None
    if document is None:
        raise UsageError(
            f"{label} was registered in a notebook, not by a run of a pipeline, so there is nothing to run again",
            "run the pipeline of that notebook, and register there: nbmlops compile, nbmlops run",
        )
    run = run_from_json(document, f"{RUN_FILE} of run {lineage.run_id}")
    return Recorded(
        version=version,
        commit=lineage.git_commit,
        pipeline=run.pipeline,
        parameters=run.parameters,
        files={path: digest for step in run.steps for path, digest in step.files.items()},
        facts=facts_of(version, run),
    )


def facts_of(version: ModelVersion, run: RunRecord) -> dict[str, dict[str, str]]:
    """Returns what is compared: metrics with all digits, fingerprints of data and model, digests of code."""
    lineage = lineage_from_tags(version.tags)
    metrics = metrics_from_tag(version.tags.get(METRICS, "")) or dict(run.metrics)
    facts = {
        "metric": {name: _digits(value) for name, value in sorted(metrics.items())},
        "data": dict(sorted(lineage.data.items())),
        "code": {"pipeline": lineage.pipeline, "notebook": lineage.notebook},
        "model": {"content": version.tags.get(MODEL_DIGEST, "")},
    }
    return {kind: {name: value for name, value in values.items() if value} for kind, values in facts.items()}


def compare(
    recorded: Mapping[str, Mapping[str, str]], reproduced: Mapping[str, Mapping[str, str]]
) -> tuple[Compared, ...]:
    """Returns every fact of either side beside that of the other one."""
    return tuple(
        Compared(kind, name, values.get(name, ""), reproduced.get(kind, {}).get(name, ""))
        for kind, values in recorded.items()
        for name in dict.fromkeys([*values, *reproduced.get(kind, {})])
    )


def restore(recorded: Recorded, root: Path, tree: Path, tell: Tell) -> None:
    """Puts data that the commit does not hold where the run had it, and checks all of it.

    A file outside of the project is checked where it is, and never written.

    Raises:
        EnvironmentFault: data is gone, or is not what the run has read.
    """
    from nbmlops.data.fingerprints.files import fingerprint_file  # noqa: PLC0415 - nothing is to be restored for many versions

    for path, digest in sorted(recorded.files.items()):
        place = tree / path
        if _PACKAGES & set(place.parts[:-1]):
            continue  # it belongs to a library, which the lock tells
        is_ours = place.resolve().is_relative_to(tree.resolve())
        if is_ours and not place.exists() and (source := _source(path, digest, root, place)) is not None:
            tell(f"restoring {path}")
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, place)
        if not place.exists():
            raise EnvironmentFault(
                f"{path} is gone: neither the commit nor the project holds the file that the run has read",
                f"restore it (dvc pull {path}), then try again; its fingerprint is {digest}",
            )
        if fingerprint_file(place) != digest:
            raise EnvironmentFault(
                f"{path} is not the file that the run has read: its fingerprint was {digest}",
                "restore that version of it, then try again",
            )


def _source(path: str, digest: str, root: Path, place: Path) -> Path | None:
    """Returns where a file is that the commit does not hold: as it was in the project, or in DVC's cache."""
    from nbmlops.app.data.dvc_repository import find_repository  # noqa: PLC0415 - as above
    from nbmlops.data.fingerprints.files import fingerprint_file  # noqa: PLC0415 - likewise
    from nbmlops.data.versions.dvc_pointer import read_pointer  # noqa: PLC0415 - likewise
    from nbmlops.data.versions.dvc_store import object_path  # noqa: PLC0415 - likewise

    here = root / path
    if here.is_file() and fingerprint_file(here) == digest:
        return here
    pointer = place.with_name(f"{place.name}.dvc")  # as it was committed
    if not pointer.is_file():
        return None
    try:
        md5 = read_pointer(pointer.read_bytes(), pointer.name).md5
        kept = object_path(find_repository(here).cache, md5)
    except NbmlopsError:  # the project has no DVC repository any more
        return None
    return kept if kept.is_file() else None


def _run(python: str, recorded: Recorded, tree: Path, given: tuple[str, ...]) -> Made:
    """Returns the run that is made now; its store is a file of the working tree.

    Raises:
        StepFailed: it does not come to its end.
    """
    values = {name: f"{name}={_text(value)}" for name, value in recorded.parameters.items()}
    values |= {one.partition("=")[0]: one for one in given}
    options = [part for value in values.values() for part in ("-p", value)]
    store = f"sqlite:///{tree / '.nbmlops-reproduced.db'}"
    environment = {**_environment(python), TRACKING_VARIABLE: store}
    command = [python, "-P", "-m", "nbmlops", "run", f"{PIPELINES}/{recorded.pipeline}", "--format", "json", *options]
    done = subprocess.run(command, cwd=tree, env=environment, stdout=subprocess.PIPE, check=False)
    if done.returncode not in {ExitCode.SUCCESS, ExitCode.GATE_REJECTED}:
        why = _failure(done.stdout) or f"exit code {done.returncode}; its own message stands above"
        raise StepFailed(
            f"the pipeline {recorded.pipeline} of {recorded.commit[:12]} does not run any more: {why}",
            "--keep leaves the folder, to look into it",
        )
    document: dict[str, Any] = json.loads(done.stdout)
    known = {key: value for key, value in document.items() if key not in {"reused", "notes", "diagnostics"}}
    run = run_from_json(known, "the run that was made now")
    versions = Stores(tree, store).registry.versions(recorded.version.name)
    if versions:
        return Made(run, facts_of(versions[0], run), store, versions[0].version)
    return Made(run, facts_of(ModelVersion(recorded.version.name, "", tags=lineage_tags(run.lineage)), run), store)


def _failure(said: bytes) -> str:
    """Returns why a run failed, from the document that it printed; "" where that does not tell."""
    try:
        document = json.loads(said)
        steps = [f"step {one['name']}: {one['error']['message']}" for one in document.get("steps", ()) if one["error"]]
        return next(iter([*steps, *(str(one["message"]) for one in document.get("diagnostics", ()))]), "")
    except (ValueError, TypeError, KeyError, AttributeError):
        return ""


def _environment(python: str) -> dict[str, str]:
    """Returns the variables for a run by a Python: libraries that are found by a path here are not those of another."""
    left_out = {"PYTHONPATH", "PYTHONHOME"} if python != sys.executable else set()
    return {name: value for name, value in os.environ.items() if name not in left_out}


def _by_predictions(compared: tuple[Compared, ...], found: Predicted) -> tuple[Compared, ...]:
    # What a model predicts is what counts; its content then differs in what it keeps of how it was fitted.
    if not (found.recorded or found.made):
        return compared
    rest = tuple(one for one in compared if one.kind != "model")
    return (*rest, Compared("predictions", "of the registered features", found.recorded, found.made))


def _text(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _digits(value: float) -> str:
    """Returns a number so that equal texts mean equal numbers."""
    return show_number(value) if math.isnan(value) or math.isinf(value) else repr(float(value))
