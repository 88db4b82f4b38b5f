"""What analysis finds out, as records: the compiler reads these and never looks at syntax trees for meaning again."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct, field

from nbmlops.core.diagnostics import Diagnostic, Json
from nbmlops.pipeline.ir import DataUse, Input, ParameterType, StepMode

SETUP_STEP = "setup"


class StatementKind(StrEnum):
    """What becomes of a top-level statement.

    IMPORT: written again in each module that uses the name. DEFINITION: a function or class. CONSTANT: an immutable
    literal bound once in the whole notebook. SETTING: changes a library's settings. CODE: runs in its step.
    """

    IMPORT = "import"
    DEFINITION = "definition"
    CONSTANT = "constant"
    SETTING = "setting"
    CODE = "code"


class Effects(Struct, frozen=True):
    """What running some code does to the notebook's namespace; calls to the notebook's own functions are included.

    Attributes:
        reads: Names read that may not have been bound before by the same code (builtins left out unless shadowed).
        binds: Names bound on every path.
        may_bind: Names bound on some path (a superset of `binds`).
        mutates: Names whose object may be changed in place.
        deletes: Names that may be unbound.
    """

    reads: frozenset[str] = frozenset()
    binds: frozenset[str] = frozenset()
    may_bind: frozenset[str] = frozenset()
    mutates: frozenset[str] = frozenset()
    deletes: frozenset[str] = frozenset()


class Statement(Struct, frozen=True):
    """A top-level statement of a cell: lines `first`..`last` (1-based in the cell, decorators included).

    `comments_from` is the first line of the comment block that stands directly above it (equal to `first` if none), so
    that hoisted code takes its comments along. `shows` says that it is the cell's last expression and is displayed.
    `index` is its place among the cell's statements, from 0: several may stand in one line.
    """

    cell: int
    first: int
    last: int
    comments_from: int
    kind: StatementKind
    effects: Effects
    shows: bool = False
    index: int = 0


class ImportedName(Struct, frozen=True):
    """A name bound by an import: `import module as name` or `from module import attribute as name`.

    For `import a.b` the bound name is "a" and `module` is "a.b" (several such imports may bind the same name).
    """

    name: str
    module: str
    attribute: str = ""
    cell: int = 0
    line: int = 0


class Placement(StrEnum):
    """Where a definition goes: once in the package, or inside each step that uses it (it touches the namespace)."""

    MODULE = "module"
    STEP = "step"


class Definition(Struct, frozen=True):
    """A function or class defined at the top level of a cell.

    Attributes:
        name: Its name.
        statement: Where it stands.
        placement: Once in the package, or per step.
        imports: Imported names that its source mentions.
        uses: Other definitions and constants that its source mentions.
        reads: Names of the notebook's data that it reads when called, transitively (late binding).
        writes: Names that it binds by `global`, transitively.
    """

    name: str
    statement: Statement
    placement: Placement
    imports: frozenset[str] = frozenset()
    uses: frozenset[str] = frozenset()
    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()


class Constant(Struct, frozen=True):
    """A name that lives in the package: an immutable literal bound once, or what a block binds that decides once.

    Attributes:
        name: The name.
        statement: The assignment, or the block (`try: import x`).
        is_block: Whether it is a block.
        certain: Whether it is bound whatever way the block takes.
        imports: Imported names that a block mentions.
        uses: Definitions and other constants that it mentions.
    """

    name: str
    statement: Statement
    is_block: bool = False
    certain: bool = True
    imports: frozenset[str] = frozenset()
    uses: frozenset[str] = frozenset()


class ParameterDeclaration(Struct, frozen=True):
    """A parameter of the parameters cell, with its type, default, trailing comment, place, and values it may have."""

    name: str
    type: ParameterType
    default: Json
    comment: str
    cell: int
    line: int
    choices: tuple[Json, ...] = ()


class StepFacts(Struct, frozen=True):
    """A step's interface and content.

    Attributes:
        name: As tagged (`SETUP_STEP` for state-making code of shared and untagged cells above the first step).
        cells: Numbers of its cells.
        statements: The statements that run in it (CODE, and DEFINITIONs placed in a step), in order.
        inputs: Live names at its start, each with the step that writes it last before.
        outputs: Names it binds or may change that a later step or the closing stages read.
        after: Steps that must run before it: producers of its inputs and those named by `prev:`, in notebook order.
        parameters: Parameters it reads.
        imports: Imported names its statements mention.
        definitions: MODULE definitions and constants its statements mention (directly).
        rebuilt: STEP definitions of other steps or shared cells that it uses, in notebook order, dependencies included.
        files: Literals that name files.
        metrics: Names logged by `%mlops metric`, where literal.
        data: Data declared by `%mlops data`.
        builtins: Names that are Python's own when the step begins, and that it may bind.
        late: Names that functions which are values of the step read, and that only later steps bind.
        unsure_inputs: Inputs that may not be bound when the step begins.
        unsure_outputs: Outputs that may not be bound when it ends.
        loads: Imports of the notebook that it repeats for what they do, although it does not mention their names.
        awaits: Whether it has to be awaited, because one of its cells is.
        mode: Whether it can be a function, or needs the namespace of a notebook.
        reason: Why it is not a function.
        whole: Whether it loads and hands over all names, because it cannot be known which ones it uses.
        silent: Modules whose import has shown something in an earlier step, or may have.
        compared: Outputs whose identity some code of the notebook compares.
    """

    name: str
    cells: tuple[int, ...]
    statements: tuple[Statement, ...]
    inputs: tuple[Input, ...]
    outputs: tuple[str, ...]
    after: tuple[str, ...]
    parameters: tuple[str, ...]
    imports: frozenset[str] = frozenset()
    definitions: frozenset[str] = frozenset()
    rebuilt: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    data: tuple[DataUse, ...] = ()
    builtins: tuple[str, ...] = ()
    late: tuple[str, ...] = ()
    unsure_inputs: tuple[str, ...] = ()
    unsure_outputs: tuple[str, ...] = ()
    loads: tuple[ImportedName, ...] = ()
    awaits: bool = False
    mode: StepMode = StepMode.FUNCTION
    reason: str = ""
    whole: bool = False
    silent: tuple[str, ...] = ()
    compared: tuple[str, ...] = ()


class ClosingNames(Struct, frozen=True):
    """Notebook names that the closing stages read, from `%mlops register` lines or the configuration."""

    model: str = ""
    data: str = ""
    metrics: Mapping[str, str] = field(default_factory=dict)


class NotebookAnalysis(Struct, frozen=True):
    """All facts about a notebook. With errors among `diagnostics` the rest may be incomplete.

    `environment` are the settings that imports depend on; `settings` are all others. `helper_loads` and `setting_loads`
    are imports that the modules of shared definitions and of settings repeat for what they do.
    """

    steps: tuple[StepFacts, ...]
    parameters: tuple[ParameterDeclaration, ...]
    imports: tuple[ImportedName, ...]
    definitions: tuple[Definition, ...]
    constants: tuple[Constant, ...]
    settings: tuple[Statement, ...]
    environment: tuple[Statement, ...]
    closing: Mapping[str, Input]
    diagnostics: tuple[Diagnostic, ...] = ()
    helper_loads: tuple[ImportedName, ...] = ()
    setting_loads: tuple[ImportedName, ...] = ()
