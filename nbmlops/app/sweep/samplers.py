"""Where the points of a sweep come from: a list made before, or Optuna, which learns from the points before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from nbmlops.app.sweep.plan import Method, SweepPlan
from nbmlops.app.sweep.space import Axis, Choices, Point, draw, grid
from nbmlops.core.diagnostics import Json
from nbmlops.core.errors import EnvironmentFault
from nbmlops.gate.policy import Direction


class Sampler(Protocol):
    """Gives points, one after the other, and is told what came of each."""

    def ask(self) -> Point | None:
        """Returns the next point, None after the last."""

    def tell(self, value: float | None) -> None:
        """Takes the metric's value at the point given last, None if there is none."""


def sampler_of(plan: SweepPlan) -> Sampler:
    """Returns what gives the points of the plan.

    Raises:
        EnvironmentFault: the plan needs Optuna, which is not installed.
    """
    match plan.method:
        case Method.GRID:
            return ListedPoints(grid(plan.space))
        case Method.RANDOM:
            return ListedPoints(draw(plan.space, plan.points, plan.seed))
        case Method.OPTUNA:
            return OptunaPoints(plan)


class ListedPoints:
    """Points that were chosen before."""

    def __init__(self, points: Sequence[Point]) -> None:
        self._points = iter(points)

    def ask(self) -> Point | None:
        """Returns the next point, None after the last."""
        return next(self._points, None)

    def tell(self, value: float | None) -> None:
        """Does nothing: what comes next is decided."""


class OptunaPoints:
    """Points of Optuna's tree-structured Parzen estimator (Bergstra et al., 2011), in memory.

    Raises:
        EnvironmentFault: Optuna is not installed.
    """

    def __init__(self, plan: SweepPlan) -> None:
        try:
            import optuna
        except ImportError as error:
            raise EnvironmentFault(
                "the sweep asks for Optuna, which is not installed", "install it: pip install 'nbmlops[sweep]'"
            ) from error
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        direction = "maximize" if plan.objective.direction is Direction.HIGHER else "minimize"
        self._study = optuna.create_study(direction=direction, sampler=optuna.samplers.TPESampler(seed=plan.seed))
        self._failed = optuna.trial.TrialState.FAIL
        self._left = plan.points
        self._suggest = {name: _suggestion(name, axis) for name, axis in plan.space.items()}
        self._trial: Any = None

    def ask(self) -> Point | None:
        """Returns the next point, None after the last."""
        if self._left == 0:
            return None
        self._left -= 1
        self._trial = self._study.ask()
        return {name: suggest(self._trial) for name, suggest in self._suggest.items()}

    def tell(self, value: float | None) -> None:
        """Takes the metric's value at the point given last, None if there is none."""
        if value is None:
            self._study.tell(self._trial, state=self._failed)
        else:
            self._study.tell(self._trial, value)


def _suggestion(name: str, axis: Axis) -> Callable[[Any], Json]:
    if isinstance(axis, Choices):
        # By position: Optuna takes plain numbers and texts only, and values may be lists.
        return lambda trial: axis.values[trial.suggest_categorical(name, tuple(range(len(axis.values))))]
    if axis.integral:
        step = int(axis.step or 1)
        return lambda trial: int(trial.suggest_int(name, int(axis.low), int(axis.high), step=step, log=axis.log))
    return lambda trial: float(trial.suggest_float(name, axis.low, axis.high, step=axis.step, log=axis.log))
