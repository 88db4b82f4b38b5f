"""What stands around a notebook's run in its store: the champion, and the runs before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

from nbmlops.gate.baseline import Baseline, NoChampion
from nbmlops.registry.baseline import read_baseline
from nbmlops.tracking.tracker import RunFacts, RunQuery

if TYPE_CHECKING:
    from nbmlops.app.session.port import RunTitle
    from nbmlops.registry.registry import ModelRegistry
    from nbmlops.tracking.tracker import Tracker

MOST_RUNS = 20


class Surroundings(Struct, frozen=True):
    """The champion of a run's model, and earlier runs of its experiment, oldest first."""

    baseline: Baseline = field(default_factory=NoChampion)
    recent: tuple[RunFacts, ...] = ()


def read_surroundings(registry: ModelRegistry, tracker: Tracker, run: RunTitle, model_name: str) -> Surroundings:
    """Returns what stands around a run.

    Args:
        registry: Where models are.
        tracker: Where runs are.
        run: The run.
        model_name: Whose champion is asked for; "" for nobody's.

    Raises:
        EnvironmentFault: the store cannot be used.
    """
    baseline = read_baseline(registry, tracker, model_name) if model_name else NoChampion()
    found = tracker.find_runs(RunQuery((run.experiment,), most=MOST_RUNS + 1))
    others = tuple(one for one in found if one.run_id != run.run_id)[:MOST_RUNS]
    return Surroundings(baseline, others[::-1])
