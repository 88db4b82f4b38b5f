"""The pipeline document as records: what the compiler writes to `pipeline.yaml` and the runtime reads from it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct, field

from nbmlops.core.diagnostics import Json
from nbmlops.pipeline.demands import Resources

SCHEMA = "nbmlops/pipeline/1"
# What a pipeline is written for unless it is said.
DEFAULT_TARGETS = ("github",)


class ParameterType(StrEnum):
    """The types a parameter can have; `NONE` is a default of None without annotation, which accepts any plain value."""

    INT = "int"
    FLOAT = "float"
    STR = "str"
    BOOL = "bool"
    LIST = "list"
    DICT = "dict"
    DATE = "date"
    DATETIME = "datetime"
    PATH = "path"
    NONE = "none"


class StepMode(StrEnum):
    """How a step was emitted."""

    FUNCTION = "function"
    VERBATIM = "verbatim"


class Parameter(Struct, frozen=True):
    """One parameter of the pipeline.

    Attributes:
        name: Its name.
        type: Its type. A default of None with another type than `NONE` says that the value may be None.
        default: As the notebook has it; dates as ISO 8601, paths with `/`.
        comment: The user's.
        choices: The values that it may have, from an annotation `Literal[...]`; empty for any.
    """

    name: str
    type: ParameterType
    default: Json
    comment: str = ""
    choices: tuple[Json, ...] = ()


class Input(Struct, frozen=True):
    """A value that a step reads: the name it has in the notebook and the step whose output it is."""

    name: str
    step: str


class SourceLines(Struct, frozen=True):
    """Where lines of a generated module come from: `count` lines from `line` on stand in `cell` from `cell_line` on."""

    line: int
    count: int
    cell: int
    cell_id: str
    cell_line: int


class DataUse(Struct, frozen=True):
    """A frame or file that the step declares by `%mlops data`: its logged name and MLflow context ("training", "")."""

    name: str
    context: str = ""


class Step(Struct, frozen=True):
    """One step.

    Attributes:
        name: As tagged in the notebook.
        module: The module of the package that holds it, which is also the function's name; a safe identifier. A
            verbatim step has no module; its files are called so.
        mode: Function or verbatim.
        reason: Why that mode; "" for the normal one.
        cells: Numbers of the notebook's cells it was made from.
        cell_ids: Their ids, in the same order.
        inputs: Values it reads, in the order of the function's arguments (after `params`).
        outputs: Names it hands over, in the order of the function's return value.
        after: Steps that must have run before it, by data or by `prev:`, in notebook order.
        parameters: Names of the parameters it reads.
        files: Paths that its cells name as literals and that existed relative to the notebook or look like data files.
        modules: Module names inside the package whose source this step can reach (its own, helpers, settings).
        notebook: The step notebook, relative to the pipeline's folder.
        digest: SHA-256 over the normalised source of everything the step executes (comments and blank lines left out).
        lines: The source map of its module; for a verbatim step of its notebook, whose code cells count as one text.
        metrics: Metric names it logs, where written as literals.
        data: Declared data.
        whole: Whether it loads and hands over all names: nobody can know before it runs which ones it uses.
        silent: Modules that showed something when an earlier step imported them, or may have, and do not again.
        compared: Outputs whose identity code compares (`a is b`); values that cannot change stay in their process then.
        retries: How often it is tried again after it failed.
        backoff: Seconds before the first new try; each further one waits twice as long.
        timeout: Seconds that it may take; None for any time.
        resources: What it needs of a machine.
    """

    name: str
    module: str
    mode: StepMode
    reason: str
    cells: tuple[int, ...]
    cell_ids: tuple[str, ...]
    inputs: tuple[Input, ...]
    outputs: tuple[str, ...]
    after: tuple[str, ...]
    parameters: tuple[str, ...]
    files: tuple[str, ...]
    modules: tuple[str, ...]
    notebook: str
    digest: str
    lines: tuple[SourceLines, ...] = ()
    metrics: tuple[str, ...] = ()
    data: tuple[DataUse, ...] = ()
    whole: bool = False
    silent: tuple[str, ...] = ()
    compared: tuple[str, ...] = ()
    retries: int = 0
    backoff: float = 0.0
    timeout: float | None = None
    resources: Resources = field(default_factory=Resources)


class MetricSource(Struct, frozen=True):
    """A metric taken from a value of the pipeline, for notebooks without `%mlops metric` lines (Kale's)."""

    name: str
    value: Input


class GateStage(Struct, frozen=True):
    """The closing stage that judges the run. Its rules live in `nbmlops.toml`: they change without compiling."""

    cell: int = 0


class RegisterStage(Struct, frozen=True):
    """The closing stage that registers a model: which value, under which name, trained on which frame of features."""

    model: Input
    data: Input | None
    model_name: str
    cell: int = 0


class Pipeline(Struct, frozen=True):
    """A compiled notebook.

    Attributes:
        name: Its name and the package's name.
        title: The notebook's first heading.
        notebook: The source notebook, relative to the pipeline's folder, with `/`.
        root: The project's root, relative to the pipeline's folder, with `/`.
        notebook_digest: SHA-256 over what compiling reads of the notebook (sources, tags, Markdown).
        cell_digests: cell id -> SHA-256 of its source, code cells only.
        version: SHA-256 over all generated code and this document without the field: what "the same pipeline" means.
        parameters: In the order of the parameters cell.
        steps: In notebook order, which is a valid order of execution.
        metrics: Metrics taken from values.
        gate: The gate stage, if the notebook or the configuration asks for one.
        register: The register stage, likewise.
        compiler: Version of nbmlops that wrote it.
        lines: Module file -> source map, for the modules that steps share (`helpers.py`, `settings.py`, `params.py`).
        star_imports: Module -> names that its star import bound where the notebook was compiled.
        steps_from: The `--steps` that it was compiled with, where the notebook's tags or inference were not asked.
        schedule: When engines run it, as five fields of cron; "" for on demand.
        secrets: Names of the variables that hold secrets, for engines; never their values.
        targets: What it is written for, as named by `--target`.
        autolog: Whether MLflow's autologging follows what the steps train.
    """

    name: str
    title: str
    notebook: str
    root: str
    notebook_digest: str
    cell_digests: Mapping[str, str]
    version: str
    parameters: tuple[Parameter, ...]
    steps: tuple[Step, ...]
    metrics: tuple[MetricSource, ...] = ()
    gate: GateStage | None = None
    register: RegisterStage | None = None
    compiler: str = ""
    lines: Mapping[str, tuple[SourceLines, ...]] = field(default_factory=dict)
    star_imports: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    steps_from: str = ""
    schedule: str = ""
    secrets: tuple[str, ...] = ()
    targets: tuple[str, ...] = DEFAULT_TARGETS
    autolog: bool = False

    def step(self, name: str) -> Step:
        """Returns the step of that name.

        Raises:
            KeyError: there is none.
        """
        for step in self.steps:
            if step.name == name:
                return step
        raise KeyError(name)
