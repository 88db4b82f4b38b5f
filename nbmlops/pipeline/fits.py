"""What a run calls that which MLflow's autologging told of its trainings. Pure.

MLflow makes a run for each training, with parameters such as `C`; our run has several trainings, and parameters that
never change. So everything is called by its training, `model/C`. Both doors name alike: a notebook as its cells run, a
pipeline when its steps have ended, in notebook order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from nbmlops.core.diagnostics import Json
from nbmlops.core.records import ArtifactRecord
from nbmlops.pipeline.run_record import FitRecord, StepLog

FOLDER = "autolog"
"""Where the artifacts of all trainings are, among those of a run."""
MOST = 50
"""How many trainings of one name are told apart: more are a search, whose results the user logs."""
_LEFT_OUT = "left_out"
_NOT_FOLLOWED = "not_followed"
_NOTHING_TOLD = "MLflow told nothing of a training: it failed, or ran beside another one on another thread"


class FitNames:
    """Names the trainings of one run. One that has the parameters of an earlier one is the same, done again.

    Args:
        earlier: Parameters that another process has logged in this run, as texts.
    """

    def __init__(self, earlier: Mapping[str, str] | None = None) -> None:
        self._earlier = earlier or {}
        self._known: dict[str, list[Mapping[str, str]]] = {}

    def logged(self, fit: FitRecord, params: Mapping[str, Json]) -> StepLog:
        """Returns what the run logs of a training: `model/…`, `model-2/…` for another one of that name.

        Args:
            fit: The training.
            params: Parameters of the run, which it does not touch.
        """
        if not (fit.params or fit.metrics or fit.artifacts):
            return StepLog(params={f"{fit.name}/{_NOT_FOLLOWED}": _NOTHING_TOLD})
        known = self._known.setdefault(fit.name, list(self._before(fit.name)))
        if fit.params not in known:
            if len(known) == MOST:
                return StepLog(params={f"{fit.name}/{_LEFT_OUT}": f"trainings beyond the {MOST} first ones"})
            known.append(fit.params)
        prefix = _prefix(fit.name, known.index(fit.params) + 1)
        return StepLog(
            params={name: text for key, text in fit.params.items() if (name := f"{prefix}/{key}") not in params},
            metrics=tuple(replace(metric, name=f"{prefix}/{metric.name}") for metric in fit.metrics),
            artifacts=tuple(ArtifactRecord(f"{FOLDER}/{prefix}/{one.name}", one.digest) for one in fit.artifacts),
        )

    def _before(self, name: str) -> Iterable[Mapping[str, str]]:
        for number in range(1, MOST + 1):
            prefix = f"{_prefix(name, number)}/"
            told = {key.removeprefix(prefix): text for key, text in self._earlier.items() if key.startswith(prefix)}
            found = {key: text for key, text in told.items() if key not in {_LEFT_OUT, _NOT_FOLLOWED}}
            if not found:
                return
            yield found


def _prefix(name: str, number: int) -> str:
    return name if number == 1 else f"{name}-{number}"


def logged_fits(logs: Iterable[StepLog]) -> StepLog:
    """Returns what a run logs of the trainings of its steps.

    Args:
        logs: What the steps logged, in notebook order.
    """
    logs = tuple(logs)
    params: dict[str, Json] = {name: value for log in logs for name, value in log.params.items()}
    names, told = FitNames(), []
    for fit in (fit for log in logs for fit in log.fits):
        told.append(names.logged(fit, params))
        params.update(told[-1].params)
    return StepLog(
        params={name: value for log in told for name, value in log.params.items()},
        metrics=tuple(metric for log in told for metric in log.metrics),
        artifacts=tuple(artifact for log in told for artifact in log.artifacts),
    )
