"""Recent runs beside each other: their parameters and metrics, which is champion, in any order."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

from msgspec import Struct

from nbmlops.app.config.config import PipelineConfig, load_config
from nbmlops.app.project import PIPELINES, find_root, pipeline_names
from nbmlops.app.wiring import Opener, Readable, open_existing, tracking_uri
from nbmlops.core.errors import UsageError
from nbmlops.gate.policy import Direction, direction_of, known_direction
from nbmlops.registry.registry import CHAMPION, ModelVersion
from nbmlops.tracking.lineage import PIPELINE, VERDICT
from nbmlops.tracking.tracker import RunFacts, RunQuery

STARTED, SECONDS, NAME = "started", "seconds", "name"
MOST_RUNS = 50
_LOOKED_THROUGH = 300


class RunsQuery(Struct, frozen=True):
    """Which runs are compared, and how.

    Attributes:
        scope: A pipeline's name or folder, a notebook, or an experiment; "" for those of the project.
        sort: A metric, a parameter, "started", "seconds" or "name".
        reverse: The other way round than usual: the worst, the oldest first.
        most: How many, the newest ones.
    """

    scope: str = ""
    sort: str = STARTED
    reverse: bool = False
    most: int = MOST_RUNS


class RunRow(Struct, frozen=True):
    """One run: the facts, the versions that it made, and whether one of them is champion."""

    facts: RunFacts
    versions: tuple[ModelVersion, ...] = ()

    @property
    def is_champion(self) -> bool:
        """Whether a version that it made is live."""
        return any(CHAMPION in version.aliases for version in self.versions)

    @property
    def verdict(self) -> str:
        """What the gate said: "pass", "fail", or "" before it."""
        return self.facts.tags.get(VERDICT, "")

    @property
    def seconds(self) -> float | None:
        """How long it took, None while it runs."""
        facts = self.facts
        return (facts.ended - facts.started) / 1000 if facts.ended and facts.started else None


class RunTable(Struct, frozen=True):
    """Runs beside each other.

    Attributes:
        scope: Whose runs they are, in words.
        rows: In the order asked for.
        parameters: The names of those that differ between the runs.
        same: Name -> value of those that all runs have alike.
        metrics: The names of all metrics.
        directions: Metric -> which way it gets better, where that is known.
        sort: What they are sorted by.
        reverse: Whether the other way round than usual.
    """

    scope: str
    rows: tuple[RunRow, ...]
    parameters: tuple[str, ...]
    same: Mapping[str, str]
    metrics: tuple[str, ...]
    directions: Mapping[str, Direction]
    sort: str = STARTED
    reverse: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """All that the runs can be sorted by."""
        return tuple(dict.fromkeys((STARTED, NAME, SECONDS, *self.parameters, *self.metrics)))

    def best(self, metric: str) -> float | None:
        """Returns the best value of a metric, None where nobody knows which way it gets better."""
        direction = self.directions.get(metric)
        values = [row.facts.metrics[metric] for row in self.rows if metric in row.facts.metrics]
        finite = [value for value in values if math.isfinite(value)]
        if direction is None or len(finite) < 2:
            return None
        return max(finite) if direction is Direction.HIGHER else min(finite)


def compare_runs(query: RunsQuery, cwd: Path, opener: Opener = open_existing) -> RunTable:
    """Returns the runs that were asked for, with what they can be compared by.

    Args:
        query: Which, and in which order.
        cwd: A folder of the project.
        opener: Opens the stores.

    Raises:
        UsageError: there are no such runs, or they have nothing of the name to sort by; the message has what is near.
        ConfigError: the configuration is malformed.
        EnvironmentFault: the tracking store cannot be read.
    """
    root = find_root(cwd)
    name = _pipeline_of(query.scope, root, cwd)
    config = load_config(root)
    settings = config.for_pipeline(name)
    stores = opener(root, tracking_uri(root, settings))
    runs, scope = _runs(stores, query, settings, name, root)
    versions = stores.registry.of_runs([run.run_id for run in runs])
    policies = [config.for_pipeline(one) for one in dict.fromkeys((name, *pipeline_names(root)))]
    return table_of(runs, versions, known_directions(policies), query, scope)


def _pipeline_of(scope: str, root: Path, cwd: Path) -> str:
    """Returns the pipeline's name that a scope names, "" if it names none."""
    if scope.endswith(".ipynb"):
        from nbmlops.notebook.reader import read_notebook  # noqa: PLC0415  # few ask by notebook

        path = cwd / scope
        return read_notebook(path).name if path.is_file() else Path(scope).stem
    names = pipeline_names(root)
    if not scope:
        return names[0] if len(names) == 1 else ""
    folder = (cwd / scope).resolve()
    return next((name for name in names if name == scope or folder == (root / PIPELINES / name).resolve()), "")


def _runs(
    stores: Readable, query: RunsQuery, settings: PipelineConfig, name: str, root: Path
) -> tuple[tuple[RunFacts, ...], str]:
    find = stores.tracker.find_runs
    if query.scope and not name:
        runs = find(RunQuery((query.scope,), most=query.most))
        if not runs:
            known = list(dict.fromkeys(run.experiment for run in find(RunQuery(most=_LOOKED_THROUGH))))
            near = get_close_matches(query.scope, [*known, *pipeline_names(root)], n=1)
            shown = ", ".join(known[:10]) or "none"
            raise UsageError(
                f"there is no pipeline, notebook or experiment with runs called {query.scope!r}; experiments: {shown}",
                f"did you mean {near[0]!r}?" if near else "",
            )
        return runs, f"experiment {query.scope}"
    if not query.scope:
        experiments = tuple(dict.fromkeys((settings.experiment or root.name, root.name)))
        runs = find(RunQuery(experiments, most=query.most)) or find(RunQuery(most=query.most))
        return runs, " and ".join(dict.fromkeys(f"experiment {run.experiment}" for run in runs)) or "this project"
    return find(RunQuery(tags={PIPELINE: name}, most=query.most)), f"pipeline {name}"


def known_directions(settings: Iterable[PipelineConfig]) -> dict[str, Direction]:
    """Returns which way metrics get better as the rules of the gate say: declared, or by the bound that they have."""
    found: dict[str, Direction] = {}
    for rule in (rule for one in settings for rule in one.policy.rules):
        bound = Direction.HIGHER if rule.min is not None else Direction.LOWER if rule.max is not None else None
        direction = direction_of(rule) or bound
        if direction is not None:
            found.setdefault(rule.metric, direction)
    return found


def table_of(
    runs: Sequence[RunFacts],
    versions: Sequence[ModelVersion],
    directions: Mapping[str, Direction],
    query: RunsQuery,
    scope: str,
) -> RunTable:
    """Returns runs as a table; pure.

    Args:
        runs: Newest first.
        versions: Those that the runs made.
        directions: What the project says of metrics.
        query: How they are sorted.
        scope: Whose runs they are, in words.

    Raises:
        UsageError: the runs have nothing of the name to sort by.
    """
    rows = [RunRow(run, tuple(one for one in versions if one.run_id == run.run_id)) for run in runs]
    names = list(dict.fromkeys(name for run in reversed(runs) for name in run.params))
    values = {name: {run.params.get(name) for run in runs} for name in names}
    metrics = tuple(dict.fromkeys(name for run in reversed(runs) for name in run.metrics))
    known = {name: directions.get(name) or known_direction(name) for name in metrics}
    table = RunTable(
        scope=scope,
        rows=tuple(rows),
        parameters=tuple(name for name in names if len(values[name]) > 1),
        same={name: str(runs[0].params[name]) for name in names if len(values[name]) == 1},
        metrics=metrics,
        directions={name: direction for name, direction in known.items() if direction is not None},
        sort=query.sort,
        reverse=query.reverse,
    )
    if query.sort not in {*table.columns, *table.same}:
        near = get_close_matches(query.sort, table.columns, n=1)
        shown = ", ".join(table.columns)
        raise UsageError(
            f"the runs have no metric or parameter {query.sort!r}; they can be sorted by: {shown}",
            f"did you mean {near[0]!r}?" if near else "",
        )
    order = ranks(table, query.sort)
    return RunTable(
        table.scope,
        tuple(sorted(rows, key=lambda row: _placed(order[row.facts.run_id], reverse=query.reverse))),
        table.parameters,
        table.same,
        table.metrics,
        table.directions,
        query.sort,
        query.reverse,
    )


def _placed(rank: int | None, *, reverse: bool) -> tuple[bool, int]:
    """Returns what to sort by: what lacks the value comes last either way."""
    return rank is None, (-rank if reverse else rank) if rank is not None else 0


def ranks(table: RunTable, column: str) -> dict[str, int | None]:
    """Returns run id -> place by a column, from 0; None for runs that have nothing there.

    The newest, the shortest and the best come first, of parameters the least; of equal ones the newer.
    """
    keys = {row.facts.run_id: _key(table, row, column) for row in table.rows}
    newest = {row.facts.run_id: -row.facts.started for row in table.rows}
    known = sorted((key, newest[run_id], run_id) for run_id, key in keys.items() if key is not None)
    places = {run_id: place for place, (_, _, run_id) in enumerate(known)}
    return {run_id: places.get(run_id) for run_id in keys}


def _key(table: RunTable, row: RunRow, column: str) -> tuple[float, str] | None:
    facts = row.facts
    if column in facts.metrics:
        value = facts.metrics[column]
        if math.isnan(value):
            return None
        return (value if table.directions.get(column) is Direction.LOWER else -value), ""
    if column in facts.params:
        return number_or_text(facts.params[column])
    if column == NAME:
        return 0.0, facts.name
    number = {STARTED: float(-facts.started), SECONDS: row.seconds}.get(column)
    return None if number is None else (number, "")


def number_or_text(text: str) -> tuple[float, str]:
    """Returns what to sort a parameter's value by: numbers by size, then texts."""
    try:
        value = float(text)
    except ValueError:
        return math.inf, text
    return (value, "") if not math.isnan(value) else (math.inf, text)
