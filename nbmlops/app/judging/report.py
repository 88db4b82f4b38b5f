"""What a report on a verdict shows beside it: how the scores of candidate and champion agree with what came true."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from nbmlops.app.judging.evidence import Judged
from nbmlops.app.judging.recorded import Recorded, is_score
from nbmlops.app.wiring import Stores
from nbmlops.core.errors import NbmlopsError
from nbmlops.gate.evidence import NotHad
from nbmlops.registry.registry import CHAMPION
from nbmlops.tracking.lineage import PREDICTIONS

if TYPE_CHECKING:
    from nbmlops.data.held_out.held_out import HeldOut


class CalibrationCurve(Struct, frozen=True):
    """The calibration of one model: "candidate" or "champion", on the predictions of a name."""

    model: str
    predictions: str
    bins: tuple[Any, ...]  # of `CalibrationBin`


def calibration_curves(stores: Stores, judged: Judged) -> tuple[CalibrationCurve, ...]:
    """Returns the curves of all predictions that are scores; () where there are none.

    Args:
        stores: Where runs and models are.
        judged: The run.

    Raises:
        EnvironmentFault: the tracking store cannot be used.
    """
    return tuple(_curves(stores, judged))


def _curves(stores: Stores, judged: Judged) -> Iterator[CalibrationCurve]:
    recorded = Recorded(stores.tracker, stores.registry)
    tags = recorded.facts(judged.run_id).tags
    for name in sorted(tag.removeprefix(PREDICTIONS) for tag in tags if tag.startswith(PREDICTIONS)):
        held = recorded.of_run(judged.run_id, name)
        if isinstance(held, NotHad) or not is_score(held):
            continue
        yield from _curve("candidate", name, held)
        try:
            champion = stores.registry.aliased(judged.model_name, CHAMPION)
        except NbmlopsError:  # a picture without the champion is better than no report
            champion = None
        other = recorded.of_version(champion, name, held) if champion is not None else NotHad("")
        if not isinstance(other, NotHad):
            yield from _curve("champion", name, other)


def _curve(model: str, name: str, held: HeldOut) -> Iterator[CalibrationCurve]:
    from nbmlops.data.held_out.calibration import calibration  # noqa: PLC0415  # loads what computes
    from nbmlops.data.held_out.measures import binary, scores_of  # noqa: PLC0415  # likewise

    try:
        yield CalibrationCurve(model, name, calibration(binary(held.truth), scores_of(held.prediction)))
    except ValueError:  # of labels or NaN there is no curve
        return
