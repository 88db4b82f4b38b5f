"""Facts of a run that rules may be about (`nbmlops.gate.facts`): each read or computed, or told why it is not known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from nbmlops.app.judging.data_drift import drift_of
from nbmlops.app.judging.recorded import Recorded
from nbmlops.core.errors import NbmlopsError
from nbmlops.gate.evidence import Found, NotHad, NothingToCompare
from nbmlops.gate.policy import HELD_OUT
from nbmlops.notebook.model import RoleKind
from nbmlops.notebook.reader import read_notebook
from nbmlops.pipeline.run_codec import finite
from nbmlops.registry.registry import ModelVersion
from nbmlops.tracking.behaviour import behaviours_in
from nbmlops.tracking.lineage import CHECK, GIT_COMMIT, GIT_DIRTY, PIPELINE, PYTHON
from nbmlops.tracking.provenance import Provenance
from nbmlops.tracking.tracker import RunFacts

if TYPE_CHECKING:
    from nbmlops.data.held_out.held_out import HeldOut

Fact = float | Found | NothingToCompare | NotHad
FindVersion = Callable[[], "ModelVersion | NothingToCompare | NotHad"]
_MOST_SAID = 5
PIPELINES, LOCK = "pipelines", "requirements.lock"


class AskedFact(Struct, frozen=True):
    """A fact by its name, what it is about ("" for all), the run, and the project's root."""

    fact: str
    of: str
    run_id: str
    root: Path


def fact_of(asked: AskedFact, recorded: Recorded, champion: FindVersion) -> Fact:
    """Returns the value of a fact, or why it is not known.

    Args:
        asked: Which fact.
        recorded: Reads runs and predictions.
        champion: Finds the champion.

    Raises:
        EnvironmentFault: the tracking store cannot be used.
    """
    fact, of, run_id = asked.fact, asked.of, asked.run_id
    if fact in {"leaked_rows", "model_bytes", "latency_ms"}:
        return _measured(fact, recorded.of_run(run_id, of or HELD_OUT))
    if fact in {"signature_changes", "signature_breaks"}:
        return _signature(fact, of or HELD_OUT, run_id, recorded, champion())
    if fact == "drift":
        return drift_of(of, run_id, recorded, champion())
    return _of_run(asked, recorded.facts(run_id), recorded)


def _of_run(asked: AskedFact, facts: RunFacts, recorded: Recorded) -> Fact:
    match asked.fact:
        case "dirty_tree":
            found: Fact = float(not (facts.tags.get(GIT_COMMIT) and facts.tags.get(GIT_DIRTY) == "false"))
        case "unhashed_data":
            found = float(not (facts.data if not asked.of else facts.data.get(asked.of)))
        case "unpinned_environment":
            found = _unpinned(asked, facts, recorded)
        case "failed_checks":
            found = _checks(asked.of, facts.tags)
        case "failed_tests":
            found = _tests(asked.of, facts.tags)
        case _:
            found = NotHad(f"{asked.fact!r} is no fact that this nbmlops knows")
    return found


def _unpinned(asked: AskedFact, facts: RunFacts, recorded: Recorded) -> Fact:
    """Returns how many libraries of the run its pipeline's lock, or else the project's, does not name as they are."""
    from nbmlops.app.compiling.installed import marker_environment  # noqa: PLC0415  # only who asks for it needs it
    from nbmlops.app.judging.pinned import pin_differences  # noqa: PLC0415  # likewise

    pipeline = facts.tags.get(PIPELINE, "")
    folders = [asked.root / PIPELINES / pipeline] if pipeline else []
    lock = next((folder / LOCK for folder in (*folders, asked.root) if (folder / LOCK).is_file()), None)
    if lock is None:
        return NotHad(f"there is no {LOCK}, neither the pipeline's nor the project's")
    made_from = recorded.provenance(asked.run_id)
    if not made_from.packages:
        return NotHad("the run recorded no versions of libraries")
    python, text = facts.tags.get(PYTHON, ""), lock.read_text("utf-8", "replace")
    said = pin_differences(text, python, made_from.packages, marker_environment(), _imported(asked.root, made_from))
    if said is None:
        return NotHad(f"{lock.relative_to(asked.root).as_posix()} pins nothing")
    return Found(float(len(said)), _listed(said), {"libraries": list(said)} if said else {})


def _imported(root: Path, made_from: Provenance) -> Mapping[str, Sequence[str]]:
    """Returns the modules that a run's cells import, with what brings them; cells that no pipeline has are left out."""
    from nbmlops.app.compiling.lock_text import OWN  # noqa: PLC0415  # as above
    from nbmlops.app.judging.pinned import imported_modules  # noqa: PLC0415  # likewise
    from nbmlops.runtime.reuse.libraries import distributions_of  # noqa: PLC0415  # likewise

    try:
        cells = read_notebook(root / made_from.notebook).cells if made_from.notebook else ()
    except (OSError, NbmlopsError):  # the run stays, its notebook may go
        cells = ()
    skipped = {cell.id for cell in cells if cell.role.kind is RoleKind.SKIP}
    modules = imported_modules(cell.source for cell in made_from.cells if not cell.id or cell.id not in skipped)
    return {one: tuple(distributions_of([one], made_from.packages)) for one in modules if one != OWN}


def _listed(said: Sequence[str]) -> str:
    """Returns a few of these, and how many more there are."""
    more = [f"and {len(said) - _MOST_SAID} more"] if len(said) > _MOST_SAID else []
    return "; ".join([*said[:_MOST_SAID], *more])


def _measured(fact: str, held: HeldOut | NotHad) -> Fact:
    if isinstance(held, NotHad):
        return held
    options = {"leaked_rows": "--training", "model_bytes": "--model", "latency_ms": "--model and --features"}
    return held.facts.get(fact, NotHad(f"the predictions were logged without {options[fact]}"))


def _checks(of: str, tags: Mapping[str, str]) -> Fact:
    found = {name.removeprefix(CHECK): outcome for name, outcome in tags.items() if name.startswith(CHECK)}
    wanted = {name: outcome for name, outcome in found.items() if of in {"", name}}
    if not wanted:
        return NotHad(f"no data was checked against schema {of!r}" if of else "no data was checked against a schema")
    return float(sum(outcome != "pass" for outcome in wanted.values()))


def _tests(of: str, tags: Mapping[str, str]) -> Fact:
    wanted = [record for record in behaviours_in(tags) if of in {"", record.name}]
    if not wanted:
        return NotHad(f"the behaviour test {of!r} was not run" if of else "no behaviour test was run")
    failed = [record for record in wanted if not record.passed]
    said = [f"{record.name} ({record.outcome.value}): {record.message}" for record in failed]
    return Found(float(len(failed)), _listed(said), {"tests": [finite(record) for record in wanted]})


def _signature(
    fact: str, name: str, run_id: str, recorded: Recorded, champion: ModelVersion | NothingToCompare | NotHad
) -> Fact:
    ours = _features(recorded.of_run(run_id, name))
    if isinstance(ours, NotHad):
        return ours
    if isinstance(champion, NotHad | NothingToCompare):
        return champion
    theirs = _features(recorded.of_run(champion.run_id, name))
    if isinstance(theirs, NotHad):
        return NotHad(f"the champion's signature is not known: {theirs.reason}")
    changed = {column for column in {*ours, *theirs} if ours.get(column) != theirs.get(column)}
    if fact == "signature_changes":
        return float(len(changed))
    return float(sum(column in ours and not _fits(theirs.get(column, ""), ours[column]) for column in changed))


def _features(held: HeldOut | NotHad) -> dict[str, str] | NotHad:
    if isinstance(held, NotHad):
        return held
    if not held.features:
        return NotHad("the predictions were logged without --features")
    return {name: str(held.columns[name].dtype) for name in held.features}


def _fits(given: str, wanted: str) -> bool:
    """Returns whether values of one type do where another is expected: integers where there are floats now."""
    return wanted.startswith("float") and given.startswith(("int", "uint", "bool", "float"))
