"""What a target gets: the pipeline as tasks for an engine or a CI system, each a command over the one runner.

A task executes its steps and nothing else, over what the store holds of the steps before them; the closing tasks go
over the whole pipeline again, which executes only what does not hold, judge it and register its model. So every target
has the local run's results, whatever order its engine chose. Values pass through the store, never through the engine.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Callable, Mapping
from enum import StrEnum

from msgspec import Struct, field

from nbmlops.compiler.lock import python_version
from nbmlops.compiler.names import fresh
from nbmlops.compiler.program import Program
from nbmlops.compiler.targets.quoting import plain_path
from nbmlops.core.diagnostics import Json
from nbmlops.pipeline.demands import StepDemands
from nbmlops.pipeline.graph import ancestors, predecessors
from nbmlops.pipeline.ir import Parameter, ParameterType, Pipeline, Step

# Where GitHub looks for workflows: the one place outside of a pipeline's folder that targets may write to.
WORKFLOWS = ".github/workflows/"
# Numbers pass through engines as doubles; beyond this, integers would not be the same.
_EXACT = 2**53
# The runner ends a step in order, its processes with it; an engine's own limit is for tasks that hang otherwise.
_GRACE = 60.0
IN_ORDER, ONCE = "--in-order", "--once"


class Kind(StrEnum):
    """The types that every engine has for arguments; all other values travel as text, as `-p NAME=VALUE` takes it."""

    INT = "int"
    FLOAT = "float"
    BOOL = "bool"
    STR = "str"


class Argument(Struct, frozen=True):
    """A parameter as an engine offers it: its name, the engine's type, and the notebook's default in that type."""

    name: str
    kind: Kind
    default: Json


class Task(Struct, frozen=True):
    """One task.

    Attributes:
        name: Unique in the pipeline; lower-case ASCII letters, digits and underscores.
        steps: Names of the steps it executes; none for a closing task.
        needs: Names of the tasks that must have succeeded before it.
        options: What `nbmlops run FOLDER` gets, besides parameters.
        demands: Retries, time and resources; the engine's work where it knows how.
        before: Seconds that earlier steps may take, all together, which it does not need and may have to execute first
            (`--in-order`); None for any time, 0 where there are none.
    """

    name: str
    steps: tuple[str, ...]
    needs: tuple[str, ...]
    options: tuple[str, ...]
    demands: StepDemands = field(default_factory=StepDemands)
    before: float | None = 0.0

    @property
    def patience(self) -> float | None:
        """Seconds after which an engine gives the task up: a minute after the runner would have; None for any time."""
        own = self.demands.timeout
        return None if own is None or self.before is None else own + self.before + _GRACE

    @property
    def engine_options(self) -> tuple[str, ...]:
        """The options for engines that try tasks again themselves, and whose tasks share a folder.

        There, earlier steps that the task's step may not pass go first.
        """
        ordered = (IN_ORDER,) if self.before != 0.0 else ()
        return (*self.options, *ordered, *((ONCE,) if self.demands.retries else ()))


class Stage(Struct, frozen=True):
    """Tasks that do not need each other, for one machine each; or tasks that follow each other, for one machine."""

    tasks: tuple[Task, ...]
    parallel: bool


class TargetFile(Struct, frozen=True):
    """A file of a target: its path relative to the repository's root, its text, and what the README says of it."""

    path: str
    text: str
    about: str


class Deployment(Struct, frozen=True):
    """A compiled pipeline for a target. Every text may hold anything; quoting it is the target's work.

    Attributes:
        pipeline: The pipeline document; digests are not in it yet.
        root: The project's root, where commands run, relative to the repository's root.
        out: The pipeline's folder, relative to the repository's root: where a target's files go.
        folder: The pipeline's folder as commands name it, relative to the project's root.
        notebook: The notebook, likewise.
        out_is_default: `nbmlops compile NOTEBOOK` writes to the folder without being told.
        steps: The value of `--steps` that compiling needs to write this pipeline again, or "".
        python: The Python version of the lock, such as "3.11".
        branch: The branch whose runs register models.
        tasks: One or more steps each, in an order in which they can be executed one after the other.
        closing: What follows them, in this order: judging, and registering where the pipeline does.
        arguments: The parameters.
    """

    pipeline: Pipeline
    root: str
    out: str
    folder: str
    notebook: str
    out_is_default: bool
    steps: str
    python: str
    branch: str
    tasks: tuple[Task, ...]
    closing: tuple[Task, ...]
    arguments: tuple[Argument, ...]

    @property
    def name(self) -> str:
        """The pipeline's name: a lower-case ASCII identifier."""
        return self.pipeline.name

    @property
    def registers(self) -> bool:
        """Whether its last task registers a model."""
        return self.pipeline.register is not None

    @property
    def waves(self) -> tuple[tuple[Task, ...], ...]:
        """The tasks in groups for systems that know stages: each has what it needs in the groups before it.

        Tasks of one group do not need each other.
        """
        level: dict[str, int] = {}
        for task in self.tasks:
            level[task.name] = max((level[need] + 1 for need in task.needs), default=0)
        groups = [[task for task in self.tasks if level[task.name] == at] for at in sorted(set(level.values()))]
        return tuple(map(tuple, groups))

    @property
    def branches(self) -> bool:
        """Whether some tasks do not need each other."""
        return any(len(group) > 1 for group in self.waves)

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The groups for systems where a stage costs a machine: tasks that follow each other are one."""
        found: list[Stage] = []
        for group in self.waves:
            if len(group) == 1 and found and not found[-1].parallel:
                found[-1] = Stage((*found[-1].tasks, *group), parallel=False)
            else:
                found.append(Stage(group, parallel=len(group) > 1))
        return tuple(found)

    @property
    def all_tasks(self) -> tuple[Task, ...]:
        """Tasks and closing tasks."""
        return (*self.tasks, *self.closing)

    def beside(self, file: str) -> str:
        """Returns the path of a file in the pipeline's folder, relative to the repository's root."""
        return posixpath.normpath(posixpath.join(self.out, file))


class Target(Struct, frozen=True):
    """What `--target NAME` writes; a distribution registers one under the entry-point group `nbmlops.targets`.

    Attributes:
        emit: Gives the files; pure, and without importing the engine.
        image_packages: Requirements of the engine that the pipeline's image has to hold besides the lock.
    """

    emit: Callable[[Deployment], tuple[TargetFile, ...]]
    image_packages: tuple[str, ...] = ()


def deployment(program: Program) -> Deployment:
    """Returns the compiled notebook as targets see it."""
    options, pipeline = program.options, program.pipeline
    tasks = _tasks(pipeline)
    return Deployment(
        pipeline=pipeline,
        root=options.root,
        out=options.out,
        folder=plain_path(posixpath.relpath(options.out, options.root)),
        notebook=plain_path(posixpath.relpath(options.notebook, options.root)),
        out_is_default=options.out_is_default,
        steps=options.steps,
        python=python_version(options.lock),
        branch=options.branch,
        tasks=tasks,
        closing=_closing(pipeline, tasks),
        arguments=tuple(map(_argument, pipeline.parameters)),
    )


def _tasks(pipeline: Pipeline) -> tuple[Task, ...]:
    names = {step.name: step.module for step in pipeline.steps}
    return tuple(
        Task(
            name=step.module,
            steps=(step.name,),
            needs=tuple(names[need] for need in _direct(pipeline, step.name)),
            options=(f"--only={step.name}",),
            demands=StepDemands(step.retries, step.backoff, step.timeout, step.resources),
            before=_time_of_others(pipeline, step, number),
        )
        for number, step in enumerate(pipeline.steps)
    )


def _time_of_others(pipeline: Pipeline, step: Step, number: int) -> float | None:
    """Returns the seconds that earlier steps may take together which the step does not need, None for any time."""
    needed = ancestors(pipeline, step.name)
    limits = [other.timeout for other in pipeline.steps[:number] if other.name not in needed]
    return None if None in limits else sum(filter(None, limits))


def _direct(pipeline: Pipeline, step: str) -> list[str]:
    """Returns the steps that must have run before a step, without those that others of them need anyway."""
    found = predecessors(pipeline.step(step))
    implied = frozenset[str]().union(*(ancestors(pipeline, name) for name in found))
    return [other.name for other in pipeline.steps if other.name in found - implied]


def _closing(pipeline: Pipeline, tasks: tuple[Task, ...]) -> tuple[Task, ...]:
    needed = {need for task in tasks for need in task.needs}
    last = tuple(task.name for task in tasks if task.name not in needed)
    taken = {task.name for task in tasks}
    if pipeline.register is None:
        return (Task(fresh("gate" if pipeline.gate else "report", taken), (), last, ()),)
    gate = Task(fresh("gate", taken), (), last, ("--no-register",))
    return gate, Task(fresh("register", taken), (), (gate.name,), ())


def _argument(parameter: Parameter) -> Argument:
    value = parameter.default
    match parameter.type:
        case ParameterType.BOOL if isinstance(value, bool):
            return Argument(parameter.name, Kind.BOOL, value)
        case ParameterType.INT if isinstance(value, int) and abs(value) <= _EXACT:
            return Argument(parameter.name, Kind.INT, value)
        case ParameterType.FLOAT if isinstance(value, float):
            return Argument(parameter.name, Kind.FLOAT, value)
        case _:
            return Argument(parameter.name, Kind.STR, value if isinstance(value, str) else json.dumps(_plain(value)))


def _plain(value: Json) -> Json:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
